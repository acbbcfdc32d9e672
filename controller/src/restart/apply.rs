//! Writes to a workload what was decided: one server-side apply of annotations, on condition that the workload is still as it was read.
//! It decides nothing, and changes nothing else of the workload.

use crds::names::RESTART_FIELD_MANAGER;
use kube::api::{ApiResource, DynamicObject, ObjectMeta, Patch, PatchParams};
use kube::{Api, Client};
use serde_json::json;

use super::observe::Workload;
use super::plan::StartedWith;
use crate::dialect::{SECRETS, STARTED_WITH};
use crate::sync::key::ObjectKey;

/// Writes both notes. What stands in the template has to be repeated, since what is left out of an apply is taken away.
pub(super) async fn note(
    client: &Client,
    key: &ObjectKey,
    resource: &ApiResource,
    workload: &Workload,
    started_with: &StartedWith,
    template: Option<&str>,
) -> kube::Result<ObjectMeta> {
    let metadata = &workload.object.metadata;
    let mut body = json!({
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {
            "name": key.name(),
            "namespace": key.namespace(),
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
            "annotations": { STARTED_WITH: json!(started_with).to_string() },
        },
    });
    if let Some(digest) = template {
        body["spec"]["template"]["metadata"]["annotations"][SECRETS] = digest.into();
    }
    let namespace = key.namespace_or_empty();
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, resource);
    let params = PatchParams::apply(RESTART_FIELD_MANAGER).force();
    let body = Patch::Apply(&body);
    let written = api.patch_metadata(key.name(), &params, &body).await?;
    Ok(written.metadata)
}
