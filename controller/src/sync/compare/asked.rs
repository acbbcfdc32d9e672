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
        ["f:metadata", "f:annotations", annotation] => is_asking(annotation),
        _ => false,
    }
}

fn is_asking(annotation: &str) -> bool {
    let name = annotation.strip_prefix("f:");
    name.is_some_and(|name| ASKING.contains(&name))
}

/// Takes what asks out of a set; `None` where nothing does.
pub(in crate::sync) fn taken_out(fields: &mut Value) -> Option<Value> {
    let mut asked = Map::new();
    let operation = fields
        .as_object_mut()
        .and_then(|fields| fields.shift_remove_entry("f:operation"));
    asked.extend(operation);
    if let Some(Value::Object(annotations)) = fields.pointer_mut("/f:metadata/f:annotations") {
        let (asking, others) = std::mem::take(annotations)
            .into_iter()
            .partition::<Map<_, _>, _>(|(annotation, _)| is_asking(annotation));
        *annotations = others;
        if !asking.is_empty() {
            asked.insert(
                "f:metadata".into(),
                serde_json::json!({ "f:annotations": asking }),
            );
        }
    }
    (!asked.is_empty()).then_some(Value::Object(asked))
}
