//! HorizontalPodAutoscalers: which workload one scales, and which workloads one has taken over.
//! It must not know what Git says of the workloads.

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::memory::Render;
use crate::sync::{
    engine::Engine,
    key::{GroupKind, ObjectKey, group_version},
    observe::applications::AppId,
};

const GROUP: &str = "autoscaling";
const KIND: &str = "HorizontalPodAutoscaler";

/// Programs that the controller of HorizontalPodAutoscalers is a part of: Kubernetes' own, k3s, and that of MicroK8s.
const CONTROLLERS: [&str; 3] = ["kube-controller-manager", "k3s", "kubelite"];

/// Who has taken over the replicas of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scaler {
    /// A HorizontalPodAutoscaler, which may be gone: what it wrote outlives it.
    Horizontal,
    /// A program of which nobody knows what it goes by, so it counts as long as its number stands.
    Other,
}

/// Who has taken over the replicas of an object. Autoscalers scale through the subresource; so does a person with kubectl, whose
/// number is drift.
pub(crate) fn scaler(metadata: &ObjectMeta) -> Option<Scaler> {
    let mut entries = metadata.managed_fields.iter().flatten();
    let entry = entries.find(|entry| is_autoscaler(entry))?;
    let horizontal = CONTROLLERS.contains(&manager(entry));
    Some(if horizontal {
        Scaler::Horizontal
    } else {
        Scaler::Other
    })
}

fn is_autoscaler(entry: &ManagedFieldsEntry) -> bool {
    let replicas = || entry.fields_v1.as_ref()?.0.get("f:spec")?.get("f:replicas");
    entry.subresource.as_deref() == Some("scale")
        && !manager(entry).starts_with("kubectl")
        && replicas().is_some()
}

fn manager(entry: &ManagedFieldsEntry) -> &str {
    entry.manager.as_deref().unwrap_or_default()
}

/// The kind, as it is asked for.
pub(super) fn resource() -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk(GROUP, "v2", KIND))
}

/// The kind.
pub(super) fn kind() -> GroupKind {
    GroupKind::new(GROUP, KIND)
}

/// The kind of an object is HorizontalPodAutoscaler.
fn is_horizontal(object: &Value) -> bool {
    let text = |field: &str| object[field].as_str().unwrap_or_default();
    let (group, _) = group_version(text("apiVersion"));
    kind().is(group, text("kind"))
}

/// The workload that a HorizontalPodAutoscaler in a namespace scales.
pub(super) fn target(autoscaler: &Value, namespace: &str) -> Option<ObjectKey> {
    let target = autoscaler.pointer("/spec/scaleTargetRef")?;
    let text = |field: &str| target[field].as_str();
    let (group, _) = group_version(text("apiVersion").unwrap_or_default());
    Some(ObjectKey::of(
        group,
        text("kind")?,
        namespace,
        text("name")?,
    ))
}

/// What the autoscalers of a render scale. One that is missing for a while is about to be made.
pub(super) fn targets(render: &Render, namespace: &str) -> BTreeSet<ObjectKey> {
    let objects = render.manifests().map(|manifest| &manifest.object);
    let targets = objects
        .filter(|object| is_horizontal(object))
        .filter_map(|object| {
            let written = object
                .pointer("/metadata/namespace")
                .and_then(Value::as_str);
            target(object, written.unwrap_or(namespace))
        });
    targets.collect()
}

impl Engine {
    /// Of what an Application wants or remembers, the workloads whose replicas an autoscaler sets. Where nobody can list the
    /// autoscalers, each workload that one has scaled counts.
    pub(super) async fn scaled(
        &self,
        app: &AppId,
        wanted: &BTreeSet<ObjectKey>,
    ) -> BTreeSet<ObjectKey> {
        let mut scaled = self.live.index().scaled_of(app);
        if scaled.values().all(|scaler| *scaler == Scaler::Other) {
            return scaled.into_keys().collect();
        }
        let is_listed = self.live.watch(vec![resource()]).await.is_empty();
        let index = self.live.index();
        scaled.retain(|key, scaler| {
            *scaler == Scaler::Other
                || !is_listed
                || wanted.contains(key)
                || index.has_autoscaler(key)
        });
        scaled.into_keys().collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scaled_by(manager: &str) -> Option<Scaler> {
        let metadata = json!({"managedFields": [{
            "manager": manager, "operation": "Update", "subresource": "scale",
            "fieldsV1": {"f:spec": {"f:replicas": {}}},
        }]});
        scaler(&serde_json::from_value(metadata).unwrap())
    }

    #[test]
    fn the_number_of_a_person_is_nobodys_and_that_of_an_unknown_program_its_own() {
        assert_eq!(
            scaled_by("kube-controller-manager"),
            Some(Scaler::Horizontal)
        );
        assert_eq!(scaled_by("keda"), Some(Scaler::Other));
        assert_eq!(scaled_by("kubectl"), None);
    }

    #[test]
    fn an_autoscaler_names_a_workload_of_its_namespace() {
        let autoscaler = json!({
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
        });
        assert_eq!(
            target(&autoscaler, "demo"),
            Some(ObjectKey::of("apps", "Deployment", "demo", "web"))
        );
    }
}
