//! Did anybody touch what we applied? A digest of an object's field ownership, from its metadata alone.
//! Equal digests mean there is nothing to look at; unequal ones mean only that it is worth looking.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::sync::compare::ownership::{fields_of, is_ours, is_persons};

/// Digest of our Apply entry, of the labels and annotations it owns, and of what people wrote with kubectl.
/// Status, resourceVersion, generation and the fields of other managers are not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

/// The digest of a live object.
pub fn of(metadata: &ObjectMeta) -> Digest {
    let mut hasher = Sha256::new();
    for entry in metadata
        .managed_fields
        .iter()
        .flatten()
        .filter(|entry| is_ours(entry) || is_persons(entry))
    {
        // The time of an entry changes with every write of its manager, also when no field does.
        let name = entry.manager.as_deref().unwrap_or_default();
        let version = entry.api_version.as_deref().unwrap_or_default();
        feed(&mut hasher, name);
        feed(&mut hasher, version);
        if let Some(fields) = fields_of(entry) {
            feed(&mut hasher, &fields.to_string());
        }
    }
    for (key, value) in owned_marks(metadata) {
        feed(&mut hasher, key);
        feed(&mut hasher, value);
    }
    Digest(hasher.finalize().into())
}

/// Length first, so that no two lists of texts feed the same bytes.
fn feed(hasher: &mut Sha256, text: &str) {
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text);
}

fn owned_marks(metadata: &ObjectMeta) -> impl Iterator<Item = (&str, &str)> {
    let ours = metadata
        .managed_fields
        .iter()
        .flatten()
        .find(|entry| is_ours(entry));
    let marks = [
        ("f:labels", &metadata.labels),
        ("f:annotations", &metadata.annotations),
    ];
    marks.into_iter().flat_map(move |(field, map)| {
        let owned = ours.and_then(|entry| owned_map(entry, field));
        map.iter()
            .flatten()
            .filter(move |(key, _)| {
                owned.is_some_and(|owned| owned.get(format!("f:{key}")).is_some())
            })
            .map(|(key, value)| (key.as_str(), value.as_str()))
    })
}

fn owned_map<'a>(entry: &'a ManagedFieldsEntry, field: &str) -> Option<&'a Value> {
    fields_of(entry)?.get("f:metadata")?.get(field)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn meta(managed: Value, labels: Value) -> ObjectMeta {
        let mut metadata = json!({"name": "web"});
        metadata["labels"] = labels;
        metadata["managedFields"] = managed;
        serde_json::from_value(metadata).unwrap()
    }

    fn ours(fields: &Value) -> Value {
        json!({"manager": "signet", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": fields})
    }

    #[test]
    fn what_others_write_leaves_the_digest_as_it_was() {
        let fields = json!({"f:spec": {"f:replicas": {}}});
        let alone = meta(json!([ours(&fields)]), json!({}));
        let mut busy = meta(
            json!([ours(&fields), {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
                "fieldsV1": {"f:status": {}}}]),
            json!({"added": "by-webhook"}),
        );
        busy.resource_version = Some("9".into());
        busy.generation = Some(4);
        assert_eq!(of(&alone), of(&busy));
    }

    #[test]
    fn a_field_taken_from_us_changes_the_digest() {
        let whole = meta(
            json!([ours(&json!({"f:spec": {"f:replicas": {}, "f:paused": {}}}))]),
            json!({}),
        );
        let less = meta(
            json!([ours(&json!({"f:spec": {"f:paused": {}}}))]),
            json!({}),
        );
        assert_ne!(of(&whole), of(&less));
    }

    #[test]
    fn a_field_that_a_person_added_with_kubectl_changes_the_digest() {
        let entry = |manager: &str| json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}});
        let alone = of(&meta(json!([ours(&json!({}))]), json!({})));
        assert_ne!(
            alone,
            of(&meta(
                json!([ours(&json!({})), entry("kubectl-edit")]),
                json!({})
            ))
        );
        assert_eq!(
            alone,
            of(&meta(
                json!([ours(&json!({})), entry("kubectl-rollout")]),
                json!({})
            ))
        );
        assert_eq!(
            alone,
            of(&meta(json!([ours(&json!({})), entry("istio")]), json!({})))
        );
    }

    #[test]
    fn the_value_of_a_label_of_ours_is_part_of_the_digest() {
        let fields = json!({"f:metadata": {"f:labels": {"f:app": {}}}});
        let with = |value: &str| {
            of(&meta(
                json!([ours(&fields)]),
                json!({"app": value, "other": "x"}),
            ))
        };
        assert_ne!(with("a"), with("b"));
    }
}
