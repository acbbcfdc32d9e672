//! Where the pod template of each workload kind is, and its containers.
//! It reads shapes only and changes nothing itself.

use serde_json::Value;

use crate::sync::key::ObjectKey;

/// Dotted path of the pod spec in a kind that has one: the built-in ones, and the Rollouts of Argo.
pub(in crate::sync) fn pod_spec_path(key: &ObjectKey) -> Option<&'static str> {
    match (key.group(), key.kind()) {
        ("", "Pod") => Some("spec"),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("", "ReplicationController")
        | ("batch", "Job")
        | ("argoproj.io", "Rollout") => Some("spec.template.spec"),
        ("batch", "CronJob") => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

/// The pod spec of an object.
pub(in crate::sync) fn pod_spec<'a>(object: &'a Value, key: &ObjectKey) -> Option<&'a Value> {
    object.pointer(&pointer(pod_spec_path(key)?))
}

/// The pod spec of an object with its dotted path, to change it.
pub(in crate::sync) fn pod_spec_mut<'a>(
    object: &'a mut Value,
    key: &ObjectKey,
) -> Option<(&'static str, &'a mut Value)> {
    let path = pod_spec_path(key)?;
    object.pointer_mut(&pointer(path)).map(|spec| (path, spec))
}

/// Containers and init containers of a pod spec.
pub(in crate::sync) fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["initContainers", "containers"]
        .into_iter()
        .filter_map(|list| spec.get(list).and_then(Value::as_array))
        .flatten()
}

/// Containers and init containers of a pod spec at `path`, each with its own path, to change them.
pub(in crate::sync) fn containers_mut<'a>(
    spec: &'a mut Value,
    path: &str,
) -> Vec<(String, &'a mut Value)> {
    let mut found = Vec::new();
    let Some(spec) = spec.as_object_mut() else {
        return found;
    };
    for (field, list) in spec
        .iter_mut()
        .filter(|(field, _)| is_container_list(field))
    {
        for (index, container) in list.as_array_mut().into_iter().flatten().enumerate() {
            let name = container.get("name").and_then(Value::as_str);
            let name = name.map_or_else(|| index.to_string(), str::to_owned);
            found.push((format!("{path}.{field}[{name}]"), container));
        }
    }
    found
}

fn is_container_list(field: &str) -> bool {
    matches!(field, "initContainers" | "containers")
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}
