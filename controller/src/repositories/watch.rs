//! Follows the repository Secrets and the two ConfigMaps of our namespace.
//! It decodes what it sees and decides nothing.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use futures::{Stream, StreamExt, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use serde::de::DeserializeOwned;

use super::{Known, Repositories, RepositorySecret};
use crate::dialect::{
    REPOSITORY_SELECTOR,
    repository_config::{HOST_KEYS, HOST_KEYS_KEY, TLS_CERTIFICATES},
};
use crate::watch_backoff::WatchBackoff;

/// What one of the three watches says.
enum Seen {
    Secret(Event<Secret>),
    Certificates(Event<ConfigMap>),
    HostKeys(Event<ConfigMap>),
}

/// What has been seen so far.
#[derive(Default)]
struct Memory {
    secrets: BTreeMap<String, Option<RepositorySecret>>,
    certificates: Option<ConfigMap>,
    host_keys: Option<ConfigMap>,
    /// Which of the three lists are whole.
    whole: [bool; 3],
}

impl Repositories {
    /// Follows the Secrets and ConfigMaps of `namespace` for ever, and tells `learn` what is known whenever that changes.
    pub async fn watch(client: Client, namespace: &str, learn: impl Fn(Known)) {
        let mut events = seen(client, namespace);
        let mut memory = Memory::default();
        while let Some(event) = events.next().await {
            if memory.note(event) {
                learn(memory.known());
            }
        }
    }
}

fn seen(client: Client, namespace: &str) -> impl Stream<Item = Seen> + Unpin {
    let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
    let maps: Api<ConfigMap> = Api::namespaced(client, namespace);
    let labelled = watcher::Config::default().labels(REPOSITORY_SELECTOR);
    let named = |name: &str| watcher::Config::default().fields(&format!("metadata.name={name}"));
    stream::select_all([
        follow(secrets, labelled).map(Seen::Secret).boxed(),
        follow(maps.clone(), named(TLS_CERTIFICATES))
            .map(Seen::Certificates)
            .boxed(),
        follow(maps, named(HOST_KEYS)).map(Seen::HostKeys).boxed(),
    ])
}

fn follow<K>(api: Api<K>, config: watcher::Config) -> impl Stream<Item = Event<K>> + Send
where
    K: kube::Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let kind = K::kind(&());
    watcher::watcher(api, config)
        .backoff(WatchBackoff::new())
        .filter_map(move |event| {
            let kind = kind.clone();
            async move {
                event
                    .inspect_err(|error| tracing::warn!(%error, %kind, "watching what is said of repositories failed"))
                    .ok()
            }
        })
}

impl Memory {
    /// Takes one event in; true when all is whole, so that what is known may have changed.
    fn note(&mut self, seen: Seen) -> bool {
        match seen {
            Seen::Secret(event) => self.note_secret(event),
            Seen::Certificates(event) => {
                note_map(&mut self.certificates, &mut self.whole[1], event);
            }
            Seen::HostKeys(event) => note_map(&mut self.host_keys, &mut self.whole[2], event),
        }
        self.whole == [true; 3]
    }

    fn note_secret(&mut self, event: Event<Secret>) {
        match event {
            Event::Init => {
                self.secrets.clear();
                self.whole[0] = false;
            }
            Event::InitApply(secret) | Event::Apply(secret) => {
                self.secrets
                    .insert(secret.name_any(), RepositorySecret::decode(&secret));
            }
            Event::InitDone => self.whole[0] = true,
            Event::Delete(secret) => {
                self.secrets.remove(&secret.name_any());
            }
        }
    }

    fn known(&self) -> Known {
        let data = |map: &Option<ConfigMap>| map.as_ref().and_then(|map| map.data.clone());
        let host_keys = data(&self.host_keys)
            .unwrap_or_default()
            .remove(HOST_KEYS_KEY);
        Known {
            secrets: self.secrets.values().flatten().cloned().collect(),
            authorities: data(&self.certificates)
                .unwrap_or_default()
                .into_iter()
                .map(|(host, pem)| (host.to_ascii_lowercase(), Arc::from(pem)))
                .collect(),
            host_keys: Arc::from(host_keys.unwrap_or_default()),
        }
    }
}

/// Takes one event about the one ConfigMap in; it is `whole` once it is known whether there is one.
fn note_map(kept: &mut Option<ConfigMap>, whole: &mut bool, event: Event<ConfigMap>) {
    match event {
        Event::Init => (*kept, *whole) = (None, false),
        Event::InitApply(map) | Event::Apply(map) => *kept = Some(map),
        Event::InitDone => *whole = true,
        Event::Delete(_) => *kept = None,
    }
}
