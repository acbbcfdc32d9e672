//! One look at the keys after the other: observe, plan, apply, report, until there is nothing more to do.
//! It must not choose: what to do and why stands in the plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use sealing::SealingKey;

use super::apply::{self, Generated, Published};
use super::observe;
use super::plan::{self, Plan, Policy, Step, World};
use super::report;
use crate::context::Context;

/// What is remembered from pass to pass; after a restart it is found again.
pub(super) struct Pass {
    pub(super) context: Arc<Context>,
    policy: Policy,
    pub(super) loaded: BTreeMap<String, String>,
    pub(super) reported: BTreeMap<String, String>,
    taken: BTreeSet<String>,
    pub(super) observed: Option<String>,
    /// The certificate's ConfigMap can't be read, and that was told.
    unpublished: bool,
    starting: bool,
    newest_at_start: Option<String>,
    pub(super) signalled: bool,
}

/// What one plan's steps left to do.
#[derive(Default)]
struct Done {
    /// The world has to be observed again at once.
    again: bool,
    /// Keys came or went.
    changed: bool,
    /// The first step that failed. The others were taken all the same.
    failed: Option<apply::Error>,
}

impl Pass {
    pub(super) fn new(context: Arc<Context>) -> Self {
        let keys = &context.settings.keys;
        let policy = Policy {
            prefix: keys.key_prefix.clone(),
            renew_period: keys.renew_period.0,
            cutoff: keys.key_cutoff_time.0,
            take_over: keys.take_over,
        };
        Self {
            policy,
            loaded: BTreeMap::new(),
            reported: BTreeMap::new(),
            taken: BTreeSet::new(),
            observed: None,
            unpublished: false,
            starting: true,
            newest_at_start: None,
            signalled: false,
            context,
        }
    }

    /// Observes, plans and applies until there is nothing more to do; says when to look again.
    pub(super) async fn run(&mut self) -> Result<Option<Duration>, apply::Error> {
        loop {
            let (world, mut found) = self.observe().await?;
            let plan = plan::plan(&world);
            tracing::debug!(%plan, "keys");
            let done = self.apply(&plan, &mut found.keys).await;
            self.report(&world, done.changed);
            if !plan.generates() {
                self.newest_at_start = None;
            }
            match done.failed {
                Some(error) => return Err(error),
                None if done.again => {}
                None => return Ok(plan.next),
            }
        }
    }

    async fn observe(&mut self) -> kube::Result<(World, observe::Found)> {
        let context = Arc::clone(&self.context);
        let (client, namespace) = (&context.client, &context.namespace);
        let order = context.settings.keys.key_order_priority;
        let found = observe::key_secrets(client, namespace, &self.policy.prefix, order).await?;
        let other_controller = match found.keys.is_empty() && !self.policy.take_over {
            true => {
                let scope = context.settings.unseal.namespaces(namespace);
                observe::other_controller(client, &scope).await?
            }
            false => None,
        };
        let published = observe::published(client, namespace).await?;
        if published.is_none() && !std::mem::replace(&mut self.unpublished, true) {
            tracing::info!(
                namespace,
                "may not read the certificate's ConfigMap, so it is served at /v1/cert.pem only"
            );
        }
        if std::mem::take(&mut self.starting) {
            self.newest_at_start = plan::newest(&found.secrets).map(|key| key.name.clone());
        }
        let world = World {
            now: Timestamp::now(),
            policy: self.policy.clone(),
            secrets: found.secrets.clone(),
            loaded: self.loaded.clone(),
            reported: self.reported.clone(),
            taken: self.taken.clone(),
            other_controller,
            published,
            newest_at_start: self.newest_at_start.clone(),
            signalled: self.signalled,
        };
        Ok((world, found))
    }

    /// Takes every step, also after one that failed: a key in hand is used though another can't be made.
    async fn apply(&mut self, plan: &Plan, found: &mut BTreeMap<String, SealingKey>) -> Done {
        let mut done = Done::default();
        for step in &plan.steps {
            if let Err(error) = self.step(step, found, &mut done).await {
                report::failure(&self.context, &error).await;
                done.failed.get_or_insert(error);
            }
        }
        done
    }

    async fn step(
        &mut self,
        step: &Step,
        found: &mut BTreeMap<String, SealingKey>,
        done: &mut Done,
    ) -> Result<(), apply::Error> {
        let context = Arc::clone(&self.context);
        let (client, namespace) = (&context.client, &context.namespace);
        match step {
            Step::Unload { name } => {
                done.changed |= context.keyring.remove(name);
                tracing::info!(secretname = name, "unregistered deleted private key");
            }
            Step::Load { name } => {
                if let Some(key) = found.remove(name) {
                    context.keyring.insert(key);
                    done.changed = true;
                    tracing::info!(secretname = name, "registered private key");
                }
            }
            Step::Report {
                name,
                reason,
                message,
            } => report::unusable(&context, name, reason, message).await,
            Step::Generate {
                name,
                because,
                begin,
            } => {
                tracing::info!(name, %because, "generating a sealing key");
                let keys = &context.settings.keys;
                let generated = apply::generate(client, namespace, name, *begin, keys).await?;
                if generated == Generated::NameTaken {
                    tracing::info!(name, "another process made this key first");
                    self.taken.insert(name.clone());
                }
                self.signalled = false;
                done.again = true;
            }
            Step::Publish { certificate } => {
                let published = apply::publish(client, namespace, certificate).await?;
                done.again |= published == Published::Interfered;
            }
            Step::Observe { proof } => self.report_observing(proof).await,
        }
        Ok(())
    }
}
