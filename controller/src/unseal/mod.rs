//! SealedSecret → Secret in the cluster: one engine for the watch loop and for `sync/`.
//! It must not choose which SealedSecrets to look at, that is `watch.rs`, nor open a value itself, that is `sealing`.

mod apply;
mod jobs;
mod locks;
pub mod plan;
pub mod queue;
mod reason;
pub mod report;
mod watch;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crds::SealedSecret;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::jiff::Timestamp;
use kube::core::DynamicObject;
use kube::{Api, Client, ResourceExt};
use rand::rngs::SysRng;
use sealing::{Scope, Surroundings, UnsealError, Unsealed};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

pub use self::reason::UnsealReason;
pub use self::watch::run;

use self::apply::Written;
use self::locks::Locks;
use self::plan::{Plan, World, Write};
use self::report::Attempt;
use crate::events::Recorder;
use crate::keys::{Keys, Standing};
use crate::metrics::{ConditionLabels, Metrics, UnsealErrorLabels};
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
/// Attempts at one write while others write the same Secret.
const ATTEMPTS: usize = 4;

/// Opens SealedSecrets and keeps their Secrets as they say.
pub struct Unsealer {
    client: Client,
    settings: Arc<Settings>,
    keys: Arc<Keys>,
    events: Arc<Recorder>,
    metrics: Arc<Metrics>,
    openings: Arc<Semaphore>,
    locks: Locks,
    last: Mutex<HashMap<ObjectName, Last>>,
}

/// The last attempt of this process at one SealedSecret. All of it can be found again after a restart.
#[derive(Clone, Debug)]
struct Last {
    /// Of what the attempt depended on, beside the Secret.
    digest: [u8; 32],
    /// Version of the Secret that the attempt found or left.
    secret: Option<String>,
    refusal: Option<UnsealReason>,
    labels: ConditionLabels,
}

