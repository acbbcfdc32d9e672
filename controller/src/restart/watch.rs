//! The watches of workloads, by their metadata alone, of kinds that nobody else watches.
//! It keeps nothing: what asks for nothing is dropped as it streams by.

use std::sync::Arc;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use kube::Api;
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event, watcher};
use tokio::task::JoinSet;

use super::register::Register;
use super::workloads::Scope;
use crate::context::Context;
use crate::run;
use crate::settings::Namespaces;
use crate::sync::key::GroupKind;
use crate::watch_backoff::WatchBackoff;
use crate::watch_rest::Rested;

/// Objects per page of a first list, of which hardly any is kept.
const PAGE: u32 = 100;

/// Kinds whose Pods are replaced when their template changes.
pub(super) fn kinds() -> [ApiResource; 3] {
    [
        ApiResource::erase::<Deployment>(&()),
        ApiResource::erase::<StatefulSet>(&()),
        ApiResource::erase::<DaemonSet>(&()),
    ]
}

/// Starts a watch for each kind, in the cluster or in each namespace where SealedSecrets are opened.
pub(super) fn start(context: &Context, register: &Arc<Register>) -> JoinSet<()> {
    let mut watches = JoinSet::new();
    for resource in kinds() {
        let namespaces = match context.settings.unseal.namespaces(&context.namespace) {
            Namespaces::All => vec![None],
            Namespaces::These(these) => these.into_iter().map(Some).collect(),
        };
        for namespace in namespaces {
            let client = context.client.clone();
            let api = match &namespace {
                None => Api::all_with(client, &resource),
                Some(namespace) => Api::namespaced_with(client, namespace, &resource),
            };
            let kind = GroupKind::new(&*resource.group, &*resource.kind);
            let scope = Scope { kind, namespace };
            watches.spawn(follow(register.clone(), api, scope));
        }
    }
    watches
}

/// Watches for ever, but while somebody else does.
async fn follow(register: Arc<Register>, api: Api<PartialObjectMeta<DynamicObject>>, scope: Scope) {
    let mut covered = register.covered();
    loop {
        if covered
            .wait_for(|all| !all.contains(&scope.kind))
            .await
            .is_err()
        {
            return;
        }
        tokio::select! {
            _ = covered.wait_for(|all| all.contains(&scope.kind)) => {}
            () = read(&register, api.clone(), &scope) => {}
        }
    }
}

async fn read(register: &Register, api: Api<PartialObjectMeta<DynamicObject>>, scope: &Scope) {
    let config = watcher::Config::default().page_size(PAGE);
    let events = watcher(api, config).backoff(WatchBackoff::new());
    let mut events = Rested::new(events.boxed());
    let (kind, mut told) = (&scope.kind, false);
    while let Some(event) = events.next().await {
        match event {
            Ok(event) => {
                told &= !matches!(event, Event::InitDone);
                register.hear(scope, &event);
            }
            Err(error) if is_refused(&error) && !told => {
                told = true;
                let error = run::chain(&error);
                tracing::warn!(%kind, error, "can't be watched, so none outside Applications is restarted when a Secret changes");
            }
            Err(error) => tracing::debug!(%kind, %error, "a watch is interrupted"),
        }
    }
}

/// The API server does not let us watch.
fn is_refused(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    matches!(error, InitialListFailed(kube::Error::Api(status)) | WatchStartFailed(kube::Error::Api(status)) if status.code == 403)
}
