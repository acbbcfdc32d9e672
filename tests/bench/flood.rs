//! The floor of rows in which the control plane has to work long: the same objects, applied by a client that thinks of nothing.

use std::time::Instant;

use futures::{StreamExt as _, stream};
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};

use super::cluster::Cluster;
use super::kubectl;

/// Requests in flight; more don't make it faster.
const REQUESTS: usize = 16;

/// Seconds until all objects of these files are applied, and all Deployments among them available. What was made is deleted again.
pub(crate) fn apply(
    cluster: &Cluster,
    prefix: &str,
    files: impl FnOnce(&str) -> Vec<(String, String)>,
) -> f64 {
    let namespace = &cluster.testbed.namespace(prefix);
    let objects: Vec<DynamicObject> = files(namespace)
        .iter()
        .flat_map(|(_, text)| serde_saphyr::from_multiple(text).unwrap())
        .collect();
    let start = Instant::now();
    let all = stream::iter(&objects).for_each_concurrent(REQUESTS, |object| async move {
        let types = object.types.as_ref().unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::try_from(types).unwrap());
        let api: Api<DynamicObject> =
            Api::namespaced_with(cluster.client.clone(), namespace, &resource);
        let (name, params) = (object.metadata.name.as_deref(), PatchParams::apply("flood"));
        let body = Patch::Apply(object);
        api.patch(name.unwrap(), &params, &body).await.unwrap();
    });
    cluster.runtime.block_on(all);
    kubectl::await_deployments(cluster, namespace);
    let wall = start.elapsed().as_secs_f64();
    kubectl::delete_namespace(cluster, namespace);
    wall
}
