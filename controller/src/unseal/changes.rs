//! Which items of the Secrets have changed since they were made, as noted on the Secrets, for those whose Pods use them.
//! It knows names and versions and never a value; what follows from a change is decided elsewhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tokio::sync::broadcast;

use super::ObjectName;
use super::plan::changed::{self, ChangedItems};

/// News that nobody has read yet. Who missed some looks at everything.
const NEWS: usize = 1_024;

/// What is noted on all Secrets that we keep.
#[derive(Debug)]
pub struct Changes {
    noted: Mutex<HashMap<ObjectName, Arc<ChangedItems>>>,
    news: broadcast::Sender<ObjectName>,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            noted: Mutex::default(),
            news: broadcast::Sender::new(NEWS),
        }
    }
}

impl Changes {
    /// The items of this Secret that have changed; `None` where none has.
    pub fn of(&self, name: &ObjectName) -> Option<Arc<ChangedItems>> {
        self.noted().get(name).cloned()
    }

    /// Names of Secrets of which more is noted than before.
    pub fn news(&self) -> broadcast::Receiver<ObjectName> {
        self.news.subscribe()
    }

    /// The Secret as it is now.
    pub(super) fn see(&self, name: &ObjectName, metadata: &ObjectMeta) {
        let items = changed::items(metadata);
        let mut noted = self.noted();
        if items.is_empty() {
            noted.remove(name);
        } else if noted.get(name).is_none_or(|known| **known != items) {
            noted.insert(name.clone(), Arc::new(items));
            // Without sync nobody listens.
            let _ = self.news.send(name.clone());
        }
    }

    /// The Secret is gone.
    pub(super) fn forget(&self, name: &ObjectName) {
        self.noted().remove(name);
    }

    fn noted(&self) -> MutexGuard<'_, HashMap<ObjectName, Arc<ChangedItems>>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
