//! What people and tools write on an Application beside Git: to pause it, to have it looked at or synced, to approve, to hold it.
//! In sets of fields, as `managedFields` spells them.

use crds::names::{DIFF, HOLD, application};
use serde_json::{Map, Value, json};

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
        ["f:metadata", "f:annotations", annotation] => is_asking(annotation),
        _ => false,
    }
}

fn is_asking(annotation: &str) -> bool {
    let name = annotation.strip_prefix("f:");
    name.is_some_and(|name| ASKING.contains(&name))
}

/// Takes out of a set what asks something that `wanted`, the object of Git, does not; `None` where nothing does.
pub(in crate::sync) fn taken_out(fields: &mut Value, wanted: &Value) -> Option<Value> {
    let of_git = wanted.pointer("/metadata/annotations");
    let is_beside = |annotation: &str| {
        let name = annotation.strip_prefix("f:").unwrap_or_default();
        is_asking(annotation) && of_git.is_none_or(|of_git| of_git.get(name).is_none())
    };
    let root = fields.as_object_mut()?;
    let mut asked = Map::new();
    asked.extend(root.shift_remove_entry("f:operation"));
    let metadata = root.get_mut("f:metadata").and_then(Value::as_object_mut);
    if let Some(Value::Object(annotations)) = metadata.and_then(|it| it.get_mut("f:annotations")) {
        let (asking, others) = std::mem::take(annotations)
            .into_iter()
            .partition::<Map<_, _>, _>(|(annotation, _)| is_beside(annotation));
        *annotations = others;
        if !asking.is_empty() {
            asked.insert("f:metadata".into(), json!({ "f:annotations": asking }));
            drop_empty(root, &["f:metadata", "f:annotations"]);
        }
    }
    (!asked.is_empty()).then_some(Value::Object(asked))
}

/// Takes away a set that names nothing any more, and those around it: without anything below, it would name all that is there.
fn drop_empty(fields: &mut Map<String, Value>, path: &[&str]) {
    let Some((step, below)) = path.split_first() else {
        return;
    };
    let Some(Value::Object(set)) = fields.get_mut(*step) else {
        return;
    };
    drop_empty(set, below);
    if set.keys().all(|name| name == ".") {
        fields.shift_remove(*step);
    }
}
