//! The sealing keys: found, loaded, generated, renewed and rotated in time, and the current certificate published.
//! It must not open a SealedSecret, and never deletes a key.

mod apply;
mod changes;
pub mod observe;
pub mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::jiff::Timestamp;
use sealing::Keyring;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

use self::apply::Generated;
use self::changes::Changes;
use self::plan::{Plan, Policy, Step, World};
use crate::context::Context;
use crate::events::{Component, Event, EventType};
use crate::run;

/// Whether SealedSecrets are opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The keys were not read yet.
    Starting,
    /// Another controller was here before, and we hold no key: nothing is made and nothing written.
    Observing,
    /// There is a key.
    Serving,
}

/// What the other rooms see of the keys.
#[derive(Debug)]
pub struct Keys {
    /// All keys in use.
    pub keyring: Arc<Keyring>,
    standing: watch::Sender<Standing>,
    changes: watch::Sender<u64>,
    reload: Notify,
}

impl Keys {
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self {
            keyring,
            standing: watch::Sender::new(Standing::Starting),
            changes: watch::Sender::new(0),
            reload: Notify::new(),
        }
    }

    /// Whether SealedSecrets are opened here, now and whenever that changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// A number that grows whenever a key comes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Something could not be opened: look for new keys, where they can't be watched.
    pub fn look_again(&self) {
        self.reload.notify_one();
    }
}

/// How long to wait after a failure, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Keeps the keys until shutdown.
pub async fn run(context: Arc<Context>) -> Result<(), run::Error> {
    let mut user_signal = signal(SignalKind::user_defined1()).map_err(run::Error::CatchSignals)?;
    let watched = context.settings.keys.watch_for_secrets;
    let mut changes = Changes::new(context.client.clone(), context.namespace.clone(), watched);
    let mut pass = Pass::new(Arc::clone(&context));
    let mut retry = RETRY.0;
    tracing::info!("Searching for existing private keys");
    loop {
        let next = match pass.run().await {
            Ok(next) => {
                retry = RETRY.0;
                next
            }
            Err(error) => {
                tracing::warn!(
                    error = run::chain(&error),
                    "keys are not up to date, will retry"
                );
                retry = (retry * 2).min(RETRY.1);
                Some(retry)
            }
        };
        let polls = changes.polls();
        tokio::select! {
            () = context.shutdown.cancelled() => return Ok(()),
            () = changes.next() => {}
            () = context.keys.reload.notified(), if polls => {}
            _ = user_signal.recv() => pass.signalled = true,
            () = tokio::time::sleep(next.unwrap_or(Duration::MAX)) => {}
        }
    }
}

/// What is remembered from pass to pass; after a restart it is found again.
struct Pass {
    context: Arc<Context>,
    policy: Policy,
    loaded: BTreeMap<String, String>,
    reported: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    observed: Option<String>,
    publishing_refused: bool,
    starting: bool,
    signalled: bool,
}

impl Pass {
    fn new(context: Arc<Context>) -> Self {
        let keys = &context.settings.keys;
        let policy = Policy {
            prefix: keys.key_prefix.clone(),
            renew_period: keys.renew_period(),
            cutoff: keys.key_cutoff_time.0,
            take_over: keys.take_over,
        };
        Self {
            policy,
            loaded: BTreeMap::new(),
            reported: BTreeMap::new(),
            taken: BTreeSet::new(),
            observed: None,
            publishing_refused: false,
            starting: true,
            signalled: false,
            context,
        }
    }

    /// Observes, plans and applies until there is nothing more to do; says when to look again.
    async fn run(&mut self) -> Result<Option<Duration>, apply::Error> {
        loop {
            let (world, mut found) = self.observe().await?;
            let plan = plan::plan(&world);
            tracing::debug!(%plan, "keys");
            let again = self.apply(&plan, &mut found.keys).await?;
            self.report(&world);
            if !again {
                self.starting = false;
                return Ok(plan.next);
            }
        }
    }

