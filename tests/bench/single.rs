//! One ConfigMap of many: how long until a commit to it is live, and until it is back once somebody deleted it.

use std::pin::Pin;
use std::time::{Duration, Instant};

use futures::{Stream, TryStreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};
use kube::runtime::watcher::{self, Event, watcher};

use super::cluster::Cluster;
use super::fleet;
use super::harness::GitRepository;
use super::table::{Row, median};

/// A ConfigMap with a `value`, written in a file of a repository, and the Application that it belongs to.
pub(crate) struct Single<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) repository: &'a GitRepository,
    pub(crate) application: String,
    pub(crate) namespace: &'a str,
    pub(crate) name: String,
}

impl Single<'_> {
    /// Seconds from telling the controller of a commit, which makes the ConfigMap's value `second`, to the live object.
    pub(crate) fn commit(&self, file: &str, text: &str) -> f64 {
        self.repository.commit(&[(file, text)], "second");
        self.cluster.runtime.block_on(async {
            let mut events = self.events().await;
            let start = Instant::now();
            fleet::refresh(self.cluster, &self.application).await;
            let is_new = |map: &ConfigMap| {
                let data = map.data.as_ref();
                data.is_some_and(|data| data["value"] == "second")
            };
            until(&mut events, is_new).await;
            start.elapsed().as_secs_f64()
        })
    }

    /// Seconds from the answer to a deletion to another object under that name.
    pub(crate) fn delete(&self) -> f64 {
        self.cluster.runtime.block_on(async {
            let maps = self.config_maps();
            let old = maps.get(&self.name).await.unwrap().metadata.uid;
            let mut events = self.events().await;
            maps.delete(&self.name, &DeleteParams::default())
                .await
                .unwrap();
            let start = Instant::now();
            until(&mut events, |map| map.metadata.uid != old).await;
            start.elapsed().as_secs_f64()
        })
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.cluster.client.clone(), self.namespace)
    }

    /// A watch that has told what there is now. Asking again and again would take processor time from those who are measured.
    async fn events(&self) -> Pin<Box<dyn Stream<Item = watcher::Result<Event<ConfigMap>>>>> {
        let named = format!("metadata.name={}", self.name);
        let config = watcher::Config::default().fields(&named);
        let mut events = Box::pin(watcher(self.config_maps(), config));
        while !matches!(events.try_next().await.unwrap(), Some(Event::InitDone)) {}
        events
    }
}

async fn until(
    events: &mut (impl Stream<Item = watcher::Result<Event<ConfigMap>>> + Unpin),
    done: impl Fn(&ConfigMap) -> bool,
) {
    let watch = async {
        while let Some(event) = events.try_next().await.unwrap() {
            if matches!(&event, Event::Apply(map) if done(map)) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), watch)
        .await
        .expect("the ConfigMap changes within a minute");
}

/// The row of several such times.
pub(crate) fn row(work: &'static str, times: Vec<f64>) -> Row {
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let notes = format!("slowest of {}: {:.0} ms", times.len(), slowest * 1e3);
    Row {
        work,
        ours: median(times),
        notes,
        ..Row::default()
    }
}
