//! SealedSecret → Secret in the cluster: one engine for the watch loop and for `sync/`.
//! It must not choose which SealedSecrets to look at, that is `watch.rs`, nor open a value itself, that is `sealing`.

mod apply;
mod attempts;
mod changes;
mod jobs;
mod locks;
mod openings;
pub mod plan;
pub mod queue;
mod reason;
pub mod report;
mod tell;
mod watch;
mod write;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use crds::SealedSecret;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::core::DynamicObject;
use kube::{Api, Client, ResourceExt};
use prometheus_client::metrics::counter::Counter;
use rand::rngs::SysRng;
use sealing::{Surroundings, UnsealError, Unsealed};
use tokio::sync::Semaphore;

pub use self::reason::{RESEAL, UnsealReason};
pub use self::watch::run;

pub use self::changes::Changes;
pub use self::plan::changed::{ChangedItems, items as changed_items};

use self::attempts::{Attempts, Digest, digest, digest_of_value};
use self::locks::Locks;
use self::openings::{Panicked, run_opening};
use self::tell::Findings;
use self::write::Effect;
use crate::events::Recorder;
use crate::keys::{Keys, Standing};
use crate::metrics::Metrics;
use crate::settings::{Part, Settings};

/// What became of the Secret of one SealedSecret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsealOutcome {
    /// It was as it should be.
    Unchanged,
    Created,
    Updated,
    /// It is not as it should be, and trying again changes nothing until something else changes.
    Refused(UnsealReason),
}

/// Namespace and name, of a SealedSecret and its Secret alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    pub namespace: String,
    pub name: String,
}

