//! Fields that healing removes: what people have added to a live object with kubectl, and what a manager left that is out of use.
//! It goes by `managedFields`, and names fields without their values.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use serde_json::{Map, Value};

use super::asked::{asks, is_application};
use super::ownership::{fields_of, is_passing, join, ours, spell_entry};
use crate::field_set::is_entry;
use crate::sync::key::ObjectKey;

/// Their names. `counts` is what counts of the live object.
pub(in crate::sync) fn unwanted(
    key: &ObjectKey,
    managed: &[ManagedFieldsEntry],
    predecessor: Option<&str>,
    counts: &Value,
) -> Vec<String> {
    let passing = |entry: &ManagedFieldsEntry| is_passing(entry, predecessor);
    let paths = paths(key, managed, passing, counts);
    let mut found: Vec<String> = paths.iter().map(|path| spell(path)).collect();
    found.sort();
    found.dedup();
    found
}

/// The object without the fields that only entries for which `goes` holds have beside ours.
pub(in crate::sync) fn without(
    key: &ObjectKey,
    managed: &[ManagedFieldsEntry],
    goes: impl Fn(&ManagedFieldsEntry) -> bool,
    counts: &Value,
) -> Value {
    let mut object = counts.clone();
    for path in paths(key, managed, goes, counts) {
        remove(&mut object, &path);
    }
    object
}

/// Paths of such fields, as a set of fields names their steps. What is asked of an Application stays.
fn paths<'a>(
    key: &ObjectKey,
    managed: &'a [ManagedFieldsEntry],
    goes: impl Fn(&ManagedFieldsEntry) -> bool,
    counts: &Value,
) -> Vec<Vec<&'a str>> {
    let ours = ours(managed);
    let mut found = Vec::new();
    for fields in managed
        .iter()
        .filter(|entry| goes(entry))
        .filter_map(fields_of)
    {
        foreign(fields, ours, counts, &mut Vec::new(), &mut found);
    }
    let is_application = is_application(key);
    found.retain(|path| !(is_application && asks(path)));
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

#[cfg(test)]
mod tests {
    use crds::names::application;
    use serde_json::json;

    use super::*;
    use crate::sync::compare::asked::ASKING;
    use crate::sync::key::GroupKind;

    fn key(group: &str, kind: &str) -> ObjectKey {
        ObjectKey::new(&GroupKind::new(group, kind), Some("demo"), "a")
    }

    fn ours() -> Value {
        json!({"manager": "signet", "operation": "Apply", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:selector": {}}}})
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
        let managed: Vec<ManagedFieldsEntry> =
            serde_json::from_value(json!([ours(), person, scale, webhook])).unwrap();
        let mut live = json!({"metadata": {"annotations": {"note": "x", "kubectl.kubernetes.io/last-applied-configuration": "{}"}},
            "spec": {"replicas": 3, "paused": true, "selector": {"x": "y"}, "template": {"spec": {"containers": [{"name": "debug"}]}}}});
        let key = key("apps", "Deployment");
        assert_eq!(
            unwanted(&key, &managed, None, &live),
            [
                "metadata.annotations.note",
                "spec.paused",
                "spec.template.spec.containers[name=debug]"
            ]
        );
        live["spec"]["template"]["spec"]["containers"] = json!([]);
        live["metadata"]["annotations"] = json!({});
        assert_eq!(
            unwanted(&key, &managed, None, &live),
            ["spec.paused"],
            "what does not count"
        );
        assert_eq!(
            unwanted(&key, &managed, Some("istio"), &json!({"spec": {"y": 1}})),
            ["spec.y"],
            "what a predecessor left"
        );
    }

    #[test]
    fn what_is_asked_of_an_application_beside_git_is_left_alone() {
        let mut annotations: Vec<&str> = ASKING.to_vec();
        annotations.push("note");
        let owned = annotations
            .iter()
            .map(|name| (format!("f:{name}"), json!({})));
        let person = json!({"manager": "kubectl-annotate", "operation": "Update", "fieldsV1": {
            "f:metadata": {"f:annotations": Value::Object(owned.collect())},
            "f:operation": {".": {}, "f:sync": {".": {}, "f:revision": {}}},
            "f:spec": {"f:paused": {}}}});
        let managed: Vec<ManagedFieldsEntry> =
            serde_json::from_value(json!([ours(), person])).unwrap();
        let annotated = annotations
            .iter()
            .map(|name| ((*name).to_owned(), json!("x")));
        let live = json!({"metadata": {"annotations": Value::Object(annotated.collect())},
            "operation": {"sync": {"revision": "main"}}, "spec": {"paused": true}});
        let application = key(application::GROUP, application::KIND);
        assert_eq!(
            unwanted(&application, &managed, None, &live),
            ["metadata.annotations.note", "spec.paused"]
        );
        let project = key(application::GROUP, "AppProject");
        let found = unwanted(&project, &managed, None, &live);
        assert_eq!(found.len(), annotations.len() + 2, "{found:?}");
    }
}