impl Unsealer {
    pub fn new(
        client: Client,
        settings: Arc<Settings>,
        keys: Arc<Keys>,
        events: Arc<Recorder>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            client,
            settings,
            keys,
            events,
            metrics,
            openings: Arc::new(Semaphore::new(OPENINGS)),
            locks: Locks::default(),
            last: Mutex::default(),
        }
    }

    /// False where another controller opens SealedSecrets: then its Secrets are awaited, not written.
    pub fn unseals_here(&self) -> bool {
        self.settings.runs(Part::Sealing) && *self.keys.standing().borrow() == Standing::Serving
    }

    /// Brings the Secret of a live SealedSecret into effect and reports on it: status, event, metrics.
    ///
    /// # Errors
    /// When the API server is away or at odds with itself. What it refuses is an outcome.
    pub async fn unseal(&self, sealed: &SealedSecret) -> kube::Result<UnsealOutcome> {
        self.bring_into_effect(sealed, false).await
    }

    /// The same, and creates the Secret without looking where there is most likely none.
    async fn bring_into_effect(
        &self,
        sealed: &SealedSecret,
        without_secret: bool,
    ) -> kube::Result<UnsealOutcome> {
        let name = ObjectName::of(sealed);
        let _held = self.locks.hold(&name).await;
        self.metrics.unseal_requests.inc();
        let digest = digest(sealed);
        if self.is_in_effect(&name, &digest).await? {
            return Ok(UnsealOutcome::Unchanged);
        }
        let opened = self.open(sealed).await;
        let settled = report::is_in_effect(sealed)
            || self
                .last(&name)
                .is_some_and(|last| last.refusal.is_none() && last.digest == digest);
        let (outcome, secret) = self
            .write(sealed, &opened, settled, without_secret)
            .await
            .inspect_err(|_| self.count_error("update", &name))?;
        self.conclude(sealed, &outcome, digest, secret)
            .await
            .inspect_err(|_| self.count_error("status", &name))?;
        Ok(outcome)
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
        self.conclude(&sealed, &outcome, digest_of_value(object), None)
            .await?;
        Ok(outcome)
    }

    /// True when this very SealedSecret was put into effect by this process and its Secret is as it was left.
    async fn is_in_effect(&self, name: &ObjectName, digest: &[u8; 32]) -> kube::Result<bool> {
        let Some(last) = self
            .last(name)
            .filter(|last| last.digest == *digest && last.refusal.is_none())
        else {
            return Ok(false);
        };
        let secret = self.secrets(name).get_metadata_opt(&name.name).await?;
        Ok(secret.is_some_and(|secret| secret.resource_version() == last.secret))
    }

    /// Opens all items, off the threads that serve the network.
    async fn open(&self, sealed: &SealedSecret) -> Result<Unsealed, UnsealError> {
        if sealed.spec.data.is_some()
            && sealed.spec.encrypted_data.is_empty()
            && !self.settings.unseal.accept_deprecated_v1_data
        {
            return Err(UnsealError::LegacyRefused);
        }
        let (sealed, keyring) = (sealed.clone(), Arc::clone(&self.keys.keyring));
        let opened = run_opening(&self.openings, move || {
            let mut random = SysRng;
            let surroundings = Surroundings::new(Timestamp::now(), &mut random);
            sealing::unseal(&sealed, &keyring, &surroundings)
        })
        .await;
        if opened.is_err() {
            self.keys.look_again();
        }
        opened
    }

    /// Observes, plans and writes until nobody else interferes.
    async fn write(
        &self,
        sealed: &SealedSecret,
        opened: &Result<Unsealed, UnsealError>,
        settled: bool,
        mut without_secret: bool,
    ) -> kube::Result<(UnsealOutcome, Option<String>)> {
        let name = ObjectName::of(sealed);
        let api = self.secrets(&name);
        let mut attempts = 0;
        loop {
            let look = opened.is_ok() && !std::mem::take(&mut without_secret);
            let existing = match look {
                true => api.get_opt(&name.name).await?,
                false => None,
            };
            let version = existing.as_ref().and_then(ResourceExt::resource_version);
            let Plan { write, refusal } = plan::plan(World {
                sealed,
                opened,
                existing,
                settled,
            });
            let outcome = match &write {
                Write::Nothing => UnsealOutcome::Unchanged,
                Write::Create(_) => UnsealOutcome::Created,
                Write::Update { .. } => UnsealOutcome::Updated,
            };
            attempts += 1;
            match apply::write(&api, &name, write).await? {
                Written::Nothing => {
                    return Ok((refusal.map_or(outcome, UnsealOutcome::Refused), version));
                }
                Written::Version(version) => {
                    return Ok((refusal.map_or(outcome, UnsealOutcome::Refused), version));
                }
                Written::Interfered if attempts < ATTEMPTS => {}
                Written::Interfered => {
                    let message = "other writers change the Secret all the time".to_owned();
                    return Ok((
                        UnsealOutcome::Refused(UnsealReason::WriteRefused { message }),
                        version,
                    ));
                }
                Written::Refused(message) => {
                    return Ok((
                        UnsealOutcome::Refused(UnsealReason::WriteRefused { message }),
                        version,
                    ));
                }
            }
        }
    }

    /// Remembers the attempt and tells of it.
    async fn conclude(
        &self,
        sealed: &SealedSecret,
        outcome: &UnsealOutcome,
        digest: [u8; 32],
        secret: Option<String>,
    ) -> kube::Result<()> {
        let name = ObjectName::of(sealed);
        let refusal = match outcome {
            UnsealOutcome::Refused(reason) => Some(reason.clone()),
            _ => None,
        };
        let failed_before = self
            .last(&name)
            .is_some_and(|last| last.digest == digest && last.refusal.is_some());
        self.log(&name, outcome);
        self.count(sealed, &name, refusal.as_ref());
        self.tell(sealed, outcome, failed_before).await?;
        let labels = condition_labels(sealed);
        self.all_last().insert(
            name,
            Last {
                digest,
                secret,
                refusal,
                labels,
            },
        );
        Ok(())
    }

    /// Writes status and event. Where the object changed meanwhile, what there is to tell is decided anew.
    async fn tell(
        &self,
        sealed: &SealedSecret,
        outcome: &UnsealOutcome,
        failed_before: bool,
    ) -> kube::Result<()> {
        let mut seen = sealed.clone();
        for attempt in 1.. {
            let report = report::report(&Attempt {
                sealed: &seen,
                outcome,
                failed_before,
                now: Timestamp::now(),
            });
            if let Some(status) = report.status.filter(|_| self.settings.unseal.update_status) {
                match apply::write_status(&self.client, &seen, status).await {
                    Err(kube::Error::Api(error)) if error.is_conflict() && attempt < ATTEMPTS => {
                        match self.look_again(sealed).await? {
                            Some(live) => seen = live,
                            None => break,
                        }
                        continue;
                    }
                    result => result?,
                }
            }
            if let Some(event) = report.event {
                self.events.publish(&apply::reference(sealed), event).await;
            }
            break;
        }
        Ok(())
    }

    /// Metadata and status of a SealedSecret as they are now; nothing when the attempt was at another version of it.
    async fn look_again(&self, sealed: &SealedSecret) -> kube::Result<Option<SealedSecret>> {
        let name = ObjectName::of(sealed);
        let live = apply::sealed_secrets(&self.client, &name)
            .get_opt(&name.name)
            .await?;
        let version = |sealed: &SealedSecret| {
            let metadata = &sealed.metadata;
            let scope = Scope::of(metadata.annotations.as_ref());
            (metadata.uid.clone(), metadata.generation, scope)
        };
        Ok(live
            .map(|live| apply::without_spec(&live))
            .filter(|live| version(live) == version(sealed)))
    }

    fn log(&self, name: &ObjectName, outcome: &UnsealOutcome) {
        match outcome {
            UnsealOutcome::Unchanged => tracing::debug!(key = %name, "nothing to do"),
            UnsealOutcome::Created => tracing::info!(key = %name, "Secret created"),
            UnsealOutcome::Updated => tracing::info!(key = %name, "Secret updated"),
            UnsealOutcome::Refused(reason) => {
                tracing::warn!(key = %name, error = %reason, "Error updating, will retry")
            }
        }
    }

    fn count(&self, sealed: &SealedSecret, name: &ObjectName, refusal: Option<&UnsealReason>) {
        if let Some(reason) = refusal {
            self.count_error(reason.metric(), name);
        }
        if !self.settings.api.metrics_omit_secret_labels {
            let labels = condition_labels(sealed);
            self.metrics
                .condition_info
                .get_or_create(&labels)
                .set(if refusal.is_none() { 1 } else { -1 });
        }
    }

    fn count_error(&self, reason: &'static str, name: &ObjectName) {
        let labels = UnsealErrorLabels {
            reason,
            namespace: name.namespace.clone(),
        };
        self.metrics.unseal_errors.get_or_create(&labels).inc();
    }

    /// True when the last attempt was at this very SealedSecret.
    fn was_tried(&self, sealed: &SealedSecret) -> bool {
        self.last(&ObjectName::of(sealed))
            .is_some_and(|last| last.digest == digest(sealed))
    }

    /// The same of an object that can't be read as one.
    fn was_tried_malformed(&self, object: &DynamicObject) -> bool {
        self.last(&ObjectName::of(object))
            .is_some_and(|last| last.digest == digest_of_value(object))
    }

    /// Version of the Secret that the last attempt found or left.
    fn secret_version(&self, name: &ObjectName) -> Option<String> {
        self.last(name)?.secret
    }

    /// The SealedSecret is gone.
    fn forget(&self, name: &ObjectName) {
        if let Some(last) = self.all_last().remove(name) {
            self.metrics.condition_info.remove(&last.labels);
        }
    }

    fn last(&self, name: &ObjectName) -> Option<Last> {
        self.all_last().get(name).cloned()
    }

    fn all_last(&self) -> MutexGuard<'_, HashMap<ObjectName, Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Runs one piece of work with private keys on a thread of its own, not more than the permits at once.
