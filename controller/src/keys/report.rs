//! Tells of the keys: standing and changes to the other rooms, events to people, gauges to Prometheus.
//! It must not name anything of a private key, nor repeat what the API server says about one.

use std::time::Duration;

use crds::names::CERTIFICATE_CONFIG_MAP;
use k8s_openapi::api::core::v1::ObjectReference;

use super::Standing;
use super::apply;
use super::pass::Pass;
use super::plan::{KeySecret, State, World};
use crate::context::Context;
use crate::events::{Component, Event, EventType};
use crate::run;

/// How long an event waits for the election.
const ELECTION: Duration = Duration::from_secs(5);

impl Pass {
    /// What others see, and what this pass leaves to the next one.
    pub(super) fn report(&mut self, world: &World, changed: bool) {
        let versions = |is: fn(&State) -> bool| {
            let these = world.secrets.iter().filter(move |secret| is(&secret.state));
            these.map(|KeySecret { name, version, .. }| (name.clone(), version.clone()))
        };
        self.loaded = versions(|state| matches!(state, State::Usable { .. })).collect();
        self.reported = versions(|state| matches!(state, State::Unusable { .. })).collect();
        let Context { keys, metrics, .. } = &*self.context;
        let gauge = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        metrics.keys.set(gauge(self.loaded.len()));
        metrics.keys_unusable.set(gauge(self.reported.len()));
        if changed {
            keys.changes.send_modify(|changes| *changes += 1);
        }
        let standing = match (&self.observed, keys.keyring.is_empty()) {
            (_, false) => Standing::Serving,
            (Some(_), true) => Standing::Observing,
            (None, true) => Standing::Starting,
        };
        if standing == Standing::Serving {
            self.observed = None;
        }
        keys.standing
            .send_if_modified(|current| std::mem::replace(current, standing) != standing);
    }

    /// Another controller is here: said once for each proof of it.
    pub(super) async fn report_observing(&mut self, proof: &str) {
        if self.observed.as_deref() == Some(proof) {
            return;
        }
        self.observed = Some(proof.to_owned());
        let namespace = &self.context.namespace;
        let message = format!(
            "another controller opens SealedSecrets here ({proof}) and namespace {namespace} holds no sealing key, so nothing is written. \
             Ways on: start with --namespace=<namespace of the old keys>, restore the key Secrets to {namespace}, or make a new key with --take-over"
        );
        tracing::warn!("{message}");
        warn(&self.context, "Namespace", namespace, "Observing", message).await;
    }
}

/// A step could not be taken; it is tried again.
pub(super) async fn failure(context: &Context, error: &apply::Error) {
    let (kind, name, reason) = match error {
        apply::Error::Publish(_) => {
            context.metrics.certificate_publish_errors.inc();
            (
                "ConfigMap",
                CERTIFICATE_CONFIG_MAP,
                "CertificateNotPublished",
            )
        }
        apply::Error::KeyRefused { namespace, .. } => {
            ("Namespace", namespace.as_str(), "KeyNotWritten")
        }
        apply::Error::Api(_) | apply::Error::Generate(_) | apply::Error::Run(_) => return,
    };
    warn(context, kind, name, reason, run::chain(error)).await;
}

/// A Secret that is labelled as sealing key is none.
pub(super) async fn unusable(context: &Context, name: &str, reason: &'static str, message: &str) {
    tracing::error!(
        secretname = name,
        reason,
        message,
        "this sealing key can't be used"
    );
    let message = format!("this sealing key can't be used: {message}");
    warn(context, "Secret", name, reason, message).await;
}

/// Every process sees the same keys, so only the one that writes tells; while none is known, each does.
async fn warn(context: &Context, kind: &str, name: &str, reason: &'static str, message: String) {
    let leads = tokio::time::timeout(ELECTION, context.leadership.decided()).await;
    if leads == Ok(false) {
        return;
    }
    let regarding = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some(kind.to_owned()),
        namespace: Some(context.namespace.clone()),
        name: Some(name.to_owned()),
        ..ObjectReference::default()
    };
    let event = Event {
        type_: EventType::Warning,
        component: Component::Signet,
        reason,
        message,
    };
    context.events.publish(&regarding, event).await;
}
