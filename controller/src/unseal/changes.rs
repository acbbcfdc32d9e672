//! Which items of the Secrets have changed since they were made, as noted on the Secrets, for those whose Pods use them.
//! It knows names and versions and never a value; what follows from a change is decided elsewhere.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::sync::{broadcast, watch};

use super::ObjectName;
use super::plan::changed::{self, ChangedItems};

/// News that nobody has read yet. Who missed some looks at everything.
const NEWS: usize = 1_024;

/// What is noted on a Secret.
#[derive(Debug)]
struct Noted {
    /// The Secret's own version.
    version: Option<u64>,
    items: Arc<ChangedItems>,
}

/// What is noted on all Secrets that we keep.
#[derive(Debug)]
pub struct Changes {
    noted: Mutex<HashMap<ObjectName, Noted>>,
    news: broadcast::Sender<ObjectName>,
    /// Namespaces in which all Secrets are known; `None` stands for all namespaces.
    known: watch::Sender<BTreeSet<Option<String>>>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            noted: Mutex::default(),
            news: broadcast::Sender::new(NEWS),
            known: watch::Sender::default(),
        }
    }
}

impl Changes {
    /// The items of this Secret that have changed; `None` where none has.
    pub fn of(&self, name: &ObjectName) -> Option<Arc<ChangedItems>> {
        Some(Arc::clone(&self.noted().get(name)?.items))
    }

    /// Names of Secrets of which more is noted than before.
    pub fn news(&self) -> broadcast::Receiver<ObjectName> {
        self.news.subscribe()
    }

    /// All Secrets of a namespace are known. Before that, nobody can tell of how many a workload has to know.
    pub fn are_known(&self, namespace: &str) -> bool {
        let known = self.known.borrow();
        let named = |scope: &Option<String>| scope.as_deref().is_none_or(|name| name == namespace);
        known.iter().any(named)
    }

    /// Changes when the Secrets of more namespaces are known.
    pub fn known(&self) -> watch::Receiver<BTreeSet<Option<String>>> {
        self.known.subscribe()
    }

    /// Each Secret of a namespace, or of all, has been seen.
    pub(super) fn listed(&self, namespace: Option<&str>) {
        self.known
            .send_if_modified(|known| known.insert(namespace.map(str::to_owned)));
    }

    /// The Secret as a watch or the answer to a write shows it. A watch may be behind such an answer.
    pub(super) fn see(&self, name: &ObjectName, metadata: &ObjectMeta) {
        let version = metadata.resource_version.as_ref();
        let version = version.and_then(|version| version.parse().ok());
        let items = changed::items(metadata);
        let mut noted = self.noted();
        let known = noted.get(name);
        let is_older = |known: &Noted| known.version.zip(version).is_some_and(|(a, b)| b < a);
        if known.is_some_and(is_older) {
            return;
        }
        if items.is_empty() {
            noted.remove(name);
            return;
        }
        let is_news = known.is_none_or(|known| *known.items != items);
        let items = Arc::new(items);
        noted.insert(name.clone(), Noted { version, items });
        if is_news {
            // Without sync nobody listens.
            let _ = self.news.send(name.clone());
        }
    }

    /// The Secret is gone.
    pub(super) fn forget(&self, name: &ObjectName) {
        self.noted().remove(name);
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<ObjectName, Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use crds::names::CHANGED;

    use super::*;

    #[test]
    fn an_older_sight_of_a_secret_takes_back_no_change() {
        let changes = Changes::default();
        let name = ObjectName {
            namespace: "demo".to_owned(),
            name: "db".to_owned(),
        };
        let see = |version: &str, item: &str| {
            let noted = serde_json::json!({ "a": item }).to_string();
            let metadata = ObjectMeta {
                resource_version: Some(version.to_owned()),
                annotations: Some([(CHANGED.to_owned(), noted)].into()),
                ..ObjectMeta::default()
            };
            changes.see(&name, &metadata);
            changes.of(&name).and_then(|items| items.get("a").cloned())
        };
        for (version, item, known) in [
            ("10", "7", "7"),
            ("20", "8", "8"),
            ("9", "7", "8"),
            ("21", "8", "8"),
        ] {
            assert_eq!(see(version, item).as_deref(), Some(known), "{version}");
        }
        changes.forget(&name);
        assert_eq!(see("11", "7").as_deref(), Some("7"));
    }

    #[test]
    fn secrets_are_known_once_all_of_their_namespace_were_listed() {
        let changes = Changes::default();
        let mut known = changes.known();
        assert!(!changes.are_known("one"));
        changes.listed(Some("one"));
        assert!(changes.are_known("one") && !changes.are_known("two"));
        assert!(known.has_changed().unwrap());
        known.mark_unchanged();
        changes.listed(Some("one"));
        assert!(!known.has_changed().unwrap());
        changes.listed(None);
        assert!(changes.are_known("two"));
    }
}
