//! Argo CD beside us: is its application controller at work in a namespace whose Applications we would sync?
//! It only looks; who is in the way of whom is said by the plan.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use futures::future::join;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use kube::{Api, Client, ResourceExt, runtime::watcher};

use crate::dialect::argocd::APPLICATION_CONTROLLER_SELECTOR;
use crate::sync::observe::follow::{Change, follow};

/// Application controllers at work, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Neighbours {
    working: Mutex<HashMap<String, BTreeSet<(&'static str, String)>>>,
}

impl Neighbours {
    /// Follows one namespace for ever, and tells what changed; each of its two listings is told when it is whole.
    pub(crate) async fn follow(&self, client: Client, namespace: &str, tell: impl Fn(News)) {
        let config = watcher::Config::default().labels(APPLICATION_CONTROLLER_SELECTOR);
        let stateful = follow(
            Api::<StatefulSet>::namespaced(client.clone(), namespace),
            config.clone(),
            |change| {
                let replicas = |set: &StatefulSet| set.spec.replicas;
                tell(self.take_in(namespace, "StatefulSet", change, replicas));
            },
        );
        let deployed = follow(
            Api::<Deployment>::namespaced(client, namespace),
            config,
            |change| {
                let replicas = |deployment: &Deployment| deployment.spec.replicas;
                tell(self.take_in(namespace, "Deployment", change, replicas));
            },
        );
        join(stateful, deployed).await;
    }

    /// An Argo CD application controller with replicas lives there.
    pub(crate) fn at_work(&self, namespace: &str) -> bool {
        let working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        working
            .get(namespace)
            .is_some_and(|found| !found.is_empty())
    }

    fn take_in<K: ResourceExt>(
        &self,
        namespace: &str,
        kind: &'static str,
        change: Change<K>,
        replicas: impl Fn(&K) -> Option<i32>,
    ) -> News {
        let (name, works) = match change {
            Change::Listed(object) | Change::Changed(object) => {
                (object.name_any(), replicas(&object) != Some(0))
            }
            Change::Gone { name, .. } => (name, false),
            Change::Whole => return News::Whole,
        };
        let mut working = self.working.lock().unwrap_or_else(PoisonError::into_inner);
        let found = working.entry(namespace.to_owned()).or_default();
        let before = !found.is_empty();
        if works {
            found.insert((kind, name));
        } else {
            found.remove(&(kind, name));
        }
        if before == found.is_empty() {
            News::Changed
        } else {
            News::Nothing
        }
    }
}

/// What a change means for the Applications of the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Nothing,
    Changed,
    Whole,
}
