//! What people and tools write on an Application beside Git: to pause it, to have it looked at or synced, to approve, to hold it.
//! In sets of fields, as `managedFields` spells them.

use crds::names::{DIFF, HOLD, application};
use serde_json::{Map, Value};

use crate::dialect::argocd::{DELETION_APPROVED, REFRESH, SKIP_RECONCILE};
use crate::sync::key::ObjectKey;

/// Annotations by which something is asked.
pub(super) const ASKING: [&str; 5] = [SKIP_RECONCILE, REFRESH, DELETION_APPROVED, HOLD, DIFF];

/// Objects of this kind are asked.
pub(in crate::sync) fn is_application(key: &ObjectKey) -> bool {
    key.is(application::GROUP, application::KIND)
}

/// Whether a field is there to ask something.
pub(super) fn asks(path: &[&str]) -> bool {
    match path {
        ["f:operation", ..] => true,
        ["f:metadata", "f:annotations", annotation] => {
            let name = annotation.strip_prefix("f:");
            name.is_some_and(|name| ASKING.contains(&name))
        }
        _ => false,
    }
}

/// Takes out of a set what asks something that `wanted`, the object of Git, does not; `None` where nothing does.
pub(in crate::sync) fn taken_out(fields: &mut Value, wanted: &Value) -> Option<Value> {
    let of_git = |path: &[&str]| {
        let mut steps = path.iter().filter_map(|step| step.strip_prefix("f:"));
        steps
            .try_fold(wanted, |value, step| value.get(step))
            .is_some()
    };
    taken(fields, &[], &|path| asks(path) && !of_git(path))
}

fn taken(fields: &mut Value, above: &[&str], goes: &impl Fn(&[&str]) -> bool) -> Option<Value> {
    let fields = fields.as_object_mut()?;
    let mut out = Map::new();
    for (step, mut below) in std::mem::take(fields) {
        let path = [above, &[&step]].concat();
        if goes(&path) {
            out.insert(step, below);
            continue;
        }
        if let Some(taken) = taken(&mut below, &path, goes) {
            out.insert(step.clone(), taken);
            // A set without anything below would name all that is there.
            if below
                .as_object()
                .is_some_and(|left| left.keys().all(|name| name == "."))
            {
                continue;
            }
        }
        fields.insert(step, below);
    }
    (!out.is_empty()).then_some(Value::Object(out))
}
