//! The kinds that the clusters of the folders serve.

use std::collections::BTreeSet;

use controller::sync::key::{GroupKind, group_version};
use controller::sync::kinds::{Kinds, Known};
use serde_json::Value;

/// What every cluster serves: API version, kind, namespaced.
const KINDS: [(&str, &str, bool); 19] = [
    ("v1", "Namespace", false),
    ("v1", "ConfigMap", true),
    ("v1", "Secret", true),
    ("v1", "Service", true),
    ("v1", "ServiceAccount", true),
    ("v1", "PersistentVolumeClaim", true),
    ("v1", "Pod", true),
    ("apps/v1", "Deployment", true),
    ("apps/v1", "StatefulSet", true),
    ("batch/v1", "Job", true),
    ("batch/v1", "CronJob", true),
    ("networking.k8s.io/v1", "Ingress", true),
    ("autoscaling/v2", "HorizontalPodAutoscaler", true),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", false),
    ("rbac.authorization.k8s.io/v1", "Role", true),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", false),
    ("argoproj.io/v1alpha1", "Application", true),
    ("argoproj.io/v1alpha1", "Rollout", true),
    ("bitnami.com/v1alpha1", "SealedSecret", true),
];

/// Kinds that every cluster of these tests serves.
pub(crate) fn built_in() -> Kinds {
    served(&Value::Null)
}

/// Those that the cluster of a folder serves, by what its settings say.
pub(crate) fn served(settings: &Value) -> Kinds {
    let mut kinds = Kinds::default();
    let without: BTreeSet<&str> = settings["withoutKinds"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (api_version, kind, namespaced) in KINDS
        .into_iter()
        .filter(|(_, kind, _)| !without.contains(kind))
    {
        let (group, version) = group_version(api_version);
        let plural = format!("{}s", kind.to_lowercase());
        kinds.insert(
            GroupKind::new(group, kind),
            version,
            Known { plural, namespaced },
        );
    }
    for kind in named(&settings["kinds"]) {
        let plural = format!("{}s", kind.kind.to_lowercase());
        kinds.insert(
            kind,
            "v1",
            Known {
                plural,
                namespaced: true,
            },
        );
    }
    for group in settings["unavailable"].as_array().into_iter().flatten() {
        kinds.insert_unavailable(group.as_str().unwrap());
    }
    kinds
}

/// `group/Kind` texts.
pub(crate) fn named(list: &Value) -> BTreeSet<GroupKind> {
    let kind = |text: &str| match text.split_once('/') {
        Some((group, kind)) => GroupKind::new(group, kind),
        None => GroupKind::new("", text),
    };
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(kind)
        .collect()
}
