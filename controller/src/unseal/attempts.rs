//! The last attempt of this process at each SealedSecret. All of it can be found again after a restart.
//! It must not hold a value, or anything else of an object that a newer version makes wrong.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crds::SealedSecret;
use crds::names::KEEP_FOREIGN_METADATA;
use kube::core::DynamicObject;
use sealing::{Fingerprint, Keyring, Scope};
use sha2::{Digest as _, Sha256};

use super::report::Before;
use super::{ObjectName, UnsealReason};
use crate::metrics::ConditionLabels;

/// The same failure is told again after this time: Events are kept for an hour only, and people look for them later.
const TELL_AGAIN: Duration = Duration::from_secs(300);

/// Of everything that an attempt depends on, beside the Secret and the keys.
pub(super) type Digest = [u8; 32];

/// The last attempt at one SealedSecret.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) digest: Digest,
    /// Version of the Secret that the attempt found or left.
    pub(super) secret: Option<String>,
    pub(super) refusal: Option<UnsealReason>,
    /// The keys that opened its items.
    pub(super) keys: BTreeSet<Fingerprint>,
    /// When its outcome was told, or found to stand there already.
    pub(super) told: Instant,
    pub(super) labels: ConditionLabels,
}

impl Attempt {
    /// True when this very SealedSecret is in effect as far as the attempt saw.
    pub(super) fn succeeded(&self, digest: &Digest) -> bool {
        self.digest == *digest && self.refusal.is_none()
    }

    /// True when a key that opened an item is in use no more.
    pub(super) fn lacks_key(&self, keyring: &Keyring) -> bool {
        self.keys.iter().any(|key| !keyring.contains(key))
    }
}

/// Last attempts by name.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<HashMap<ObjectName, Attempt>>);

impl Attempts {
    pub(super) fn last(&self, name: &ObjectName) -> Option<Attempt> {
        self.all().get(name).cloned()
    }

    /// Remembers an attempt; returns the labels under which the one before was counted, if they were others.
    pub(super) fn remember(&self, name: ObjectName, attempt: Attempt) -> Option<ConditionLabels> {
        let labels = attempt.labels.clone();
        let before = self.all().insert(name, attempt)?.labels;
        (before != labels).then_some(before)
    }

    pub(super) fn forget(&self, name: &ObjectName) -> Option<Attempt> {
        self.all().remove(name)
    }

    /// The SealedSecrets that were opened with keys which are in use no more.
    pub(super) fn lacking_keys(&self, keyring: &Keyring) -> Vec<ObjectName> {
        let all = self.all();
        let lacking = all.iter().filter(|(_, last)| last.lacks_key(keyring));
        lacking.map(|(name, _)| name.clone()).collect()
    }

    /// Whether this refusal is known from the attempt before.
    pub(super) fn before(
        &self,
        name: &ObjectName,
        digest: &Digest,
        refusal: Option<&UnsealReason>,
        now: Instant,
    ) -> Before {
        let all = self.all();
        let last = all.get(name).filter(|last| {
            last.digest == *digest && refusal.is_some() && last.refusal.as_ref() == refusal
        });
        match last {
            None => Before::Other,
            Some(last) if now.duration_since(last.told) < TELL_AGAIN => Before::Same,
            Some(_) => Before::LongTheSame,
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<ObjectName, Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Labels of the metric that shows the condition of this object.
pub(super) fn condition_labels(sealed: &SealedSecret) -> ConditionLabels {
    ConditionLabels {
        namespace: sealed.metadata.namespace.clone().unwrap_or_default(),
        name: sealed.metadata.name.clone().unwrap_or_default(),
        condition: "Synced",
        ss_app_kubernetes_io_instance: instance(sealed).cloned().unwrap_or_default(),
    }
}

fn instance(sealed: &SealedSecret) -> Option<&String> {
    let labels = sealed.metadata.labels.as_ref()?;
    labels.get("app.kubernetes.io/instance")
}

/// True when the SealedSecret asks to leave labels, annotations and owners of others on its Secret.
pub(super) fn keeps_foreign_metadata(sealed: &SealedSecret) -> bool {
    let annotations = sealed.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(KEEP_FOREIGN_METADATA))
        .is_some_and(|value| value == "true")
}

/// Of everything in a SealedSecret that an attempt depends on.
pub(super) fn digest(sealed: &SealedSecret) -> Digest {
    let metadata = &sealed.metadata;
    hash(&(
        &metadata.uid,
        metadata.generation,
        Scope::of(metadata.annotations.as_ref()).as_str(),
        keeps_foreign_metadata(sealed),
        instance(sealed),
        &sealed.spec,
    ))
}

/// The same of an object that can't be read as a SealedSecret.
pub(super) fn digest_of_value(object: &DynamicObject) -> Digest {
    let metadata = &object.metadata;
    hash(&(&metadata.uid, metadata.generation, object.data.get("spec")))
}

fn hash(value: &impl serde::Serialize) -> Digest {
    let bytes = serde_json::to_vec(value).expect("invariant: what was JSON can be JSON again");
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name() -> ObjectName {
        ObjectName {
            namespace: "ns".to_owned(),
            name: "db".to_owned(),
        }
    }

    fn refused() -> UnsealReason {
        UnsealReason::NotManaged {
            name: "db".to_owned(),
        }
    }

    fn annotated(key: &str) -> SealedSecret {
        let mut sealed = SealedSecret::default();
        let annotations = sealed.metadata.annotations.get_or_insert_default();
        annotations.insert(key.to_owned(), "true".to_owned());
        sealed
    }

    #[test]
    fn the_same_refusal_is_told_again_after_five_minutes() {
        let (attempts, digest, now) = (Attempts::default(), [1; 32], Instant::now());
        let before = |refusal: &UnsealReason, digest: Digest, now| {
            attempts.before(&name(), &digest, Some(refusal), now)
        };
        assert_eq!(before(&refused(), digest, now), Before::Other);
        let attempt = Attempt {
            digest,
            secret: None,
            refusal: Some(refused()),
            keys: BTreeSet::new(),
            told: now,
            labels: condition_labels(&SealedSecret::default()),
        };
        attempts.remember(name(), attempt);
        assert_eq!(before(&refused(), digest, now), Before::Same);
        assert_eq!(
            before(&refused(), digest, now + TELL_AGAIN),
            Before::LongTheSame
        );
        assert_eq!(
            before(&UnsealReason::SealingKeyLabel, digest, now),
            Before::Other
        );
        assert_eq!(before(&refused(), [2; 32], now), Before::Other);
    }

    #[test]
    fn an_attempt_depends_on_scope_and_on_what_is_kept_but_on_no_other_annotation() {
        let plain = digest(&SealedSecret::default());
        for key in [
            crds::names::CLUSTER_WIDE,
            crds::names::NAMESPACE_WIDE,
            KEEP_FOREIGN_METADATA,
        ] {
            assert_ne!(digest(&annotated(key)), plain, "{key}");
        }
        assert_eq!(digest(&annotated("example.com/note")), plain);
    }
}
