//! The watches of workloads, by their metadata alone.
//! It keeps nothing: what asks for nothing is dropped as it streams by.

use std::collections::BTreeSet;

use futures::stream::{BoxStream, SelectAll, StreamExt};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use kube::api::{DynamicObject, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::watcher::{self, Event};
use kube::runtime::{WatchStreamExt, watcher as watch};
use kube::{Api, Resource};

use super::workloads::{Scope, Workloads};
use crate::context::Context;
use crate::run;
use crate::settings::Namespaces;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::watch_backoff::WatchBackoff;

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

type Watched = (
    Scope,
    watcher::Result<Event<PartialObjectMeta<DynamicObject>>>,
);

/// One watch for each kind, in the cluster or in each namespace where SealedSecrets are opened.
pub(super) struct Watches {
    events: SelectAll<BoxStream<'static, Watched>>,
    /// The kind of each scope.
    kinds: Vec<GroupKind>,
    /// Scopes of which it was told that we may not watch them.
    told: BTreeSet<Scope>,
}

impl Watches {
    pub(super) fn start(context: &Context) -> Self {
        let client = &context.client;
        let mut watches = Self {
            events: SelectAll::new(),
            kinds: Vec::new(),
            told: BTreeSet::new(),
        };
        for resource in kinds() {
            match context.settings.unseal.namespaces(&context.namespace) {
                Namespaces::All => watches.add(Api::all_with(client.clone(), &resource), &resource),
                Namespaces::These(these) => {
                    for namespace in these {
                        let api = Api::namespaced_with(client.clone(), &namespace, &resource);
                        watches.add(api, &resource);
                    }
                }
            }
        }
        watches
    }

    fn add(&mut self, api: Api<PartialObjectMeta<DynamicObject>>, resource: &ApiResource) {
        let scope = self.kinds.len();
        self.kinds
            .push(GroupKind::new(&*resource.group, &*resource.kind));
        let config = watch::Config::default().page_size(PAGE);
        let events = watch::watcher(api, config).backoff(WatchBackoff::new());
        self.events
            .push(events.map(move |event| (scope, event)).boxed());
    }

    /// The next thing that happens; never ends.
    pub(super) async fn next(&mut self) -> Option<Watched> {
        self.events.next().await
    }

    /// Takes in what has happened.
    pub(super) fn take_in(&mut self, (scope, event): Watched, workloads: &mut Workloads) {
        let kind = &self.kinds[scope];
        let key = |object: &PartialObjectMeta<DynamicObject>| {
            let metadata = object.meta();
            let name = metadata.name.as_deref().unwrap_or_default();
            ObjectKey::new(kind, metadata.namespace.as_deref(), name)
        };
        match event {
            Ok(Event::Init) => workloads.begin(scope),
            Ok(Event::InitApply(object) | Event::Apply(object)) => {
                workloads.see(scope, key(&object), object.meta());
            }
            Ok(Event::InitDone) => {
                self.told.remove(&scope);
                workloads.listed(scope);
            }
            Ok(Event::Delete(object)) => workloads.forget(&key(&object)),
            Err(error) if is_refused(&error) && self.told.insert(scope) => {
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
