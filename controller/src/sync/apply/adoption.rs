//! Taking over what kubectl and Argo CD wrote before us: their fields become ours, so that one which leaves Git really goes.
//! Pure: it rewrites `managedFields` and touches no field of the object.

use crds::names::FIELD_MANAGER;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, ObjectMeta};
use serde_json::{Map, Value};

use crate::ignore::Ignored;
use crate::sync::compare::ownership::{is_ours, is_passing};

/// As whom we replace an object whole, before we apply it.
pub(super) const REPLACES: &str = "signet-replace";
/// Managers whose fields pass to us when we apply: kubectl's and Argo CD's client-side apply, Argo CD's server-side apply, what
/// the API server calls fields older than the first server-side apply, and ourselves where we replaced the object.
const PREDECESSORS: [&str; 4] = [
    REPLACES,
    "kubectl-client-side-apply",
    "argocd-controller",
    "before-first-apply",
];

/// True when applying the object has to be preceded by [`adopted`].
pub(crate) fn is_needed(
    metadata: &ObjectMeta,
    ignored: &Ignored,
    predecessor: Option<&str>,
) -> bool {
    let mut entries = metadata.managed_fields.iter().flatten();
    entries.any(|entry| is_taken_over(entry, ignored, predecessor))
}

/// Whether the fields of an entry become ours. Managers whose fields don't count keep them.
pub(in crate::sync) fn is_taken_over(
    entry: &ManagedFieldsEntry,
    ignored: &Ignored,
    predecessor: Option<&str>,
) -> bool {
    let manager = entry.manager.as_deref().unwrap_or_default();
    let usual = PREDECESSORS.contains(&manager)
        && entry.subresource.as_deref().unwrap_or_default().is_empty();
    (usual || is_passing(entry, predecessor)) && !ignored.spares(manager)
}

/// `managedFields` with the fields of predecessors and of people moved into our entry: the next apply removes those that nobody wants.
pub(crate) fn adopted(
    metadata: &ObjectMeta,
    ignored: &Ignored,
    predecessor: Option<&str>,
) -> Vec<ManagedFieldsEntry> {
    let entries = metadata.managed_fields.iter().flatten().cloned();
    let (taken, mut kept): (Vec<_>, Vec<_>) =
        entries.partition(|entry| is_taken_over(entry, ignored, predecessor));
    let mut own = match kept.iter().position(is_ours) {
        Some(index) => kept.remove(index),
        None => first_entry(taken.last()),
    };
    for entry in taken {
        if let (Some(FieldsV1(into)), Some(FieldsV1(from))) = (&mut own.fields_v1, entry.fields_v1)
        {
            unite(into, from);
        }
    }
    kept.push(own);
    kept
}

fn first_entry(like: Option<&ManagedFieldsEntry>) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(FIELD_MANAGER.to_owned()),
        operation: Some("Apply".to_owned()),
        api_version: like.and_then(|entry| entry.api_version.clone()),
        fields_type: Some("FieldsV1".to_owned()),
        fields_v1: Some(FieldsV1(Value::Object(Map::new()))),
        time: like.and_then(|entry| entry.time.clone()),
        subresource: None,
    }
}

/// The union of two sets of fields.
fn unite(into: &mut Value, from: Value) {
    let (Value::Object(into), Value::Object(from)) = (into, from) else {
        return;
    };
    for (field, below) in from {
        match into.get_mut(&field) {
            Some(existing) => unite(existing, below),
            None => {
                into.insert(field, below);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn counts() -> Ignored {
        Ignored::default()
    }

    fn metadata(managed: &Value) -> ObjectMeta {
        serde_json::from_value(json!({ "managedFields": managed })).unwrap()
    }

    #[test]
    fn fields_of_kubectl_apply_become_ours_so_that_they_can_go() {
        let before = metadata(&json!([
            {"manager": "kubectl-client-side-apply", "operation": "Update", "fieldsV1": {"f:data": {".": {}, "f:old": {}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": {"f:metadata": {"f:finalizers": {}}}},
            {"manager": "signet", "operation": "Apply", "fieldsV1": {"f:data": {"f:new": {}}}},
        ]));
        assert!(is_needed(&before, &counts(), None));
        let after = adopted(&before, &counts(), None);
        assert_eq!(after.len(), 2);
        assert_eq!(after[1].manager.as_deref(), Some("signet"));
        let fields = &after[1].fields_v1.as_ref().unwrap().0;
        assert_eq!(
            *fields,
            json!({"f:data": {".": {}, "f:new": {}, "f:old": {}}})
        );
        let after = ObjectMeta {
            managed_fields: Some(after),
            ..ObjectMeta::default()
        };
        assert!(!is_needed(&after, &counts(), None));
    }

    #[test]
    fn an_object_that_we_never_applied_gets_an_entry_of_ours() {
        let before = metadata(&json!([
            {"manager": "argocd-controller", "operation": "Apply", "apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        ]));
        let after = adopted(&before, &counts(), None);
        assert_eq!(after.len(), 1);
        assert_eq!(
            (after[0].manager.as_deref(), after[0].operation.as_deref()),
            (Some("signet"), Some("Apply"))
        );
        assert_eq!(after[0].api_version.as_deref(), Some("apps/v1"));
    }

    #[test]
    fn fields_of_a_manager_that_is_named_become_ours_too_but_for_what_it_applied() {
        let before = metadata(&json!([
            {"manager": "old-tool", "operation": "Update", "fieldsV1": {"f:data": {"f:old": {}}}},
            {"manager": "old-tool", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
            {"manager": "old-tool", "operation": "Apply", "fieldsV1": {"f:data": {"f:applied": {}}}},
        ]));
        assert!(!is_needed(&before, &counts(), None));
        assert!(!is_needed(&before, &counts(), Some("older-tool")));
        assert!(is_needed(&before, &counts(), Some("old-tool")));
        let after = adopted(&before, &counts(), Some("old-tool"));
        assert_eq!(after.len(), 3);
        assert_eq!(
            after[2].fields_v1.as_ref().unwrap().0,
            json!({"f:data": {"f:old": {}}})
        );
    }

    #[test]
    fn status_and_autoscalers_are_left_alone() {
        let before = metadata(&json!([
            {"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
            {"manager": "argocd-controller", "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}},
            {"manager": "istio", "operation": "Update", "fieldsV1": {"f:spec": {"f:y": {}}}},
        ]));
        assert!(!is_needed(&before, &counts(), None));
    }
}