pub(crate) async fn run_opening<T: Send + 'static>(
    permits: &Semaphore,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let _permit = permits
        .acquire()
        .await
        .expect("invariant: the semaphore is never closed");
    let work = tokio::task::spawn_blocking(work).await;
    work.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

fn condition_labels(sealed: &SealedSecret) -> ConditionLabels {
    let instance = sealed
        .metadata
        .labels
        .as_ref()
        .and_then(|labels| labels.get("app.kubernetes.io/instance"));
    ConditionLabels {
        namespace: sealed.metadata.namespace.clone().unwrap_or_default(),
        name: sealed.metadata.name.clone().unwrap_or_default(),
        condition: "Synced",
        ss_app_kubernetes_io_instance: instance.cloned().unwrap_or_default(),
    }
}

/// Of everything in a SealedSecret that an attempt depends on; of the annotations that is the scope.
fn digest(sealed: &SealedSecret) -> [u8; 32] {
    let metadata = &sealed.metadata;
    hash(&(
        &metadata.uid,
        metadata.generation,
        Scope::of(metadata.annotations.as_ref()).as_str(),
        &sealed.spec,
    ))
}

fn digest_of_value(object: &DynamicObject) -> [u8; 32] {
    let metadata = &object.metadata;
    hash(&(&metadata.uid, metadata.generation, object.data.get("spec")))
}

fn hash(value: &impl serde::Serialize) -> [u8; 32] {
    let bytes = serde_json::to_vec(value).expect("invariant: what was JSON can be JSON again");
    Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests;
