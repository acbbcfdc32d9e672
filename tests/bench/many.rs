//! Rows "N Applications × 4 objects": created at once until all are `Synced` and `Healthy`.

use std::time::Instant;

use super::cluster::Cluster;
use super::fleet::{self, Member};
use super::flood;
use super::harness::{Controller, GitRepository};
use super::kubectl;
use super::measure;
use super::table::{Row, Table};

/// The Applications of a row, all in sync, and who looks after them.
pub(crate) struct Many {
    pub(crate) namespace: String,
    pub(crate) repository: GitRepository,
    pub(crate) controller: Controller,
}

impl Many {
    /// Makes `count` of them and measures how long it takes, beside `kubectl` with the same objects.
    pub(crate) fn create(
        cluster: &Cluster,
        table: &mut Table,
        work: &'static str,
        count: usize,
    ) -> Self {
        let floor = flood::apply(cluster, "flood", |namespace| files(namespace, count));
        let peer = kubectl::apply(cluster, "kubectl", |namespace| files(namespace, count));
        let namespace = cluster.testbed.namespace("apps");
        let repository = GitRepository::create(&namespace);
        let files = files(&namespace, count);
        fleet::commit(&repository, &files);
        let controller = cluster.controller(&[]).ready();
        let (before, start) = (measure::cpu(controller.pid()), Instant::now());
        fleet::create(cluster, Member::folders(&repository, &namespace, count));
        fleet::await_status(cluster, count, |status| {
            status["sync"]["status"] == "Synced" && status["health"]["status"] == "Healthy"
        });
        let wall = start.elapsed().as_secs_f64();
        table.push(Row {
            work,
            ours: wall,
            floor: Some(floor),
            peer: Some(peer),
            notes: format!(
                "{:.2} CPU-s, {:.0} MiB",
                measure::cpu(controller.pid()) - before,
                measure::peak_memory(controller.pid())
            ),
        });
        Self {
            namespace,
            repository,
            controller,
        }
    }

    /// Ends the controller and deletes the Applications with all that is theirs.
    pub(crate) fn delete(self, cluster: &Cluster) {
        self.controller.stop();
        fleet::delete_all(cluster);
        let namespace = &self.namespace;
        let patience = "--timeout=600s";
        cluster
            .testbed
            .kubectl(&["delete", "namespace", namespace, patience]);
    }
}

fn files(namespace: &str, count: usize) -> Vec<(String, String)> {
    let file = |number| (file(number), manifests(namespace, number, "first"));
    (0..count).map(file).collect()
}

/// Where the objects of one Application are.
pub(crate) fn file(number: usize) -> String {
    format!("app-{number}/all.yaml")
}

/// The objects of one Application; all have its name.
pub(crate) fn manifests(namespace: &str, number: usize, value: &str) -> String {
    let metadata = format!("metadata: {{name: app-{number}, namespace: {namespace}}}");
    format!(
        "apiVersion: v1\nkind: ServiceAccount\n{metadata}\n---\n\
         apiVersion: v1\nkind: ConfigMap\n{metadata}\ndata: {{value: {value}}}\n---\n\
         apiVersion: v1\nkind: Service\n{metadata}\nspec: {{selector: {{app: app-{number}}}, ports: [{{port: 80}}]}}\n---\n\
         apiVersion: apps/v1\nkind: Deployment\n{metadata}\nspec:\n  selector: {{matchLabels: {{app: app-{number}}}}}\n  \
         template:\n    metadata: {{labels: {{app: app-{number}}}}}\n    spec:\n      serviceAccountName: app-{number}\n      \
         containers: [{{name: web, image: nginx, envFrom: [{{configMapRef: {{name: app-{number}}}}}]}}]\n"
    )
}
