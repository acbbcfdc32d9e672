//! Who owns which field of a live object, read from `managedFields`.
//! It names fields and managers and never sees a value, except the keys of list entries.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::Value;

use crate::field_set::{entry_of, is_leaf};

/// A field that is wanted and no longer ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Its path: `spec.template.spec.containers[name=web].image`.
    pub field: String,
    /// Who owns it now, when anybody does.
    pub manager: Option<String>,
}

/// True for the entry of what we applied.
pub fn is_ours(entry: &ManagedFieldsEntry) -> bool {
    is_from(entry, "Apply") && entry.manager.as_deref() == Some(crds::names::FIELD_MANAGER)
}

/// True for an entry of a person at kubectl: what it added is drift. A restart (`kubectl rollout`) is not, and what
/// goes through a subresource (`kubectl scale`) competes with autoscalers and is judged by its value.
pub fn is_persons(entry: &ManagedFieldsEntry) -> bool {
    let manager = entry.manager.as_deref().unwrap_or_default();
    is_from(entry, "Update") && manager.starts_with("kubectl") && manager != "kubectl-rollout"
}

/// True for an entry of which nothing may stay that nobody wants: of a person, or of the manager that was named as out of use.
pub(in crate::sync) fn is_passing(entry: &ManagedFieldsEntry, predecessor: Option<&str>) -> bool {
    let named = predecessor.is_some() && entry.manager.as_deref() == predecessor;
    is_persons(entry) || (named && is_from(entry, "Update"))
}

fn is_from(entry: &ManagedFieldsEntry, operation: &str) -> bool {
    entry.operation.as_deref() == Some(operation)
        && entry.subresource.as_deref().unwrap_or_default().is_empty()
}

/// The field set of an entry.
pub(in crate::sync) fn fields_of(entry: &ManagedFieldsEntry) -> Option<&Value> {
    entry.fields_v1.as_ref().map(|fields| &fields.0)
}

/// The fields of our entry.
pub(in crate::sync) fn ours(managed: &[ManagedFieldsEntry]) -> Option<&Value> {
    managed
        .iter()
        .find(|entry| is_ours(entry))
        .and_then(fields_of)
}

/// Fields of `wanted` that our entry does not own. Empty when all is ours, whatever the values are.
pub fn lost(wanted: &Value, managed: &[ManagedFieldsEntry]) -> Vec<Lost> {
    let ours = ours(managed);
    let others: Vec<_> = managed
        .iter()
        .filter(|entry| !is_ours(entry))
        .filter_map(|entry| Some((entry.manager.as_deref()?, fields_of(entry)?)))
        .collect();
    let mut found = Vec::new();
    let Some(root) = wanted.as_object() else {
        return found;
    };
    for (field, value) in root
        .iter()
        .filter(|(field, _)| !matches!(field.as_str(), "apiVersion" | "kind"))
    {
        descend(field, value, ours, &others, "", &mut found);
    }
    found
}

type Owners<'a> = [(&'a str, &'a Value)];

fn descend(
    field: &str,
    value: &Value,
    ours: Option<&Value>,
    others: &Owners<'_>,
    path: &str,
    found: &mut Vec<Lost>,
) {
    let is_identity = path == "metadata" && matches!(field, "name" | "namespace");
    if value.is_null() || is_identity {
        return;
    }
    let step = |fields: &Value| fields.get(format!("f:{field}")).is_some();
    let key = format!("f:{field}");
    let inside = join(path, field);
    match ours.and_then(|fields| fields.get(&key)) {
        None if path == "metadata" => enter(value, None, &into(others, &key), &inside, found),
        None => found.push(Lost {
            field: inside,
            manager: others
                .iter()
                .find(|(_, fields)| step(fields))
                .map(|(manager, _)| (*manager).to_owned()),
        }),
        Some(fields) => enter(value, Some(fields), &into(others, &key), &inside, found),
    }
}

fn enter(
    value: &Value,
    ours: Option<&Value>,
    others: &Owners<'_>,
    path: &str,
    found: &mut Vec<Lost>,
) {
    // A leaf of ours without children owns everything below it.
    if ours.is_some_and(is_leaf) {
        return;
    }
    match value {
        Value::Object(map) => {
            for (field, value) in map {
                descend(field, value, ours, others, path, found);
            }
        }
        Value::Array(list) => {
            for entry in list {
                enter_entry(entry, ours, others, path, found);
            }
        }
        _ => {}
    }
}

fn enter_entry(
    entry: &Value,
    ours: Option<&Value>,
    others: &Owners<'_>,
    path: &str,
    found: &mut Vec<Lost>,
) {
    let Some((key, fields)) = ours.and_then(|fields| entry_of(fields, entry)) else {
        let owner = others
            .iter()
            .find(|(_, fields)| entry_of(fields, entry).is_some());
        found.push(Lost {
            field: format!("{path}[]"),
            manager: owner.map(|(manager, _)| (*manager).to_owned()),
        });
        return;
    };
    let path = format!("{path}{}", spell_entry(key));
    enter(entry, Some(fields), &into(others, key), &path, found);
}

fn into<'a>(others: &Owners<'a>, key: &str) -> Vec<(&'a str, &'a Value)> {
    others
        .iter()
        .filter_map(|(manager, fields)| Some((*manager, fields.get(key)?)))
        .collect()
}

/// `k:{"containerPort":80,"protocol":"TCP"}` is spelled `[containerPort=80,protocol=TCP]`; other entries `[]`.
pub(super) fn spell_entry(key: &str) -> String {
    let Some(Ok(Value::Object(keys))) = key.strip_prefix("k:").map(serde_json::from_str) else {
        return "[]".to_owned();
    };
    let spelled: Vec<_> = keys
        .iter()
        .map(|(field, value)| {
            format!(
                "{field}={}",
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            )
        })
        .collect();
    format!("[{}]", spelled.join(","))
}

pub(super) fn join(path: &str, field: &str) -> String {
    match (path, field.contains(['.', '/'])) {
        (path, true) => format!("{path}[{field}]"),
        ("", false) => field.to_owned(),
        (path, false) => format!("{path}.{field}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn managed(entries: Value) -> Vec<ManagedFieldsEntry> {
        serde_json::from_value(entries).unwrap()
    }

    fn wanted() -> Value {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": {"signet.dev/restart": "true"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"containers": [
                {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]}}}})
    }

    fn ours() -> Value {
        json!({"manager": "signet", "operation": "Apply", "fieldsV1": {
            "f:metadata": {"f:annotations": {"f:signet.dev/restart": {}}},
            "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:image": {},
                    "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}}}})
    }

    #[test]
    fn nothing_is_lost_while_our_entry_covers_all_that_is_wanted() {
        assert_eq!(lost(&wanted(), &managed(json!([ours()]))), []);
    }

    #[test]
    fn a_field_taken_by_another_manager_is_named_with_its_new_owner() {
        let mut entry = ours();
        entry["fieldsV1"]["f:spec"]
            .as_object_mut()
            .unwrap()
            .remove("f:replicas");
        let taker = json!({"manager": "hpa", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}}}});
        assert_eq!(
            lost(&wanted(), &managed(json!([entry, taker]))),
            [Lost {
                field: "spec.replicas".into(),
                manager: Some("hpa".into())
            }]
        );
    }

    #[test]
    fn a_list_entry_that_is_gone_is_lost() {
        let mut entry = ours();
        entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"web\"}"]
            ["f:ports"] = json!({".": {}});
        let lost = lost(&wanted(), &managed(json!([entry])));
        assert_eq!(
            lost[0].field,
            "spec.template.spec.containers[name=web].ports[]"
        );
    }
}
