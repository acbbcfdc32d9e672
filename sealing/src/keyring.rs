//! The keyring: every private key at hand, which of them is current, and which to try first for a value.
//! Holds keys in memory only; where they come from is the caller's business.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use k8s_openapi::jiff::Timestamp;

use crate::envelope::SealedValue;
use crate::fingerprint::Fingerprint;
use crate::key::{PrivateKey, SealingKey};
use crate::scope::Label;
use crate::secret_bytes::SecretBytes;

/// What makes one sealing key newer than another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyOrder {
    /// Start of the certificate's validity.
    #[default]
    CertNotBefore,
    /// Creation time of the key Secret; a key without one is the oldest.
    SecretCreationTimestamp,
}

/// How many values the ring remembers the key of. 65,536 entries take about 2 MiB; when they are full the memory
/// starts anew, which costs wrong first guesses and nothing else.
const REMEMBERED_VALUES: usize = 1 << 16;

/// The keys, shared by all threads that open. Reading takes a lock for as long as it takes to copy a pointer.
pub struct Keyring {
    order: KeyOrder,
    ring: RwLock<Arc<Ring>>,
    /// Counts successes, so that each gets a later number than the one before.
    successes: AtomicU64,
    /// Hash of a value's RSA block → the key that opened it last. A collision costs a wrong first guess.
    remembered: Mutex<HashMap<u64, Fingerprint>>,
    hasher: RandomState,
}

/// One state of the ring; replaced as a whole when a key comes or goes.
#[derive(Default)]
struct Ring {
    /// Newest first; of equal times, the one registered earlier first.
    entries: Vec<Entry>,
    registrations: u64,
}

#[derive(Clone)]
struct Entry {
    name: String,
    time: Timestamp,
    registration: u64,
    opener: Arc<Opener>,
    sealing: Option<Arc<SealingKey>>,
}

struct Opener {
    private: PrivateKey,
    /// Number of the last success in this process; 0 for none.
    last_success: AtomicU64,
}

/// A value that a key of the ring opened.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The plaintext.
    pub plaintext: SecretBytes,
    /// The key that opened it.
    pub key: Fingerprint,
}

impl Keyring {
    /// An empty ring.
    #[must_use]
    pub fn new(order: KeyOrder) -> Self {
        Self {
            order,
            ring: RwLock::default(),
            successes: AtomicU64::new(0),
            remembered: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// Registers a sealing key. A key of the same name is replaced; the same private key under two names is tried once.
    pub fn insert(&self, key: SealingKey) {
        let time = match self.order {
            KeyOrder::CertNotBefore => key.certificate.not_before(),
            KeyOrder::SecretCreationTimestamp => key.created.unwrap_or(Timestamp::MIN),
        };
        let private = key.private.clone();
        self.register(key.name.clone(), time, private, Some(Arc::new(key)));
    }

    /// Registers a private key without a certificate, such as one from a file: it opens, but is never current.
    pub fn insert_private(&self, name: String, key: PrivateKey) {
        self.register(name, Timestamp::MIN, key, None);
    }

    fn register(
        &self,
        name: String,
        time: Timestamp,
        private: PrivateKey,
        sealing: Option<Arc<SealingKey>>,
    ) {
        self.update(|ring| {
            let opener = ring.opener(private);
            let replaced = ring.take(&name);
            ring.registrations += 1;
            let registration = replaced.map_or(ring.registrations, |entry| entry.registration);
            ring.entries.push(Entry {
                name,
                time,
                registration,
                opener,
                sealing,
            });
            ring.entries
                .sort_by_key(|entry| (Reverse(entry.time), entry.registration));
        });
    }

    /// Forgets the key of this name; says whether there was one.
    pub fn remove(&self, name: &str) -> bool {
        self.update(|ring| ring.take(name).is_some())
    }

    /// The key to seal with: the newest that has a certificate.
    #[must_use]
    pub fn current(&self) -> Option<Arc<SealingKey>> {
        self.snapshot()
            .entries
            .iter()
            .find_map(|entry| entry.sealing.clone())
    }

    /// All sealing keys, newest first.
    #[must_use]
    pub fn keys(&self) -> Vec<Arc<SealingKey>> {
        self.snapshot()
            .entries
            .iter()
            .filter_map(|entry| entry.sealing.clone())
            .collect()
    }

    /// True when this key is at hand.
    #[must_use]
    pub fn contains(&self, key: &Fingerprint) -> bool {
        let entries = &self.snapshot().entries;
        entries
            .iter()
            .any(|entry| entry.opener.private.fingerprint() == key)
    }

    /// True when no key can open anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot().entries.is_empty()
    }

    /// Opens the bytes of one value, trying first the key that opened it last, then keys by their most recent success,
    /// then the newest; keys of another size than the value's block are not tried. `None` for every failure alike.
    #[must_use]
    pub fn open(&self, label: &Label, bytes: &[u8]) -> Option<Opened> {
        let sealed = SealedValue::parse(bytes)?;
        let hash = self.hasher.hash_one(sealed.wrapped);
        let ring = self.snapshot();
        for opener in ring.candidates(sealed.wrapped.len(), self.remembered(hash).as_ref()) {
            if let Some(plaintext) = opener.private.opening().open(sealed, label) {
                let key = opener.private.fingerprint().clone();
                self.remember(hash, opener, &key);
                return Some(Opened { plaintext, key });
            }
        }
        None
    }

    fn remembered(&self, hash: u64) -> Option<Fingerprint> {
        lock(&self.remembered).get(&hash).cloned()
    }

    fn remember(&self, hash: u64, opener: &Opener, key: &Fingerprint) {
        let success = self.successes.fetch_add(1, Ordering::Relaxed) + 1;
        opener.last_success.fetch_max(success, Ordering::Relaxed);
        let mut remembered = lock(&self.remembered);
        if remembered.len() >= REMEMBERED_VALUES {
            remembered.clear();
        }
        remembered.insert(hash, key.clone());
    }

    fn snapshot(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn update<T>(&self, change: impl FnOnce(&mut Ring) -> T) -> T {
        let mut guard = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        let mut next = Ring {
            entries: guard.entries.clone(),
            registrations: guard.registrations,
        };
        let answer = change(&mut next);
        *guard = Arc::new(next);
        answer
    }
}

impl Default for Keyring {
    fn default() -> Self {
        Self::new(KeyOrder::default())
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = self.snapshot();
        let names = ring
            .entries
            .iter()
            .map(|entry| (&entry.name, &entry.opener.private));
        formatter.debug_map().entries(names).finish()
    }
}

impl Ring {
    /// The opener of this private key: the one there is, with its history, or a new one.
    fn opener(&self, private: PrivateKey) -> Arc<Opener> {
        self.entries
            .iter()
            .map(|entry| &entry.opener)
            .find(|opener| opener.private.fingerprint() == private.fingerprint())
            .cloned()
            .unwrap_or_else(|| {
                Arc::new(Opener {
                    private,
                    last_success: AtomicU64::new(0),
                })
            })
    }

    fn take(&mut self, name: &str) -> Option<Entry> {
        let index = self.entries.iter().position(|entry| entry.name == name)?;
        Some(self.entries.remove(index))
    }

    /// The openers worth trying for a block of this length, best guess first.
    fn candidates(&self, block_length: usize, remembered: Option<&Fingerprint>) -> Vec<&Opener> {
        let mut candidates: Vec<&Opener> = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            let opener = &*entry.opener;
            let fits = opener.private.opening().modulus_length() == block_length;
            if fits && !candidates.iter().any(|known| std::ptr::eq(*known, opener)) {
                candidates.push(opener);
            }
        }
        candidates.sort_by_cached_key(|opener| {
            let opened_it_last = Some(opener.private.fingerprint()) == remembered;
            Reverse((opened_it_last, opener.last_success.load(Ordering::Relaxed)))
        });
        candidates
    }
}

/// A poisoned map is only a stale guess, so it is used as it is.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::envelope::seal_value;
    use crate::key::KeyRequest;
    use crate::scope::Scope;

