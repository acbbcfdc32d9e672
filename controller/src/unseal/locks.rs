//! One lock per object name, so that watch loop and sync never write one Secret at once.
//! It must not outlive its use: a name that nobody holds takes no memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::ObjectName;

/// Locks by name.
#[derive(Debug, Default)]
pub(super) struct Locks(Mutex<HashMap<ObjectName, Arc<tokio::sync::Mutex<()>>>>);

/// Holds the lock of one name until dropped.
#[derive(Debug)]
pub(super) struct Held<'a> {
    locks: &'a Locks,
    name: ObjectName,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Locks {
    /// Waits until nobody else holds the lock of this name.
    pub(super) async fn hold(&self, name: &ObjectName) -> Held<'_> {
        let lock = Arc::clone(self.all().entry(name.clone()).or_default());
        let guard = Some(lock.lock_owned().await);
        Held {
            locks: self,
            name: name.clone(),
            guard,
        }
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<ObjectName, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let mut all = self.locks.all();
        drop(self.guard.take());
        // The map's own reference is the last one when nobody waits.
        if all
            .get(&self.name)
            .is_some_and(|lock| Arc::strong_count(lock) == 1)
        {
            all.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_behind() {
        let locks = Locks::default();
        let name = ObjectName {
            namespace: "a".to_owned(),
            name: "b".to_owned(),
        };
        let first = locks.hold(&name).await;
        let mut second = Box::pin(locks.hold(&name));
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        drop(second.await);
        assert!(locks.all().is_empty());
    }
}
