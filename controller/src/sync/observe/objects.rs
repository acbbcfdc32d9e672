//! Live objects that one Application wants, remembers or tracks.
//! It must not know why they are wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use kube::{Api, api::DynamicObject};
use tokio::time::timeout;

use super::subject::Subject;
use super::{inventory, namespace_kind};
use crate::dialect::NamespaceMetadata;
use crate::sync::{
    desired::Desired,
    engine::Engine,
    key::{GroupKind, ObjectKey},
    kinds::Kinds,
    observe::applications::AppId,
    observe::discovery::api_resource,
    observe::live::Answer,
    observe::memory::is_due_again,
    plan::recorded,
    world::{DestinationNamespace, Live},
};

/// An object of a kind that can't be listed is waited for so long.
const LONGEST: Duration = Duration::from_secs(5);

/// GETs of one pass at a time, for objects that no watch told of.
const LOOKS: usize = 8;

/// What the cluster holds for one Application.
pub(super) struct Observed {
    pub(super) live: BTreeMap<ObjectKey, Live>,
    pub(super) namespace: DestinationNamespace,
    pub(super) namespace_metadata: NamespaceMetadata,
    pub(super) unlisted: BTreeSet<GroupKind>,
}

impl Observed {
    /// Nothing was looked at.
    pub(super) fn nothing() -> Self {
        Self {
            live: BTreeMap::new(),
            namespace: DestinationNamespace::NotNamed,
            namespace_metadata: NamespaceMetadata::default(),
            unlisted: BTreeSet::new(),
        }
    }
}

impl Engine {
    /// Live objects that are wanted, remembered or tracked. Kinds are watched before they are asked for, so that no change is missed
    /// between the answer and the watch.
    pub(super) async fn cluster(
        &self,
        app: &AppId,
        subject: &Subject,
        wanted: Option<&Desired>,
        kinds: &Kinds,
    ) -> Result<Observed, kube::Error> {
        let mut versions: BTreeMap<GroupKind, String> = BTreeMap::new();
        let mut keys: BTreeSet<ObjectKey> = BTreeSet::new();
        for (key, version) in inventory(&subject.facts.status) {
            versions.insert(key.group_kind(), version);
            keys.insert(key);
        }
        for result in recorded::hooks(&subject.facts.status) {
            let key = recorded::key_of_result(result);
            versions.insert(key.group_kind(), result.version.clone());
            keys.insert(key);
        }
        for wanted in wanted.into_iter().flat_map(Desired::all) {
            versions.insert(wanted.key.group_kind(), wanted.version.clone());
            keys.insert(wanted.key.clone());
        }
        let namespace = subject
            .intent
            .as_ref()
            .ok()
            .map(|intent| intent.destination.namespace.as_str())
            .filter(|name| !name.is_empty());
        let namespace = namespace.map(|name| ObjectKey::new(&namespace_kind(), None, name));
        versions
            .entry(namespace_kind())
            .or_insert_with(|| "v1".to_owned());
        let apart = namespace.as_ref().filter(|key| !keys.contains(key));
        self.live.index().concern(app, keys.iter().chain(apart));
        let unlisted = self.watch(&versions, kinds).await;
        keys.extend(
            self.live
                .index()
                .tracked_by(&subject.facts.tracking_name)
                .cloned(),
        );
        self.look(
            app,
            keys.iter().chain(&namespace),
            &versions,
            &unlisted,
            kinds,
        )
        .await?;
        let index = self.live.index();
        let live = keys.into_iter().filter_map(|key| match index.answer(&key) {
            Answer::Present(live) => Some((key, *live)),
            Answer::Absent | Answer::Unasked => None,
        });
        let live = live.collect();
        let (namespace, namespace_metadata) = match namespace.map(|key| index.answer(&key)) {
            Some(Answer::Present(live)) => destination(&live),
            Some(Answer::Absent | Answer::Unasked) => {
                (DestinationNamespace::Missing, NamespaceMetadata::default())
            }
            None => (DestinationNamespace::NotNamed, NamespaceMetadata::default()),
        };
        Ok(Observed {
            live,
            namespace,
            namespace_metadata,
            unlisted,
        })
    }

    async fn watch(
        &self,
        versions: &BTreeMap<GroupKind, String>,
        kinds: &Kinds,
    ) -> BTreeSet<GroupKind> {
        let served = versions
            .iter()
            .filter_map(|(kind, version)| api_resource(kinds, kind, version));
        let resources = served.map(|(resource, _)| resource).collect();
        self.live.watch(resources).await
    }

    /// Asks for what no watch told of: it may exist without a tracking id. Of a kind whose listing is not whole that is everything.
    /// Such are asked for now and then, and not for long: what can't be listed may not answer at all.
    async fn look<'a>(
        &self,
        app: &AppId,
        keys: impl Iterator<Item = &'a ObjectKey> + Send,
        versions: &BTreeMap<GroupKind, String>,
        unlisted: &BTreeSet<GroupKind>,
        kinds: &Kinds,
    ) -> Result<(), kube::Error> {
        let asks_one_by_one = !unlisted.is_empty()
            && self.memories.with(app, |memory| {
                let is_due = is_due_again(memory.asked_unlisted);
                if is_due {
                    memory.asked_unlisted = Some(Instant::now());
                }
                is_due
            });
        let unasked: Vec<_> = {
            let index = self.live.index();
            keys.filter(|key| match unlisted.contains(&key.group_kind()) {
                true => asks_one_by_one,
                false => index.is_unasked(key),
            })
            .collect()
        };
        let looks = unasked.into_iter().filter_map(|key| {
            let kind = key.group_kind();
            let (resource, namespaced) = api_resource(kinds, &kind, versions.get(&kind)?)?;
            let client = self.context.client.clone();
            let api: Api<DynamicObject> = match (key.namespace(), namespaced) {
                (Some(namespace), true) => Api::namespaced_with(client, namespace, &resource),
                _ => Api::all_with(client, &resource),
            };
            Some(async move {
                let get = api.get_opt(key.name());
                let answer = match unlisted.contains(&kind) {
                    true => match timeout(LONGEST, get).await {
                        Ok(answer) => answer,
                        Err(_) => return Ok(()),
                    },
                    false => get.await,
                };
                match answer {
                    Ok(Some(object)) => self.live.see(key, self.live.sight(object, &resource)),
                    Ok(None) if unlisted.contains(&kind) => {
                        // No watch tells of its deletion.
                        self.live.index().lose(key, None);
                    }
                    Ok(None) => self.live.index().absent(key),
                    // Nothing is known of it then: applying it tells why.
                    Err(kube::Error::Api(status)) => {
                        tracing::debug!(%key, error = %status.message, "an object can't be read")
                    }
                    Err(error) => return Err(error),
                }
                Ok(())
            })
        });
        let looks: Vec<_> = looks.collect();
        stream::iter(looks)
            .buffer_unordered(LOOKS)
            .try_collect()
            .await
    }
}

/// How the destination namespace stands, with its labels and annotations.
pub(super) fn destination(live: &Live) -> (DestinationNamespace, NamespaceMetadata) {
    let map = |field: &str| {
        let map = live.metadata.get(field).cloned().unwrap_or_default();
        serde_json::from_value::<Option<_>>(map)
            .ok()
            .flatten()
            .unwrap_or_default()
    };
    let stands = match live.deleting {
        true => DestinationNamespace::Terminating,
        false => DestinationNamespace::Exists,
    };
    let carries = NamespaceMetadata {
        labels: map("labels"),
        annotations: map("annotations"),
    };
    (stands, carries)
}