impl ObjectName {
    /// Where this object is.
    pub fn of<K: ResourceExt>(object: &K) -> Self {
        Self {
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Openings that run at once: each takes a core for two milliseconds per value, and other work must go on.
const OPENINGS: usize = 2;

/// Opens SealedSecrets and keeps their Secrets as they say.
pub struct Unsealer {
    client: Client,
    settings: Arc<Settings>,
    keys: Arc<Keys>,
    events: Arc<Recorder>,
    metrics: Arc<Metrics>,
    /// Secrets that were put right after somebody edited or deleted them.
    repairs: Counter,
    openings: Arc<Semaphore>,
    locks: Locks,
    attempts: Attempts,
    changes: Changes,
}

/// What the watches know about a Secret before it is looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Hints {
    /// There is most likely none: it is created without looking.
    is_absent: bool,
    /// Somebody keeps undoing it.
    is_contested: bool,
}

impl Unsealer {
    pub fn new(
        client: Client,
        settings: Arc<Settings>,
        keys: Arc<Keys>,
        events: Arc<Recorder>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let repairs = Counter::default();
        let help =
            "Secrets of SealedSecrets that were put right after somebody edited or deleted them";
        metrics.register(|registry| {
            registry.register("signet_secret_repairs", help, repairs.clone());
        });
        Self {
            client,
            settings,
            keys,
            events,
            metrics,
            repairs,
            openings: Arc::new(Semaphore::new(OPENINGS)),
            locks: Locks::default(),
            attempts: Attempts::default(),
            changes: Changes::default(),
        }
    }

    /// False where another controller opens SealedSecrets: then its Secrets are awaited, not written.
    pub fn unseals_here(&self) -> bool {
        self.settings.runs(Part::Sealing) && *self.keys.standing().borrow() == Standing::Serving
    }

    /// Which items of the Secrets have changed since they were made.
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Brings the Secret of a live SealedSecret into effect and reports on it: status, event, metrics.
    ///
    /// # Errors
    /// When the API server is away or at odds with itself. What it refuses is an outcome.
    pub async fn unseal(&self, sealed: &SealedSecret) -> kube::Result<UnsealOutcome> {
        self.bring_into_effect(sealed, Hints::default()).await
    }

    async fn bring_into_effect(
        &self,
        sealed: &SealedSecret,
        hints: Hints,
    ) -> kube::Result<UnsealOutcome> {
        let name = ObjectName::of(sealed);
        let _held = self.locks.hold(&name).await;
        self.metrics.unseal_requests.inc();
        let digest = digest(sealed);
        // While it waits for its end its Secret is the garbage collector's, who may just have orphaned it.
        let is_ending = sealed.metadata.deletion_timestamp.is_some();
        if is_ending || self.is_in_effect(&name, &digest).await? {
            return Ok(UnsealOutcome::Unchanged);
        }
        let opened = self.open(sealed).await;
        let last = self.attempts.last(&name);
        let settled =
            report::is_in_effect(sealed) || last.is_some_and(|last| last.succeeded(&digest));
        let written = self.write(sealed, &opened, settled, hints.is_absent).await;
        let (effect, failure) = match written {
            Ok(effect) => (effect, None),
            // The API server answers, so there is somebody to tell.
            Err(kube::Error::Api(status)) => (
                Effect::refused(status.message.clone()),
                Some(kube::Error::Api(status)),
            ),
            Err(error) => {
                self.count_error("update", &name);
                return Err(error);
            }
        };
        let findings = Findings {
            digest,
            secret: effect.secret,
            keys: opened.map_or_else(|_| BTreeSet::new(), keys_of),
            rival: effect.rival.filter(|_| hints.is_contested),
        };
        let told = self
            .conclude(sealed, &effect.outcome, findings)
            .await
            .inspect_err(|_| self.count_error("status", &name));
        match failure {
            Some(failure) => Err(failure),
            None => told.map(|()| effect.outcome),
        }
    }

    /// Reports that an object can't be read as a SealedSecret.
    async fn refuse_malformed(
        &self,
        object: &DynamicObject,
        message: String,
    ) -> kube::Result<UnsealOutcome> {
        let name = ObjectName::of(object);
        let _held = self.locks.hold(&name).await;
        self.metrics.unseal_requests.inc();
        let sealed = apply::without_spec(object);
        let outcome = UnsealOutcome::Refused(UnsealReason::Malformed { message });
        let findings = Findings {
            digest: digest_of_value(object),
            ..Findings::default()
        };
        self.conclude(&sealed, &outcome, findings).await?;
        Ok(outcome)
    }

    /// True when this very SealedSecret was put into effect by this process, with keys that are still in use, and its
    /// Secret is as it was left.
    async fn is_in_effect(&self, name: &ObjectName, digest: &Digest) -> kube::Result<bool> {
        let last = self.attempts.last(name);
        let Some(last) =
            last.filter(|last| last.succeeded(digest) && !last.lacks_key(&self.keys.keyring))
        else {
            return Ok(false);
        };
        match self.secrets(name).get_metadata_opt(&name.name).await {
            Ok(secret) => Ok(secret.is_some_and(|secret| secret.resource_version() == last.secret)),
            // Told by the attempt that follows.
            Err(kube::Error::Api(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens all items, off the threads that serve the network.
    async fn open(&self, sealed: &SealedSecret) -> Result<Unsealed, UnsealReason> {
        let legacy = sealed.spec.data.is_some() && sealed.spec.encrypted_data.is_empty();
        if legacy && !self.settings.unseal.accept_deprecated_v1_data {
            return Err(UnsealReason::CannotOpen(UnsealError::LegacyRefused));
        }
        let (sealed, keyring) = (sealed.clone(), Arc::clone(&self.keys.keyring));
        let opened = run_opening(&self.openings, move || {
            let mut random = SysRng;
            let surroundings = Surroundings::new(Timestamp::now(), &mut random);
            sealing::unseal(&sealed, &keyring, &surroundings)
        })
        .await;
        let opened = match opened {
            Ok(opened) => opened.map_err(UnsealReason::CannotOpen),
            Err(Panicked) => Err(UnsealReason::Panicked),
        };
        if opened.as_ref().is_err_and(UnsealReason::may_lack_key) {
            self.keys.look_again();
        }
        opened
    }

    /// True when the last attempt was at this very SealedSecret.
    fn was_tried(&self, sealed: &SealedSecret) -> bool {
        let last = self.attempts.last(&ObjectName::of(sealed));
        last.is_some_and(|last| last.digest == digest(sealed))
    }

    /// The same of an object that can't be read as one.
    fn was_tried_malformed(&self, object: &DynamicObject) -> bool {
        let last = self.attempts.last(&ObjectName::of(object));
        last.is_some_and(|last| last.digest == digest_of_value(object))
    }

    /// Version of the Secret that the last attempt found or left.
    fn secret_version(&self, name: &ObjectName) -> Option<String> {
        self.attempts.last(name)?.secret
    }

    /// SealedSecrets in effect that can't be opened any more.
    fn lacking_keys(&self) -> Vec<ObjectName> {
        self.attempts.lacking_keys(&self.keys.keyring)
    }

    /// The SealedSecret is gone.
    fn forget(&self, name: &ObjectName) {
        if let Some(last) = self.attempts.forget(name) {
            self.metrics.condition_info.remove(&last.labels);
        }
    }

    fn secrets(&self, name: &ObjectName) -> Api<Secret> {
        Api::namespaced(self.client.clone(), &name.namespace)
    }
}

impl fmt::Debug for Unsealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsealer").finish_non_exhaustive()
    }
}

fn keys_of(unsealed: Unsealed) -> BTreeSet<sealing::Fingerprint> {
    unsealed.opened_by.into_values().collect()
}

#[cfg(test)]
mod tests;
