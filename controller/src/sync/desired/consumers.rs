//! Which Secrets an object uses, by the references that Kubernetes' own kinds have.
//! It knows names only: whether such a Secret exists, and what is in it, is not asked here.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::sync::desired::pods::{containers, pod_spec};
use crate::sync::key::ObjectKey;

/// Where a volume names a Secret.
pub(super) const VOLUME_SECRETS: [&str; 9] = [
    "/secret/secretName",
    "/azureFile/secretName",
    "/csi/nodePublishSecretRef/name",
    "/cephfs/secretRef/name",
    "/flexVolume/secretRef/name",
    "/iscsi/secretRef/name",
    "/rbd/secretRef/name",
    "/scaleIO/secretRef/name",
    "/storageos/secretRef/name",
];

/// Names of the Secrets, in the object's own namespace, that `object` uses.
pub(in crate::sync) fn secrets_used<'a>(object: &'a Value, key: &ObjectKey) -> BTreeSet<&'a str> {
    let mut used = BTreeSet::new();
    match (key.group(), key.kind()) {
        ("networking.k8s.io" | "extensions", "Ingress") => {
            used.extend(names(object, "/spec/tls", "/secretName"))
        }
        ("", "ServiceAccount") => {
            used.extend(names(object, "/secrets", "/name"));
            used.extend(names(object, "/imagePullSecrets", "/name"));
        }
        _ => {}
    }
    if let Some(spec) = pod_spec(object, key) {
        used.extend(of_pod_spec(spec));
    }
    used.remove("");
    used
}

fn of_pod_spec(spec: &Value) -> BTreeSet<&str> {
    let mut used: BTreeSet<&str> = names(spec, "/imagePullSecrets", "/name").collect();
    for container in containers(spec) {
        used.extend(names(container, "/env", "/valueFrom/secretKeyRef/name"));
        used.extend(names(container, "/envFrom", "/secretRef/name"));
    }
    for volume in list(spec, "/volumes") {
        used.extend(
            VOLUME_SECRETS
                .iter()
                .filter_map(|pointer| volume.pointer(pointer)?.as_str()),
        );
        used.extend(names(volume, "/projected/sources", "/secret/name"));
    }
    used
}

pub(super) fn list<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object
        .pointer(pointer)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn names<'a>(
    object: &'a Value,
    entries: &str,
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    list(object, entries).filter_map(move |entry| entry.pointer(name)?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::key::GroupKind;

    fn used(group: &str, kind: &str, object: &Value) -> Vec<String> {
        let key = ObjectKey::new(&GroupKind::new(group, kind), Some("demo"), "x");
        secrets_used(object, &key)
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn every_way_of_a_pod_to_name_a_secret_is_seen() {
        let spec = json!({
            "imagePullSecrets": [{"name": "pull"}],
            "initContainers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "init", "key": "k"}}}]}],
            "containers": [{"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "no"}}}, {"name": "B"}],
                "envFrom": [{"secretRef": {"name": "whole"}}, {"configMapRef": {"name": "no"}}]}],
            "volumes": [{"secret": {"secretName": "files"}}, {"projected": {"sources": [{"secret": {"name": "part"}}]}},
                {"csi": {"nodePublishSecretRef": {"name": "csi"}}}, {"emptyDir": {}}],
        });
        let expected = ["csi", "files", "init", "part", "pull", "whole"];
        let template = json!({"template": {"spec": spec}});
        assert_eq!(used("", "Pod", &json!({"spec": spec})), expected);
        assert_eq!(
            used("apps", "Deployment", &json!({"spec": template})),
            expected
        );
        assert_eq!(
            used(
                "batch",
                "CronJob",
                &json!({"spec": {"jobTemplate": {"spec": template}}})
            ),
            expected
        );
    }

    #[test]
    fn ingresses_and_service_accounts_use_secrets_too() {
        let ingress = json!({"spec": {"tls": [{"secretName": "cert"}, {"hosts": []}]}});
        assert_eq!(used("networking.k8s.io", "Ingress", &ingress), ["cert"]);
        let account =
            json!({"secrets": [{"name": "token"}], "imagePullSecrets": [{"name": "pull"}]});
        assert_eq!(used("", "ServiceAccount", &account), ["pull", "token"]);
    }
}
