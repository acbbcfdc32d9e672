//! Whether the SealedSecrets that an Application wants can be opened.
//! It keeps no value: only that one opens, or why it doesn't.

use std::collections::{BTreeMap, BTreeSet};

use sealing::Fingerprint;
use serde_json::Value;

use crate::sync::{
    desired::Desired,
    engine::Engine,
    key::ObjectKey,
    observe::applications::AppId,
    world::{Live, LiveState},
};

impl Engine {
    /// Tries each wanted SealedSecret that is new or changed, once for each content that opens.
    pub(super) async fn opening(
        &self,
        app: &AppId,
        wanted: Option<&Desired>,
        live: &BTreeMap<ObjectKey, Live>,
    ) -> BTreeMap<ObjectKey, Result<(), String>> {
        let opening = self.tried(app, wanted, live).await;
        let opened = opening.iter().filter(|(_, result)| result.is_ok());
        let wanted = opened.filter_map(|(key, _)| wanted?.objects.get(key));
        let opened: Vec<_> = wanted
            .map(|wanted| (wanted.key.clone(), wanted.hash))
            .collect();
        self.memories.with(app, |memory| {
            memory.locked = opening.values().any(Result::is_err);
            memory.opened.extend(opened);
        });
        opening
    }

    /// The same, and nothing of it is remembered.
    pub(super) async fn tried(
        &self,
        app: &AppId,
        wanted: Option<&Desired>,
        live: &BTreeMap<ObjectKey, Live>,
    ) -> BTreeMap<ObjectKey, Result<(), String>> {
        use crds::names::sealed_secret::{GROUP, KIND};
        let mut opening = BTreeMap::new();
        if !self.context.unsealer.unseals_here() {
            return opening;
        }
        let opened = self.memories.get(app).opened;
        let sealed = wanted
            .into_iter()
            .flat_map(|desired| desired.objects.values())
            .filter(|wanted| wanted.key.is(GROUP, KIND));
        for wanted in sealed {
            let settled = match live.get(&wanted.key).map(|live| &live.state) {
                Some(LiveState::Matches(hash)) => *hash == wanted.hash,
                Some(LiveState::Unverified) => true,
                _ => false,
            };
            if settled {
                continue;
            }
            let result = if opened.get(&wanted.key) == Some(&wanted.hash) {
                Ok(())
            } else {
                self.opens(&wanted.object).await.map(drop)
            };
            opening.insert(wanted.key.clone(), result);
        }
        opening
    }

    /// Wakes, for ever, the Applications with something that a new sealing key may open.
    pub(in crate::sync) async fn follow_keys(&self) {
        let mut changes = self.context.keys.changes();
        while changes.changed().await.is_ok() {
            self.wake_apps(
                self.applications
                    .ids()
                    .into_iter()
                    .filter(|app| self.memories.get(app).locked),
            );
        }
    }

    /// The sealing keys that open a SealedSecret, by the names of their Secrets; none where it does not open.
    pub(in crate::sync) async fn opened_by(&self, object: &Value) -> Vec<String> {
        let opened = self.opens(object).await.unwrap_or_default();
        let keys = self.context.keyring.keys().into_iter();
        let opened = keys.filter(|key| opened.contains(key.private.fingerprint()));
        opened.map(|key| key.name.clone()).collect()
    }

    async fn opens(&self, object: &Value) -> Result<BTreeSet<Fingerprint>, String> {
        let sealed =
            crds::decode::<crds::SealedSecret>(object).map_err(|error| error.to_string())?;
        let keyring = self.context.keyring.clone();
        let tried = tokio::task::spawn_blocking(move || sealing::opens(&sealed, &keyring)).await;
        match tried {
            // Items with different problems stand on lines of their own.
            Ok(opened) => opened.map_err(|error| error.to_string().replace('\n', ", ")),
            Err(broken) => Err(format!("opening broke off: {broken}")),
        }
    }
}
