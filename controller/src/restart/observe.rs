//! Reads a workload whole, and what is noted on the Secrets that it uses.
//! It decides nothing, and keeps of the workload what a decision needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Secret;
use kube::api::{ApiResource, DynamicObject};
use kube::{Api, Client, ResourceExt};

use super::plan::World;
use crate::dialect::{SECRETS, STARTED_WITH};
use crate::sync::desired::restarts::secret_items;
use crate::sync::key::ObjectKey;
use crate::unseal::changed_items;

/// A workload as it was read.
pub(super) struct Workload {
    pub(super) object: DynamicObject,
    pub(super) world: World,
    /// The digest in the template of its Pods.
    pub(super) template: Option<String>,
}

/// Looks at a workload; `None` where there is none.
pub(super) async fn observe(
    client: &Client,
    key: &ObjectKey,
    resource: &ApiResource,
) -> kube::Result<Option<Workload>> {
    let namespace = key.namespace_or_empty();
    let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, resource);
    let Some(object) = api.get_opt(key.name()).await? else {
        return Ok(None);
    };
    let uses = secret_items(&object.data, key);
    let mut changed = BTreeMap::new();
    let secrets = Api::<Secret>::namespaced(client.clone(), namespace);
    for name in uses.keys() {
        if let Some(secret) = secrets.get_metadata_opt(name).await? {
            let items = changed_items(&secret.metadata);
            changed.insert(name.clone(), Arc::new(items));
        }
    }
    let started_with = object.annotations().get(STARTED_WITH);
    let world = World::new(uses, changed, started_with.map(String::as_str));
    let template = object.data.pointer("/spec/template/metadata/annotations");
    let template = template.and_then(|all| all.get(SECRETS)?.as_str());
    Ok(Some(Workload {
        template: template.map(str::to_owned),
        world,
        object,
    }))
}
