//! Which changes of Secrets the Pods of an Application have to be started with.
//! It asks the cluster for nothing: what has changed is noted where SealedSecrets are opened.

use std::collections::BTreeMap;

use tokio::sync::broadcast::error::RecvError;

use crate::sync::desired::Desired;
use crate::sync::desired::restarts::{SecretItems, digest};
use crate::sync::engine::Engine;
use crate::sync::key::ObjectKey;
use crate::sync::queue::Lane;
use crate::unseal::ObjectName;

impl Engine {
    /// For each workload that uses Secrets of which something has changed, a digest of the changes.
    pub(super) fn restarts(&self, wanted: Option<&Desired>) -> BTreeMap<ObjectKey, String> {
        let workloads = wanted.into_iter().flat_map(|desired| &desired.secret_items);
        let restart = |key: &ObjectKey, items| {
            let changed = |secret: &str| {
                let name = ObjectName {
                    namespace: key.namespace_or_empty().to_owned(),
                    name: secret.to_owned(),
                };
                self.context.unsealer.changes().of(&name)
            };
            digest(items, changed)
        };
        workloads
            .filter_map(|(key, items)| Some((key.clone(), restart(key, items)?)))
            .collect()
    }

    /// Wakes, for ever, the Applications whose Pods use a Secret that has changed.
    pub(in crate::sync) async fn follow_changed_secrets(&self) {
        let mut news = self.context.unsealer.changes().news();
        loop {
            let changed = match news.recv().await {
                Ok(name) => Some(name),
                // Too many to be told apart: whoever uses any looks.
                Err(RecvError::Lagged(_)) => None,
                Err(RecvError::Closed) => return,
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
