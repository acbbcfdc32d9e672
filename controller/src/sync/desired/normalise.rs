//! Makes a rendered manifest into the exact body of a server-side apply: what the API server would refuse,
//! mis-track or overwrite is dropped here, once, and said where it was written.
//! It looks at no live object and adds nothing that Git doesn't say, but namespace and tracking id.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};

use crate::sync::desired::pods::{containers_mut, pod_spec_mut};
use crate::sync::key::ObjectKey;

/// Fields of `metadata` that only an API server writes.
const SERVER_METADATA: [&str; 8] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// kubectl's copy of what it applied last; on Secrets it even holds the values.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A certificate bundle that says "to be filled in": nothing, or the base64 of a newline.
const EMPTY_CA_BUNDLES: [&str; 2] = ["", "Cg=="];

/// Normalises `object`; the returned texts name the list entries that were written twice.
pub(in crate::sync) fn normalise(object: &mut Value, key: &ObjectKey) -> Vec<String> {
    drop_server_fields(object);
    drop_empty_ca_bundles(object);
    match (key.group(), key.kind()) {
        ("", "Secret") => encode_string_data(object),
        ("rbac.authorization.k8s.io", "ClusterRole") => drop_aggregated_rules(object),
        _ => {}
    }
    drop_repeated_entries(object, key)
}

/// Leaves the number of replicas to the autoscaler that owns it.
pub(in crate::sync) fn drop_replicas(object: &mut Value) {
    if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
        spec.shift_remove("replicas");
    }
}

/// Sets or clears `metadata.namespace`.
pub(in crate::sync) fn set_namespace(object: &mut Value, namespace: Option<&str>) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    match namespace {
        Some(namespace) => {
            metadata.insert("namespace".into(), namespace.into());
        }
        None => {
            metadata.shift_remove("namespace");
        }
    }
}

/// Sets an annotation, and makes the map when the manifest has none.
pub(in crate::sync) fn annotate(object: &mut Value, annotation: &str, value: &str) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    let annotations = metadata
        .entry("annotations")
        .or_insert_with(|| Value::Object(Map::new()));
    if !annotations.is_object() {
        *annotations = Value::Object(Map::new());
    }
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.insert(annotation.into(), value.into());
    }
}

fn drop_server_fields(object: &mut Value) {
    let Some(root) = object.as_object_mut() else {
        return;
    };
    root.shift_remove("status");
    let Some(metadata) = root.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    for field in SERVER_METADATA {
        metadata.shift_remove(field);
    }
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.shift_remove(LAST_APPLIED);
    }
}

/// The API server merges `stringData` into `data` and forgets it, so a key that leaves `stringData` would stay.
fn encode_string_data(object: &mut Value) {
    let Some(root) = object.as_object_mut() else {
        return;
    };
    if let Some(data) = root.get_mut("data").and_then(Value::as_object_mut) {
        data.values_mut()
            .filter(|value| value.is_null())
            .for_each(|value| *value = Value::String(String::new()));
    }
    let all_text = |value: &Value| {
        value.as_object().is_some_and(|map| {
            map.values()
                .all(|value| value.is_string() || value.is_null())
        })
    };
    if !root.get("stringData").is_some_and(all_text) {
        return;
    }
    let Some(Value::Object(plain)) = root.shift_remove("stringData") else {
        return;
    };
    let data = root
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (name, value) in plain {
        let encoded = BASE64_STANDARD.encode(value.as_str().unwrap_or_default());
        data.insert(name, encoded.into());
    }
}

/// The rules of an aggregated role are written by its controller.
fn drop_aggregated_rules(object: &mut Value) {
    let Some(root) = object.as_object_mut() else {
        return;
    };
    if root
        .get("aggregationRule")
        .is_some_and(|rule| !rule.is_null())
    {
        root.shift_remove("rules");
    }
}

/// An injector fills these in; owning them empty would take its certificate away again.
fn drop_empty_ca_bundles(object: &mut Value) {
    for holder in ["/spec", "/spec/conversion/webhook/clientConfig"] {
        drop_empty_ca_bundle(object.pointer_mut(holder));
    }
    let webhooks = object.get_mut("webhooks").and_then(Value::as_array_mut);
    for webhook in webhooks.into_iter().flatten() {
        drop_empty_ca_bundle(webhook.get_mut("clientConfig"));
    }
}

fn drop_empty_ca_bundle(holder: Option<&mut Value>) {
    let Some(holder) = holder.and_then(Value::as_object_mut) else {
        return;
    };
    let empty = match holder.get("caBundle") {
        Some(Value::Null) => true,
        Some(Value::String(bundle)) => EMPTY_CA_BUNDLES.contains(&bundle.trim()),
        _ => false,
    };
    if empty {
        holder.shift_remove("caBundle");
    }
}

