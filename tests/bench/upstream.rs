//! Upstream's controller as a Pod of the testbed, under cluster-admin and with its client limit off. It measures nothing.

use super::cluster::{Cluster, until};
use super::measure;
use super::sealed::{KeyPair, put_keys};

const PROGRAM: &str = "sealed-secrets-controller";

pub(crate) struct Upstream<'a> {
    cluster: &'a Cluster,
    namespace: String,
    pub(crate) pid: u32,
}

impl<'a> Upstream<'a> {
    /// Returns as soon as the process runs.
    pub(crate) fn start(cluster: &'a Cluster, keys: &[KeyPair], args: &[&str]) -> Self {
        let namespace = cluster.testbed.namespace("upstream");
        put_keys(cluster, &namespace, keys);
        let account = format!("--serviceaccount={namespace}:default");
        cluster.testbed.kubectl(&[
            "create",
            "clusterrolebinding",
            &namespace,
            "--clusterrole=cluster-admin",
            &account,
        ]);
        let args = [&["--kubeclient-qps=-1"], args].concat().join(", ");
        cluster.testbed.apply(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: upstream, namespace: {namespace}}}\nspec:\n  \
             selector: {{matchLabels: {{app: upstream}}}}\n  template:\n    metadata: {{labels: {{app: upstream}}}}\n    spec:\n      \
             containers:\n        - name: c\n          image: docker.io/bitnami/sealed-secrets-controller:0.36.6\n          \
             args: [{args}]\n"
        ));
        let pid = running();
        Self {
            cluster,
            namespace,
            pid,
        }
    }

    /// Deletes its Pod and returns as soon as the next one's process runs.
    pub(crate) fn restart(&mut self) {
        self.cluster.testbed.kubectl(&[
            "delete",
            "pod",
            "--all",
            "--namespace",
            &self.namespace,
            "--wait",
        ]);
        self.await_end();
        self.pid = running();
    }

    /// The user that its requests are made by.
    pub(crate) fn account(&self) -> String {
        format!("system:serviceaccount:{}:default", self.namespace)
    }

    pub(crate) fn stop(self) {
        self.cluster
            .testbed
            .kubectl(&["delete", "namespace", &self.namespace]);
        self.await_end();
    }

    fn await_end(&self) {
        until("upstream's controller is gone", || {
            !measure::pids(PROGRAM).contains(&self.pid)
        });
    }
}

fn running() -> u32 {
    until("upstream's controller runs", || {
        !measure::pids(PROGRAM).is_empty()
    });
    measure::pids(PROGRAM)[0]
}
