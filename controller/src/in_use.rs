//! What several users share, by a hash of all that it was made from: made once, found by all of them.
//! It keeps nothing alive: those who use it do.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError, Weak},
};

/// Values in use, by key.
#[derive(Debug)]
pub(crate) struct InUse<K, V>(Mutex<HashMap<K, Weak<V>>>);

impl<K, V> Default for InUse<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V> InUse<K, V> {
    /// The value of `key`, while somebody uses it.
    pub(crate) fn find(&self, key: &K) -> Option<Arc<V>> {
        let values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(key)?.upgrade()
    }

    /// Lets others find `value`.
    pub(crate) fn add(&self, key: K, value: &Arc<V>) {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // It grows only where those in use need the room.
        if values.len() == values.capacity() {
            values.retain(|_, value| value.strong_count() > 0);
        }
        values.insert(key, Arc::downgrade(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_is_found_however_much_that_is() {
        let all = InUse::default();
        let used: Vec<_> = (0..10_000).map(Arc::new).collect();
        used.iter().for_each(|value| all.add(**value, value));
        let found = |value: &Arc<i32>| all.find(value).is_some_and(|one| Arc::ptr_eq(&one, value));
        assert!(used.iter().all(found));
    }

    #[test]
    fn what_nobody_uses_is_forgotten_and_takes_no_room() {
        let all = InUse::default();
        for key in 0..10_000 {
            all.add(key, &Arc::new(key));
            assert_eq!(all.find(&key), None);
        }
        assert!(all.0.lock().unwrap().capacity() < 100);
    }
}
