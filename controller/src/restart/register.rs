//! The register of workloads that ask to be started anew. Whoever watches workloads keeps it current: this room, but for the kinds
//! that `sync/` watches anyway, so that the API server tells of each change once.
//! It asks the cluster nothing, and drops at once what asks for nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::runtime::watcher::Event;
use tokio::sync::{Notify, watch};

use super::watch::kinds;
use super::workloads::{Scope, Sight, Workloads};
use crate::settings::Namespaces;
use crate::sync::key::{GroupKind, ObjectKey};

/// Workloads that ask to be started anew, as those tell who watch them.
#[derive(Debug)]
pub struct Register {
    /// Where SealedSecrets are opened.
    namespaces: Namespaces,
    workloads: Mutex<Workloads>,
    news: Notify,
    covered: watch::Sender<BTreeSet<GroupKind>>,
}

impl Register {
    pub(crate) fn new(namespaces: Namespaces) -> Self {
        Self {
            namespaces,
            workloads: Mutex::default(),
            news: Notify::new(),
            covered: watch::Sender::default(),
        }
    }

    /// What a watch of the scope says.
    pub(super) fn hear<K: Resource>(&self, scope: &Scope, event: &Event<K>) {
        match event {
            Event::Init => self.workloads().begin(scope),
            Event::InitApply(object) | Event::Apply(object) => self.see(&scope.kind, object.meta()),
            Event::Delete(object) => self.workloads().forget(&key(&scope.kind, object.meta())),
            Event::InitDone => self.workloads().listed(scope),
        }
    }

    fn see(&self, kind: &GroupKind, metadata: &ObjectMeta) {
        if !self.concerns(metadata) {
            return;
        }
        let key = key(kind, metadata);
        match Sight::of(&key, metadata) {
            Some(sight) => {
                self.workloads().see(key, sight);
                self.news.notify_one();
            }
            None => self.workloads().forget(&key),
        }
    }

    /// For somebody who watches a kind in the whole cluster: what it hears of is told through this. `None` for a kind without Pods.
    pub(crate) fn teller(self: &Arc<Self>, kind: &GroupKind) -> Option<Teller> {
        let has_pods = kinds()
            .iter()
            .any(|resource| kind.is(&resource.group, &resource.kind));
        has_pods.then(|| Teller {
            register: Arc::clone(self),
            scope: Scope {
                kind: kind.clone(),
                namespace: None,
            },
        })
    }

    /// The kinds that somebody else tells of.
    pub(super) fn covered(&self) -> watch::Receiver<BTreeSet<GroupKind>> {
        self.covered.subscribe()
    }

    /// Returns once a look may be due that was not.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    pub(super) fn workloads(&self) -> MutexGuard<'_, Workloads> {
        self.workloads
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn concerns(&self, metadata: &ObjectMeta) -> bool {
        let namespace = metadata.namespace.as_ref();
        match &self.namespaces {
            Namespaces::All => true,
            Namespaces::These(these) => namespace.is_some_and(|name| these.contains(name)),
        }
    }
}

/// Tells of every workload of a kind. Once a list is whole this room watches the kind no longer, until the teller is dropped.
#[derive(Debug)]
pub(crate) struct Teller {
    register: Arc<Register>,
    scope: Scope,
}

impl Teller {
    /// What the watch says.
    pub(crate) fn hear<K: Resource>(&self, event: &Event<K>) {
        self.register.hear(&self.scope, event);
        if matches!(event, Event::InitDone) {
            let kind = self.scope.kind.clone();
            self.register
                .covered
                .send_if_modified(|all| all.insert(kind));
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        let kind = &self.scope.kind;
        self.register
            .covered
            .send_if_modified(|all| all.remove(kind));
    }
}

fn key(kind: &GroupKind, metadata: &ObjectMeta) -> ObjectKey {
    let name = metadata.name.as_deref().unwrap_or_default();
    ObjectKey::new(kind, metadata.namespace.as_deref(), name)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    use super::*;
    use crate::dialect::RESTART;

    fn register(namespaces: Namespaces) -> Arc<Register> {
        Arc::new(Register::new(namespaces))
    }

    fn kind() -> GroupKind {
        GroupKind::new("apps", "Deployment")
    }

    fn scope() -> Scope {
        Scope {
            kind: kind(),
            namespace: None,
        }
    }

    fn workload(namespace: &str, asks: &str) -> Deployment {
        let annotations = json!({ RESTART: asks });
        let metadata = json!({ "namespace": namespace, "name": "web", "annotations": annotations });
        Deployment {
            metadata: serde_json::from_value(metadata).unwrap(),
            ..Deployment::default()
        }
    }

    fn see(register: &Register, namespace: &str, asks: &str) {
        register.hear(&scope(), &Event::Apply(workload(namespace, asks)));
    }

    fn due(register: &Register) -> Option<ObjectKey> {
        register.workloads().next().map(|(_, key)| key)
    }

    #[test]
    fn what_asks_no_longer_or_has_gone_is_dropped() {
        let register = register(Namespaces::All);
        for end in [
            Event::Apply(workload("demo", "false")),
            Event::Delete(workload("demo", "true")),
        ] {
            see(&register, "demo", "true");
            assert!(due(&register).is_some());
            register.hear(&scope(), &end);
            assert_eq!(due(&register), None);
        }
    }

    #[test]
    fn where_no_sealed_secret_is_opened_nothing_is_started_anew() {
        let register = register(Namespaces::These(vec!["demo".to_owned()]));
        see(&register, "other", "true");
        assert_eq!(due(&register), None);
        see(&register, "demo", "true");
        assert!(due(&register).is_some());
    }

    #[test]
    fn a_kind_is_covered_from_the_first_whole_list_until_nobody_tells_of_it() {
        let register = register(Namespaces::All);
        let covered = || register.covered().borrow().contains(&kind());
        assert!(register.teller(&GroupKind::new("", "Secret")).is_none());
        let teller = register.teller(&kind()).unwrap();
        teller.hear(&Event::<Deployment>::Init);
        teller.hear(&Event::InitApply(workload("demo", "true")));
        assert!(!covered());
        teller.hear(&Event::<Deployment>::InitDone);
        assert!(covered());
        assert!(due(&register).is_some());
        drop(teller);
        assert!(!covered());
    }
}
