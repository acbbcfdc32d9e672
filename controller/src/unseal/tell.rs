//! Brings a report into the world: log, metrics, status, event.
//! It must not decide what there is to tell, that is `report.rs`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::time::Instant;

use crds::SealedSecret;
use k8s_openapi::jiff::Timestamp;
use sealing::{Fingerprint, Scope};

use super::attempts::{Attempt, Digest, condition_labels};
use super::report::{self, Before, Telling};
use super::{ObjectName, UnsealOutcome, Unsealer, apply};
use crate::metrics::UnsealErrorLabels;

/// Attempts at one status while others write the same object.
const ATTEMPTS: usize = 4;

/// What an attempt came to, beside its outcome.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) digest: Digest,
    /// Version of the Secret that the attempt found or left.
    pub(super) secret: Option<String>,
    pub(super) keys: BTreeSet<Fingerprint>,
    /// Who else keeps writing the Secret, where it had to wait for that.
    pub(super) rival: Option<String>,
}

impl Unsealer {
    /// Tells of an attempt, and remembers it.
    pub(super) async fn conclude(
        &self,
        sealed: &SealedSecret,
        outcome: &UnsealOutcome,
        findings: Findings,
    ) -> kube::Result<()> {
        let (name, now) = (ObjectName::of(sealed), Instant::now());
        let refusal = match outcome {
            UnsealOutcome::Refused(reason) => Some(reason.clone()),
            _ => None,
        };
        let before = self
            .attempts
            .before(&name, &findings.digest, refusal.as_ref(), now);
        log(&name, outcome);
        if let Some(reason) = &refusal {
            self.count_error(reason.metric(), &name);
        }
        let told = self.attempts.last(&name).map(|last| last.told);
        let attempt = Attempt {
            digest: findings.digest,
            secret: findings.secret,
            refusal,
            keys: findings.keys,
            told: told.filter(|_| before == Before::Same).unwrap_or(now),
            labels: condition_labels(sealed),
        };
        self.tell(sealed, outcome, before, findings.rival).await?;
        if let Some(outdated) = self.attempts.remember(name, attempt) {
            self.metrics.condition_info.remove(&outdated);
        }
        Ok(())
    }

    /// Writes status and event. Where the object changed meanwhile, what there is to tell is decided anew.
    async fn tell(
        &self,
        sealed: &SealedSecret,
        outcome: &UnsealOutcome,
        before: Before,
        rival: Option<String>,
    ) -> kube::Result<()> {
        let mut seen = Cow::Borrowed(sealed);
        for attempt in 1.. {
            let report = report::report(&Telling {
                sealed: &seen,
                outcome,
                before,
                rival: rival.as_deref(),
                writes_status: self.settings.unseal.update_status,
                now: Timestamp::now(),
            });
            if let Some(status) = report.status {
                match apply::write_status(&self.client, &seen, status).await {
                    Err(kube::Error::Api(error)) if error.is_conflict() && attempt < ATTEMPTS => {
                        let Some(live) = self.look_again(sealed).await? else {
                            return Ok(());
                        };
                        seen = Cow::Owned(live);
                        continue;
                    }
                    result => result?,
                }
            }
            self.show_condition(sealed, report.synced);
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

    fn show_condition(&self, sealed: &SealedSecret, synced: bool) {
        if !self.settings.api.metrics_omit_secret_labels {
            let labels = condition_labels(sealed);
            let gauge = self.metrics.condition_info.get_or_create(&labels);
            gauge.set(if synced { 1 } else { -1 });
        }
    }

    pub(super) fn count_error(&self, reason: &'static str, name: &ObjectName) {
        let labels = UnsealErrorLabels {
            reason,
            namespace: match reason {
                // Upstream has no namespace for what it could not read.
                "fetch" => String::new(),
                _ => name.namespace.clone(),
            },
        };
        self.metrics.unseal_errors.get_or_create(&labels).inc();
    }
}

fn log(name: &ObjectName, outcome: &UnsealOutcome) {
    match outcome {
        UnsealOutcome::Unchanged => tracing::debug!(key = %name, "nothing to do"),
        UnsealOutcome::Created => tracing::debug!(key = %name, "Secret created"),
        UnsealOutcome::Updated => tracing::debug!(key = %name, "Secret updated"),
        UnsealOutcome::Refused(reason) => {
            tracing::warn!(key = %name, error = %reason, "Error updating, will retry")
        }
    }
}
