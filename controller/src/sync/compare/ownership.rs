//! Who owns which field of a live object, read from `managedFields`.
//! It names fields and managers and never sees a value, except the keys of list entries.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

use crate::field_set::{entry_of, is_entry, is_leaf};

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

/// Fields that people added with kubectl and nobody wants: healing removes them. `counts` is what counts of the live object.
pub fn added_by_people(managed: &[ManagedFieldsEntry], counts: &Value) -> Vec<String> {
    let mut found: Vec<String> = added(managed, counts)
        .iter()
        .map(|path| spell(path))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// The object without such fields.
pub(in crate::sync) fn without_added(managed: &[ManagedFieldsEntry], counts: &Value) -> Value {
    let mut object = counts.clone();
    for path in added(managed, counts) {
        remove(&mut object, &path);
    }
    object
}

/// Paths of such fields, as a set of fields names their steps.
fn added<'a>(managed: &'a [ManagedFieldsEntry], counts: &Value) -> Vec<Vec<&'a str>> {
    let ours = ours(managed);
    let mut found = Vec::new();
    for fields in managed
        .iter()
        .filter(|entry| is_persons(entry))
        .filter_map(fields_of)
    {
        foreign(fields, ours, counts, &mut Vec::new(), &mut found);
    }
    found
}

fn remove(object: &mut Value, path: &[&str]) {
    let Some((step, below)) = path.split_first() else {
        return;
    };
    let found = match (step.strip_prefix("f:"), object) {
        (Some(field), Value::Object(fields)) if below.is_empty() => {
            fields.shift_remove(field);
            None
        }
        (Some(field), object) => object.get_mut(field),
        (None, Value::Array(entries)) if below.is_empty() => {
            entries.retain(|entry| !is_entry(step, entry));
            None
        }
        (None, Value::Array(entries)) => entries.iter_mut().find(|entry| is_entry(step, entry)),
        (None, _) => None,
    };
    if let Some(found) = found {
        remove(found, below);
    }
}

/// kubectl's own notes are not drift.
const NOTES: [&str; 2] = [
    "metadata.annotations",
    "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]",
];

fn foreign<'a>(
    theirs: &'a Value,
    ours: Option<&Value>,
    counts: &Value,
    path: &mut Vec<&'a str>,
    found: &mut Vec<Vec<&'a str>>,
) {
    let Some(fields) = theirs.as_object() else {
        return;
    };
    for (key, fields) in fields.iter().filter(|(key, _)| *key != ".") {
        let Some(counts) = part(counts, key) else {
            continue;
        };
        let own = ours.and_then(|fields| fields.get(key));
        let leaf = fields
            .as_object()
            .is_none_or(|map| map.keys().all(|key| key == "."));
        let own_leaf = own.and_then(Value::as_object).is_some_and(Map::is_empty);
        let whole_entry = own.is_none() && key.starts_with("k:");
        path.push(key);
        let spelled = spell(path);
        if !own_leaf && spelled != "status" {
            match leaf || whole_entry {
                true if own.is_none() && !NOTES.contains(&spelled.as_str()) => {
                    found.push(path.clone());
                }
                true => {}
                false => foreign(fields, own, counts, path, found),
            }
        }
        path.pop();
    }
}

/// What a name in a set means in an object.
fn part<'a>(object: &'a Value, key: &str) -> Option<&'a Value> {
    match key.strip_prefix("f:") {
        Some(field) => object.get(field),
        None => object.as_array()?.iter().find(|entry| is_entry(key, entry)),
    }
}

fn spell(path: &[&str]) -> String {
    path.iter()
        .fold(String::new(), |path, key| match key.strip_prefix("f:") {
            Some(field) => join(&path, field),
            None => format!("{path}{}", spell_entry(key)),
        })
}

/// `k:{"containerPort":80,"protocol":"TCP"}` is spelled `[containerPort=80,protocol=TCP]`; other entries `[]`.
fn spell_entry(key: &str) -> String {
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

fn join(path: &str, field: &str) -> String {
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

    #[test]
    fn what_people_added_with_kubectl_is_found_and_the_rest_is_left_alone() {
        let person = json!({"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {
            "f:metadata": {"f:annotations": {".": {}, "f:note": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}}},
            "f:spec": {"f:replicas": {}, "f:paused": {}, "f:selector": {"f:x": {}}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"debug\"}": {".": {}, "f:image": {}}}}}},
            "f:status": {"f:x": {}}}});
        let scale = json!({"manager": "kubectl", "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:x": {}}}});
        let webhook =
            json!({"manager": "istio", "operation": "Update", "fieldsV1": {"f:spec": {"f:y": {}}}});
        let managed = managed(json!([ours(), person, scale, webhook]));
        let mut live = json!({"metadata": {"annotations": {"note": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
            "spec": {"replicas": 3, "paused": true, "selector": {"x": "y"}, "template": {"spec": {"containers": [{"name": "debug"}]}}}});
        assert_eq!(
            added_by_people(&managed, &live),
            [
                "metadata.annotations.note",
                "spec.paused",
                "spec.template.spec.containers[name=debug]"
            ]
        );
        live["spec"]["template"]["spec"]["containers"] = json!([]);
        live["metadata"]["annotations"] = json!({});
        assert_eq!(
            added_by_people(&managed, &live),
            ["spec.paused"],
            "what does not count"
        );
    }
}
