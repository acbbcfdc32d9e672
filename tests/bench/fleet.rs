//! Applications of a row: created at once, awaited by a watch, deleted again. It measures nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::runtime::watcher;
use serde_json::{Value, json};

use super::cluster::{Cluster, NAMESPACE, until};
use super::harness::GitRepository;

/// Where an Application takes its objects from, and where it puts them.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) path: String,
    pub(crate) namespace: String,
    /// Whether it syncs by itself.
    pub(crate) automated: bool,
}

impl Member {
    /// `app-0`, `app-1` …, each with the folder of its name, and in sync by itself.
    pub(crate) fn folders(
        repository: &GitRepository,
        namespace: &str,
        count: usize,
    ) -> impl Iterator<Item = Member> {
        (0..count).map(|number| Member {
            name: format!("app-{number}"),
            url: repository.url().to_owned(),
            path: format!("app-{number}"),
            namespace: namespace.to_owned(),
            automated: true,
        })
    }

    fn object(&self) -> DynamicObject {
        let mut application = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": { "name": self.name },
            "spec": {
                "project": "default",
                "source": { "repoURL": self.url, "path": self.path, "targetRevision": "main" },
                "destination": { "server": "https://kubernetes.default.svc", "namespace": self.namespace },
            },
        });
        if self.automated {
            application["spec"]["syncPolicy"] =
                json!({ "automated": { "prune": true, "selfHeal": true } });
        }
        serde_json::from_value(application).unwrap()
    }
}

/// Commits what the Applications have in the repository.
pub(crate) fn commit(repository: &GitRepository, files: &[(String, String)]) {
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    repository.commit(&files, "first");
}

pub(crate) fn create(cluster: &Cluster, members: impl IntoIterator<Item = Member>) {
    let api = applications(cluster);
    let create = stream::iter(members).for_each_concurrent(8, |member| {
        let api = api.clone();
        async move {
            let object = member.object();
            api.create(&PostParams::default(), &object).await.unwrap();
        }
    });
    cluster.runtime.block_on(create);
}

/// Returns as soon as a watch has shown `count` Applications with such a status.
pub(crate) fn await_status(cluster: &Cluster, count: usize, done: impl Fn(&Value) -> bool) {
    let watch = async {
        let mut seen = BTreeSet::new();
        let mut events = std::pin::pin!(watcher(applications(cluster), watcher::Config::default()));
        while seen.len() < count {
            let Some(event) = events.try_next().await.unwrap() else {
                break;
            };
            if let watcher::Event::Apply(application) | watcher::Event::InitApply(application) =
                event
                && done(&application.data["status"])
            {
                seen.insert(application.metadata.name);
            }
        }
    };
    cluster.runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(600), watch)
            .await
            .expect("all get there within ten minutes");
    });
}

/// Tells the controller to look at the repository of an Application now.
pub(crate) async fn refresh(cluster: &Cluster, name: &str) {
    annotate(cluster, name, &json!("normal")).await;
}

/// Takes that back.
pub(crate) async fn forget_refresh(cluster: &Cluster, name: &str) {
    annotate(cluster, name, &Value::Null).await;
}

async fn annotate(cluster: &Cluster, name: &str, value: &Value) {
    let told = json!({ "metadata": { "annotations": { "argocd.argoproj.io/refresh": value } } });
    applications(cluster)
        .patch(name, &PatchParams::default(), &Patch::Merge(&told))
        .await
        .unwrap();
}

/// An Application as it stands.
pub(crate) fn application(cluster: &Cluster, name: &str) -> DynamicObject {
    let application = cluster.runtime.block_on(applications(cluster).get(name));
    application.unwrap()
}

/// Deletes all Applications, and leaves their objects.
pub(crate) fn delete_all(cluster: &Cluster) {
    let api = applications(cluster);
    let (how, which) = (DeleteParams::default(), ListParams::default());
    let deleted = cluster
        .runtime
        .block_on(api.delete_collection(&how, &which));
    deleted.unwrap();
    until("the Applications are gone", || {
        let left = cluster.runtime.block_on(api.list(&which.clone().limit(1)));
        left.unwrap().items.is_empty()
    });
}

fn applications(cluster: &Cluster) -> Api<DynamicObject> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk(
        "argoproj.io",
        "v1alpha1",
        "Application",
    ));
    Api::namespaced_with(cluster.client.clone(), NAMESPACE, &kind)
}