    fn key(name: &str, second: i64) -> SealingKey {
        let request = KeyRequest {
            name: name.to_owned(),
            bits: 2048,
            ttl: Duration::from_secs(60),
            common_name: String::new(),
        };
        let now = Timestamp::from_second(second).unwrap();
        SealingKey::generate(&request, now).unwrap().key
    }

    /// The names of the keys in the order in which they would be tried.
    fn order(keyring: &Keyring, remembered: Option<&Fingerprint>) -> Vec<String> {
        let ring = keyring.snapshot();
        let name = |opener: &Opener| {
            let same = |entry: &&Entry| std::ptr::eq(&*entry.opener, opener);
            ring.entries.iter().find(same).unwrap().name.clone()
        };
        ring.candidates(256, remembered)
            .into_iter()
            .map(name)
            .collect()
    }

    #[test]
    fn the_key_that_opened_last_is_tried_first_then_recent_ones_then_the_newest() {
        let (old, middle, new) = (key("old", 1), key("middle", 2), key("new", 3));
        let keyring = Keyring::default();
        for key in [&old, &middle, &new] {
            keyring.insert(key.clone());
        }
        let label = Scope::ClusterWide.label("", "");
        let seal = |key: &SealingKey| {
            let text = seal_value(
                key.certificate.public_key(),
                &label,
                b"x",
                &mut rand::rngs::SysRng,
            );
            crate::base64::decode(text.unwrap().as_bytes()).unwrap()
        };
        assert_eq!(order(&keyring, None), ["new", "middle", "old"]);
        let under_old = seal(&old);
        assert_eq!(
            keyring.open(&label, &under_old).unwrap().key,
            *old.private.fingerprint()
        );
        assert_eq!(order(&keyring, None), ["old", "new", "middle"]);
        assert!(keyring.open(&label, &seal(&middle)).is_some());
        assert_eq!(order(&keyring, None), ["middle", "old", "new"]);
        let hash = keyring
            .hasher
            .hash_one(SealedValue::parse(&under_old).unwrap().wrapped);
        let remembered = keyring.remembered(hash);
        assert_eq!(
            order(&keyring, remembered.as_ref()),
            ["old", "middle", "new"]
        );
        assert!(
            keyring.snapshot().candidates(512, None).is_empty(),
            "keys of another size are not tried"
        );
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let keyring = Keyring::default();
        let key = key("k", 1);
        keyring.insert(key.clone());
        let ring = keyring.snapshot();
        for hash in 0..=REMEMBERED_VALUES as u64 {
            keyring.remember(hash, &ring.entries[0].opener, key.private.fingerprint());
        }
        assert_eq!(lock(&keyring.remembered).len(), 1);
    }
}
