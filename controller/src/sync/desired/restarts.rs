//! Which items of Secrets the Pods of a workload use, so that they are started anew when one of those changes.
//! It knows names and never a value. What the kubelet looks up by itself, such as `imagePullSecrets`, is not among them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::sync::desired::consumers::{VOLUME_SECRETS, list};
use crate::sync::desired::pods::{containers, pod_spec};
use crate::sync::key::ObjectKey;

/// The Secrets, in the workload's own namespace, that its Pods use, each with the items in question.
pub type SecretItems = BTreeMap<String, Items>;

/// What of a Secret is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Items {
    /// Each of its items.
    All,
    /// These.
    Some(BTreeSet<String>),
}

impl Items {
    /// True for an item that is used.
    pub fn contains(&self, item: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(items) => items.contains(item),
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some(mut items), Self::Some(others)) => {
                items.extend(others);
                Self::Some(items)
            }
            _ => Self::All,
        }
    }
}

/// True for a kind whose Pods are replaced when its template changes.
fn is_restarted(key: &ObjectKey) -> bool {
    matches!(
        (key.group(), key.kind()),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet") | ("argoproj.io", "Rollout")
    )
}

/// What the Pods of a workload are started with; nothing for a kind that is not restarted.
pub fn secret_items(object: &Value, key: &ObjectKey) -> SecretItems {
    let mut used = SecretItems::new();
    let Some(spec) = pod_spec(object, key).filter(|_| is_restarted(key)) else {
        return used;
    };
    let mut add = |secret: Option<&Value>, items: Items| {
        if let Some(secret) = secret.and_then(Value::as_str) {
            let known = used.remove(secret);
            let all = known.map_or(items.clone(), |known| known.and(items));
            used.insert(secret.to_owned(), all);
        }
    };
    for container in containers(spec) {
        for variable in list(container, "/env") {
            let Some(reference) = variable.pointer("/valueFrom/secretKeyRef") else {
                continue;
            };
            let item = reference.get("key").and_then(Value::as_str);
            let items = item.map(str::to_owned).into_iter().collect();
            add(reference.get("name"), Items::Some(items));
        }
        for source in list(container, "/envFrom") {
            add(source.pointer("/secretRef/name"), Items::All);
        }
    }
    for volume in list(spec, "/volumes") {
        for pointer in VOLUME_SECRETS {
            let items = match pointer {
                "/secret/secretName" => files(&volume["secret"]),
                _ => Items::All,
            };
            add(volume.pointer(pointer), items);
        }
        for source in list(volume, "/projected/sources") {
            add(source.pointer("/secret/name"), files(&source["secret"]));
        }
    }
    used
}

/// The items that a volume makes files of.
fn files(secret: &Value) -> Items {
    let items: BTreeSet<String> = list(secret, "/items")
        .filter_map(|item| item.get("key")?.as_str())
        .map(str::to_owned)
        .collect();
    match items.is_empty() {
        true => Items::All,
        false => Items::Some(items),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn used(kind: &str, spec: &Value) -> SecretItems {
        let key = ObjectKey::new(&GroupKind::new("apps", kind), Some("demo"), "web");
        secret_items(&json!({ "spec": { "template": { "spec": spec } } }), &key)
    }

    fn some(items: &[&str]) -> Items {
        Items::Some(items.iter().map(|item| (*item).to_owned()).collect())
    }

    #[test]
    fn every_way_of_a_pod_to_use_a_secret_counts_but_pulling_images() {
        let variable = |secret: &str, item: &str| json!({ "name": "A", "valueFrom": { "secretKeyRef": { "name": secret, "key": item } } });
        let spec = json!({
            "imagePullSecrets": [{ "name": "pull" }],
            "initContainers": [{ "env": [variable("init", "a")] }],
            "containers": [
                { "env": [variable("one", "a"), variable("one", "b"), variable("both", "a")] },
                { "envFrom": [{ "secretRef": { "name": "both" } }, { "configMapRef": { "name": "no" } }] },
            ],
            "volumes": [
                { "secret": { "secretName": "files" } },
                { "secret": { "secretName": "file", "items": [{ "key": "a", "path": "x" }] } },
                { "projected": { "sources": [{ "secret": { "name": "part", "items": [{ "key": "b", "path": "y" }] } }] } },
                { "csi": { "nodePublishSecretRef": { "name": "csi" } } },
            ],
        });
        let expected = [
            ("init", some(&["a"])),
            ("one", some(&["a", "b"])),
            ("both", Items::All),
            ("files", Items::All),
            ("file", some(&["a"])),
            ("part", some(&["b"])),
            ("csi", Items::All),
        ];
        let expected = expected.map(|(secret, items)| (secret.to_owned(), items));
        for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
            assert_eq!(used(kind, &spec), expected.clone().into());
        }
        assert_eq!(used("ReplicaSet", &spec), SecretItems::new());
    }
}
