//! The register of workloads that ask to be started anew. Whoever watches workloads keeps it current: this room, but for the kinds
//! that `sync/` watches anyway, so that the API server tells of each change once.
//! It asks the cluster nothing, and drops at once what asks for nothing.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
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

    /// A list of what is in the scope begins.
    pub(super) fn begin(&self, scope: &Scope) {
        self.workloads().begin(scope);
    }

    /// The list is whole: what was not in it has gone.
    pub(super) fn listed(&self, scope: &Scope) {
        self.workloads().listed(scope);
    }

    /// An object as a watch shows it.
    pub(super) fn see(&self, kind: &GroupKind, metadata: &ObjectMeta) {
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

    /// An object is gone, as a watch says.
    pub(super) fn lose(&self, kind: &GroupKind, metadata: &ObjectMeta) {
        self.workloads().forget(&key(kind, metadata));
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
    /// A list begins.
    pub(crate) fn begin(&self) {
        self.register.begin(&self.scope);
    }

    /// The list is whole.
    pub(crate) fn listed(&self) {
        self.register.listed(&self.scope);
        let kind = self.scope.kind.clone();
        self.register
            .covered
            .send_if_modified(|all| all.insert(kind));
    }

    /// A workload as a watch shows it.
    pub(crate) fn see(&self, metadata: &ObjectMeta) {
        self.register.see(&self.scope.kind, metadata);
    }

    /// A workload is gone.
    pub(crate) fn lose(&self, metadata: &ObjectMeta) {
        self.register.lose(&self.scope.kind, metadata);
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
    use serde_json::json;

    use super::*;
    use crate::dialect::RESTART;

    fn register(namespaces: Namespaces) -> Arc<Register> {
        Arc::new(Register::new(namespaces))
    }

    fn kind() -> GroupKind {
        GroupKind::new("apps", "Deployment")
    }

    fn workload(namespace: &str, asks: &str) -> ObjectMeta {
        let annotations = json!({ RESTART: asks });
        let metadata = json!({ "namespace": namespace, "name": "web", "annotations": annotations });
        serde_json::from_value(metadata).unwrap()
    }

    fn due(register: &Register) -> Option<ObjectKey> {
        register.workloads().next().map(|(_, key)| key)
    }

    #[test]
    fn what_asks_no_longer_or_has_gone_is_dropped() {
        let register = register(Namespaces::All);
        for end in [
            |register: &Register| register.see(&kind(), &workload("demo", "false")),
            |register: &Register| register.lose(&kind(), &workload("demo", "true")),
        ] {
            register.see(&kind(), &workload("demo", "true"));
            assert!(due(&register).is_some());
            end(&register);
            assert_eq!(due(&register), None);
        }
    }

    #[test]
    fn where_no_sealed_secret_is_opened_nothing_is_started_anew() {
        let register = register(Namespaces::These(vec!["demo".to_owned()]));
        register.see(&kind(), &workload("other", "true"));
        assert_eq!(due(&register), None);
        register.see(&kind(), &workload("demo", "true"));
        assert!(due(&register).is_some());
    }

    #[test]
    fn a_kind_is_covered_from_the_first_whole_list_until_nobody_tells_of_it() {
        let register = register(Namespaces::All);
        let covered = || register.covered().borrow().contains(&kind());
        assert!(register.teller(&GroupKind::new("", "Secret")).is_none());
        let teller = register.teller(&kind()).unwrap();
        teller.begin();
        teller.see(&workload("demo", "true"));
        assert!(!covered());
        teller.listed();
        assert!(covered());
        assert!(due(&register).is_some());
        drop(teller);
        assert!(!covered());
    }
}
