//! One ConfigMap of many: how long until a commit to it is live, and until it is back once somebody deleted it.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams};

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
            let start = Instant::now();
            fleet::refresh(self.cluster, &self.application).await;
            self.until(|map| {
                map.data
                    .as_ref()
                    .is_some_and(|data| data["value"] == "second")
            })
            .await;
            start.elapsed().as_secs_f64()
        })
    }

    /// Seconds from the answer to a deletion to another object under that name.
    pub(crate) fn delete(&self) -> f64 {
        self.cluster.runtime.block_on(async {
            let old = self.map().await.unwrap().metadata.uid;
            self.config_maps()
                .delete(&self.name, &DeleteParams::default())
                .await
                .unwrap();
            let start = Instant::now();
            self.until(|map| map.metadata.uid != old).await;
            start.elapsed().as_secs_f64()
        })
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.cluster.client.clone(), self.namespace)
    }

    async fn map(&self) -> Option<ConfigMap> {
        self.config_maps().get_opt(&self.name).await.unwrap()
    }

    async fn until(&self, done: impl Fn(&ConfigMap) -> bool) {
        let start = Instant::now();
        while !self.map().await.is_some_and(|map| done(&map)) {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "ConfigMap {} did not change within a minute",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
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
