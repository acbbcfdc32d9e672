//! Which Secrets the Pods of an Application use, what is noted on these, and what the Pods were started with.
//! It asks the cluster for nothing: what has changed is noted where SealedSecrets are opened.

use std::collections::BTreeMap;

use tokio::sync::broadcast::error::RecvError;

use crate::restart::plan::World;
use crate::sync::desired::Desired;
use crate::sync::desired::restarts::SecretItems;
use crate::sync::engine::Engine;
use crate::sync::key::ObjectKey;
use crate::sync::queue::Lane;
use crate::sync::world::Live;
use crate::unseal::ObjectName;

impl Engine {
    /// The workloads that use Secrets, where all Secrets are known.
    pub(super) fn restarts(
        &self,
        wanted: Option<&Desired>,
        live: &BTreeMap<ObjectKey, Live>,
    ) -> BTreeMap<ObjectKey, World> {
        let changes = self.context.unsealer.changes();
        let workloads = wanted.into_iter().flat_map(|desired| &desired.secret_items);
        let known = workloads.filter(|(key, _)| changes.are_known(key.namespace_or_empty()));
        let world = |key: &ObjectKey, uses: &SecretItems| {
            let changed = uses.keys().filter_map(|secret| {
                let name = ObjectName {
                    namespace: key.namespace_or_empty().to_owned(),
                    name: secret.clone(),
                };
                Some((secret.clone(), changes.of(&name)?))
            });
            let started_with = live.get(key).and_then(Live::started_with);
            World::new(uses.clone(), changed.collect(), started_with)
        };
        known
            .map(|(key, uses)| (key.clone(), world(key, uses)))
            .collect()
    }

    /// Wakes, for ever, the Applications whose Pods use a Secret that has changed, and all that use any once more of them are known.
    pub(in crate::sync) async fn follow_changed_secrets(&self) {
        let changes = self.context.unsealer.changes();
        let (mut news, mut known) = (changes.news(), changes.known());
        loop {
            let changed = tokio::select! {
                changed = news.recv() => match changed {
                    Ok(name) => Some(name),
                    // Too many to be told apart: whoever uses any looks.
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return,
                },
                Ok(()) = known.changed() => None,
            };
            let concerns = |desired: &Desired| {
                let uses = |(key, items): (&ObjectKey, &_)| uses(key, items, changed.as_ref());
                desired.secret_items.iter().any(uses)
            };
            for app in self.memories.wanting(concerns) {
                self.queue.wake(&app, Lane::Prompt);
            }
        }
    }
}

fn uses(key: &ObjectKey, items: &SecretItems, changed: Option<&ObjectName>) -> bool {
    changed.is_none_or(|changed| {
        key.namespace_or_empty() == changed.namespace && items.contains_key(&changed.name)
    })
}