    async fn observe(&self) -> kube::Result<(World, observe::Found)> {
        let Context {
            client,
            namespace,
            settings,
            ..
        } = &*self.context;
        let found = observe::key_secrets(
            client,
            namespace,
            &self.policy.prefix,
            settings.keys.key_order_priority,
        )
        .await?;
        let other_controller = match found.keys.is_empty() && !self.policy.take_over {
            true => {
                observe::other_controller(client, &settings.unseal.namespaces(namespace)).await?
            }
            false => None,
        };
        let published = match self.publishing_refused {
            true => None,
            false => observe::published(client, namespace).await?,
        };
        let world = World {
            now: Timestamp::now(),
            policy: self.policy.clone(),
            secrets: found.secrets.clone(),
            loaded: self.loaded.clone(),
            reported: self.reported.clone(),
            taken: self.taken.clone(),
            other_controller,
            published,
            starting: self.starting,
            signalled: self.signalled,
        };
        Ok((world, found))
    }

    /// True when the world has to be observed again at once.
    async fn apply(
        &mut self,
        plan: &Plan,
        found: &mut BTreeMap<String, sealing::SealingKey>,
    ) -> Result<bool, apply::Error> {
        let context = Arc::clone(&self.context);
        let Context {
            client,
            namespace,
            settings,
            keys,
            ..
        } = &*context;
        let mut again = false;
        let mut changed = false;
        for step in &plan.steps {
            match step {
                Step::Unload { name } => {
                    keys.keyring.remove(name);
                    self.loaded.remove(name);
                    tracing::info!(secretname = name, "unregistered deleted private key");
                    changed = true;
                }
                Step::Load { name } => {
                    if let Some(key) = found.remove(name) {
                        keys.keyring.insert(key);
                        tracing::info!(secretname = name, "registered private key");
                        changed = true;
                    }
                }
                Step::Report {
                    name,
                    reason,
                    message,
                } => self.report_unusable(name, reason, message).await,
                Step::Generate {
                    name,
                    because,
                    begin,
                } => {
                    tracing::info!(name, %because, "generating a sealing key");
                    if apply::generate(client, namespace, name, *begin, &settings.keys).await?
                        == Generated::NameTaken
                    {
                        self.taken.insert(name.clone());
                    }
                    self.signalled = false;
                    again = true;
                }
                Step::Publish { certificate } => {
                    self.publishing_refused =
                        !apply::publish(client, namespace, certificate).await?;
                    if self.publishing_refused {
                        tracing::warn!(
                            namespace,
                            "may not write the certificate's ConfigMap; it is served at /v1/cert.pem only"
                        );
                    }
                }
                Step::Observe { proof } => self.report_observing(proof).await,
            }
        }
        if changed {
            keys.changes.send_modify(|changes| *changes += 1);
        }
        Ok(again)
    }

    /// What others see, and what this pass leaves to the next one.
    fn report(&mut self, world: &World) {
        let Context { keys, metrics, .. } = &*self.context;
        let version = |secret: &plan::KeySecret| (secret.name.clone(), secret.version.clone());
        let (usable, unusable) = (
            world
                .secrets
                .iter()
                .filter(|secret| matches!(secret.state, plan::State::Usable { .. })),
            world
                .secrets
                .iter()
                .filter(|secret| matches!(secret.state, plan::State::Unusable { .. })),
        );
        self.loaded = usable.map(version).collect();
        self.reported = unusable.map(version).collect();
        metrics
            .keys
            .set(i64::try_from(self.loaded.len()).unwrap_or(i64::MAX));
        metrics
            .keys_unusable
            .set(i64::try_from(self.reported.len()).unwrap_or(i64::MAX));
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

    async fn report_unusable(&self, name: &str, reason: &'static str, message: &str) {
        tracing::error!(
            secretname = name,
            reason,
            message,
            "this sealing key can't be used"
        );
        let key = ObjectReference {
            name: Some(name.to_owned()),
            ..self.reference("Secret")
        };
        let message = format!("this sealing key can't be used: {message}");
        self.warn(&key, reason, message).await;
    }

    async fn report_observing(&mut self, proof: &str) {
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
        let own = ObjectReference {
            name: Some(namespace.clone()),
            ..self.reference("Namespace")
        };
        self.warn(&own, "Observing", message).await;
    }

    fn reference(&self, kind: &str) -> ObjectReference {
        ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some(kind.to_owned()),
            namespace: Some(self.context.namespace.clone()),
            ..ObjectReference::default()
        }
    }

    async fn warn(&self, regarding: &ObjectReference, reason: &'static str, message: String) {
        let event = Event {
            type_: EventType::Warning,
            component: Component::Signet,
            reason,
            message,
        };
        self.context.events.publish(regarding, event).await;
    }
}
