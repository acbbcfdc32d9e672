//! Today's tool for objects that lie in files: one `kubectl apply --server-side` of all of them.

use std::path::Path;
use std::time::Instant;

use super::cluster::Cluster;

/// Seconds until all these files are applied, and all Deployments among them available. What was made is deleted again.
pub(crate) fn apply(
    cluster: &Cluster,
    prefix: &str,
    files: impl FnOnce(&str) -> Vec<(String, String)>,
) -> f64 {
    let (testbed, namespace) = (&cluster.testbed, &cluster.testbed.namespace(prefix));
    let folder = testbed.path(namespace);
    for (path, text) in files(namespace) {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let start = Instant::now();
    let folder = folder.display().to_string();
    testbed.kubectl(&["apply", "--server-side", "--recursive", "-f", &folder]);
    await_deployments(cluster, namespace);
    let wall = start.elapsed().as_secs_f64();
    delete_namespace(cluster, namespace);
    wall
}

/// Returns once all Deployments of a namespace are available.
pub(crate) fn await_deployments(cluster: &Cluster, namespace: &str) {
    let testbed = &cluster.testbed;
    let deployments = testbed.kubectl(&["get", "deployments", "-o", "name", "-n", namespace]);
    if !deployments.is_empty() {
        testbed.kubectl(&[
            "wait",
            "deployment",
            "--all",
            "--for=condition=Available",
            "--namespace",
            namespace,
            "--timeout=600s",
        ]);
    }
}

pub(crate) fn delete_namespace(cluster: &Cluster, namespace: &str) {
    let delete = ["delete", "namespace", namespace, "--timeout=600s"];
    cluster.testbed.kubectl(&delete);
}