/// Server-side apply refuses two entries with one key in lists where a create takes them.
fn drop_repeated_entries(object: &mut Value, key: &ObjectKey) -> Vec<String> {
    let mut repeated = Vec::new();
    let Some((path, spec)) = pod_spec_mut(object, key) else {
        return repeated;
    };
    keep_last(
        spec.get_mut("imagePullSecrets"),
        &format!("{path}.imagePullSecrets"),
        by_name,
        &mut repeated,
    );
    for (path, container) in containers_mut(spec, path) {
        keep_last(
            container.get_mut("env"),
            &format!("{path}.env"),
            by_name,
            &mut repeated,
        );
        keep_last(
            container.get_mut("ports"),
            &format!("{path}.ports"),
            by_port,
            &mut repeated,
        );
    }
    repeated
}

fn by_name(entry: &Value) -> Option<String> {
    entry.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn by_port(entry: &Value) -> Option<String> {
    let port = entry.get("containerPort").filter(|port| port.is_number())?;
    let protocol = entry
        .get("protocol")
        .and_then(Value::as_str)
        .unwrap_or("TCP");
    Some(format!("{port}/{protocol}"))
}

fn keep_last(
    list: Option<&mut Value>,
    path: &str,
    identity: fn(&Value) -> Option<String>,
    repeated: &mut Vec<String>,
) {
    let Some(entries) = list.and_then(Value::as_array_mut) else {
        return;
    };
    let identities: Vec<_> = entries.iter().map(identity).collect();
    let mut index = 0;
    entries.retain(|_| {
        let mine = &identities[index];
        let again = mine.is_some() && identities[index + 1..].contains(mine);
        if again && let Some(mine) = mine {
            repeated.push(format!("{path}[{mine}]"));
        }
        index += 1;
        !again
    });
    repeated.dedup();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn normalised(group: &str, mut object: Value) -> (Value, Vec<String>) {
        let kind = GroupKind::new(group, object["kind"].as_str().unwrap());
        let key = ObjectKey::new(&kind, Some("demo"), "x");
        let repeated = normalise(&mut object, &key);
        (object, repeated)
    }

    #[test]
    fn string_data_becomes_data_and_wins_over_it() {
        let (object, _) = normalised(
            "",
            json!({"kind": "Secret", "data": {"a": "b2xk", "n": null}, "stringData": {"a": "new", "b": ""}}),
        );
        assert_eq!(
            object,
            json!({"kind": "Secret", "data": {"a": "bmV3", "n": "", "b": ""}})
        );
    }

    #[test]
    fn string_data_with_a_number_is_left_for_the_api_server_to_refuse() {
        let secret = json!({"kind": "Secret", "stringData": {"port": 5432}});
        assert_eq!(normalised("", secret.clone()).0, secret);
    }

    #[test]
    fn what_only_a_server_writes_is_dropped() {
        let (object, _) = normalised(
            "",
            json!({"kind": "ConfigMap", "status": {}, "metadata": {"name": "x", "uid": "1", "resourceVersion": "7",
                "generation": 3, "creationTimestamp": null, "managedFields": [], "selfLink": "/x",
                "annotations": {LAST_APPLIED: "{}", "team": "a"}}}),
        );
        assert_eq!(
            object,
            json!({"kind": "ConfigMap", "metadata": {"name": "x", "annotations": {"team": "a"}}})
        );
    }

    #[test]
    fn of_repeated_env_and_ports_the_last_stays_and_the_path_is_told() {
        let container = json!({"name": "c", "env": [{"name": "A", "value": "1"}, {"name": "B"}, {"name": "A", "value": "2"}],
            "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "UDP"}, {"containerPort": 80, "protocol": "TCP", "name": "web"}]});
        let (object, repeated) = normalised(
            "apps",
            json!({"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}),
        );
        let kept = &object["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(
            kept["env"],
            json!([{"name": "B"}, {"name": "A", "value": "2"}])
        );
        assert_eq!(kept["ports"][1]["name"], "web");
        assert_eq!(
            repeated,
            [
                "spec.template.spec.containers[c].env[A]",
                "spec.template.spec.containers[c].ports[80/TCP]"
            ]
        );
    }

    #[test]
    fn rules_of_an_aggregated_cluster_role_belong_to_its_controller() {
        let role = json!({"kind": "ClusterRole", "aggregationRule": {"clusterRoleSelectors": []}, "rules": []});
        let (object, _) = normalised("rbac.authorization.k8s.io", role);
        assert_eq!(object.get("rules"), None);
        let plain = json!({"kind": "ClusterRole", "rules": []});
        assert_eq!(
            normalised("rbac.authorization.k8s.io", plain.clone()).0,
            plain
        );
    }

    #[test]
    fn empty_ca_bundles_are_left_to_their_injector() {
        let (object, _) = normalised(
            "admissionregistration.k8s.io",
            json!({"kind": "MutatingWebhookConfiguration",
                "webhooks": [{"clientConfig": {"caBundle": ""}}, {"clientConfig": {"caBundle": "Cg=="}}, {"clientConfig": {"caBundle": "QQ=="}}]}),
        );
        assert_eq!(
            object["webhooks"],
            json!([{"clientConfig": {}}, {"clientConfig": {}}, {"clientConfig": {"caBundle": "QQ=="}}])
        );
    }
}
