//! What the cluster says of itself to charts: its version, and every version and kind of every API. Asked for when a chart is
//! rendered, and remembered.
//! It decides nothing: which kinds objects may have is the business of discovery.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use kube::{Client, core::discovery::v2::APIGroupDiscoveryList};
use tokio::sync::Mutex;

use crate::render::ClusterFacts;

/// A cluster is upgraded more rarely than this, and aggregated APIs come and go without a word.
const TRUSTED: Duration = Duration::from_secs(600);
/// A CRD that changed is served some moments later, and many change together.
const AFTER_A_CHANGE: Duration = Duration::from_secs(10);

/// What the cluster last said.
pub(crate) struct Facts {
    client: Client,
    known: Mutex<Option<(Instant, Arc<ClusterFacts>)>>,
    changed: AtomicBool,
}

impl Facts {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            known: Mutex::default(),
            changed: AtomicBool::new(false),
        }
    }

    /// The facts, asked for again when they may have changed.
    ///
    /// # Errors
    /// When the API server is away.
    pub(crate) async fn get(&self) -> Result<Arc<ClusterFacts>, kube::Error> {
        let mut known = self.known.lock().await;
        if let Some((at, facts)) = &*known {
            let trusted = match self.changed.load(Ordering::Relaxed) {
                true => AFTER_A_CHANGE,
                false => TRUSTED,
            };
            if at.elapsed() < trusted {
                return Ok(facts.clone());
            }
        }
        // A change while we ask is not forgotten.
        self.changed.store(false, Ordering::Relaxed);
        let facts = Arc::new(self.ask().await?);
        Ok(known.insert((Instant::now(), facts)).1.clone())
    }

    /// A CRD came, changed or went.
    pub(crate) fn changed(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    async fn ask(&self) -> Result<ClusterFacts, kube::Error> {
        let version = self.client.apiserver_version().await?;
        let core = self.client.list_core_api_versions_aggregated().await?;
        let groups = self.client.list_api_groups_aggregated().await?;
        let mut api_versions: Vec<_> = [core, groups].iter().flat_map(api_versions).collect();
        api_versions.sort();
        api_versions.dedup();
        Ok(ClusterFacts {
            kube_version: version.git_version,
            api_versions,
        })
    }
}

/// `apps/v1` and `apps/v1/Deployment`, for each version and each kind; without the group for the core group.
fn api_versions(list: &APIGroupDiscoveryList) -> Vec<String> {
    let mut found = Vec::new();
    for group in &list.items {
        let metadata = group.metadata.as_ref();
        let name = metadata.and_then(|metadata| metadata.name.as_deref());
        for version in &group.versions {
            let number = version.version.as_deref().unwrap_or_default();
            let api_version = match name.unwrap_or_default() {
                "" => number.to_owned(),
                group => format!("{group}/{number}"),
            };
            for resource in &version.resources {
                let kind = resource.response_kind.as_ref();
                let kind = kind.and_then(|kind| kind.kind.as_deref());
                found.extend(kind.map(|kind| format!("{api_version}/{kind}")));
            }
            found.push(api_version);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn charts_are_told_versions_and_kinds() {
        let list = json!({"items": [
            {"versions": [{"version": "v1", "resources": [
                {"resource": "pods", "responseKind": {"group": "", "version": "v1", "kind": "Pod"}, "scope": "Namespaced", "verbs": ["get"]}
            ]}]},
            {"metadata": {"name": "apps"}, "versions": [{"version": "v1", "resources": [
                {"resource": "deployments", "responseKind": {"group": "apps", "version": "v1", "kind": "Deployment"}, "scope": "Namespaced", "verbs": ["get"]}
            ]}]},
        ]});
        let list = serde_json::from_value(list).unwrap();
        assert_eq!(
            api_versions(&list),
            ["v1/Pod", "v1", "apps/v1/Deployment", "apps/v1"]
        );
    }
}
