//! Upstream's install, which of the two controllers runs in it, and how its certificate is reached.
//! It must not know what the controllers do.

#![allow(dead_code, reason = "each suite uses its part")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::harness::{ADDRESS, Testbed, eventually, get, kubeseal, repository_root, run};

/// Who the controller is for the API server, whichever runs.
pub(crate) const ACCOUNT: &str = "system:serviceaccount:kube-system:sealed-secrets-controller";

const NAMESPACE: &str = "--namespace=kube-system";
const DEPLOYMENT: &str = "deployment/sealed-secrets-controller";

/// Which program runs in upstream's Deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Controller {
    Upstream,
    Ours,
    /// Upstream's, after ours.
    UpstreamAgain,
}

impl Controller {
    fn image(self) -> &'static str {
        match self {
            Self::Upstream | Self::UpstreamAgain => {
                "docker.io/bitnami/sealed-secrets-controller:0.36.6"
            }
            Self::Ours => "ghcr.io/signet-dev/signet-controller:0.1.0",
        }
    }

    /// Beginning of the command line of its process.
    fn program(self) -> &'static [u8] {
        match self {
            Self::Upstream | Self::UpstreamAgain => b"/sealed-secrets-controller\0",
            Self::Ours => b"/signet-controller\0",
        }
    }
}

/// A cluster in which upstream is installed as its own manifest does it.
#[derive(Debug)]
pub(crate) struct Install {
    pub(crate) testbed: Testbed,
    pub(crate) runs: Controller,
}

impl Install {
    /// Upstream's definition, rights and controller; the key of the vectors is there before it starts.
    #[track_caller]
    pub(crate) fn upstream() -> Self {
        let testbed = Testbed::get();
        testbed.apply(include_str!("../upstream-crd.yaml"));
        testbed.kubectl(&[
            "wait",
            "--for=condition=Established",
            "crd/sealedsecrets.bitnami.com",
        ]);
        let pem = |name: &str| std::fs::read_to_string(vector(name)).expect("a vector");
        let legacy = json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "name": "sealed-secrets-key", "namespace": "kube-system" },
            "stringData": { "tls.key": pem("test-key.pem"), "tls.crt": pem("test-cert.pem") }
        });
        testbed.apply(&legacy.to_string());
        testbed.apply(include_str!("../upstream.yaml"));
        let install = Self {
            testbed,
            runs: Controller::Upstream,
        };
        install.wait_until_available();
        install
    }

    /// Stops what runs and starts `controller` in its place, with the same arguments, environment, account and probes.
    #[track_caller]
    pub(crate) fn swap(&mut self, controller: Controller) {
        self.stop();
        self.runs = controller;
        let image = format!("sealed-secrets-controller={}", controller.image());
        self.testbed
            .kubectl(&["set", "image", DEPLOYMENT, &image, NAMESPACE]);
        self.testbed
            .kubectl(&["scale", DEPLOYMENT, "--replicas=1", NAMESPACE]);
        self.wait_until_available();
    }

    /// What the controller that runs counts.
    pub(crate) fn metrics(&self) -> Result<String, String> {
        get(&format!("http://{ADDRESS}:8081/metrics")).map(|(_, metrics)| metrics)
    }

    /// Asks the controller to end, and waits until it did.
    #[track_caller]
    pub(crate) fn stop(&self) {
        self.testbed
            .kubectl(&["scale", DEPLOYMENT, "--replicas=0", NAMESPACE]);
        let gone = [
            "wait",
            "pod",
            "--selector=name=sealed-secrets-controller",
            "--for=delete",
            "--timeout=60s",
            NAMESPACE,
        ];
        self.testbed.kubectl(&gone);
    }

    fn wait_until_available(&self) {
        self.testbed
            .kubectl(&["rollout", "status", DEPLOYMENT, "--timeout=90s", NAMESPACE]);
    }

    /// The certificate that kubeseal gets.
    #[track_caller]
    pub(crate) fn certificate(&self) -> String {
        eventually("kubeseal gets the certificate", || {
            let output = kubeseal(&["--fetch-cert"], "");
            if output.code == Some(0) {
                Ok(output.stdout)
            } else {
                Err(output.stderr)
            }
        })
    }

    /// Has the controller make a new key (SIGUSR1) and returns its certificate once kubeseal gets it.
    #[track_caller]
    pub(crate) fn renew_key(&self) -> String {
        let (before, keys) = (self.certificate(), self.keys());
        // Certificates count seconds, and the newer of two keys must be newer.
        let second = seconds();
        eventually("the next second", || {
            if seconds() > second {
                Ok(())
            } else {
                Err("the same")
            }
        });
        let pid = process(self.runs).to_string();
        assert_eq!(
            run(Command::new("kill").args(["-USR1", &pid]), None).code,
            Some(0)
        );
        let certificate = eventually("the new key is in use", || {
            let now = self.certificate();
            if now == before {
                Err(before.clone())
            } else {
                Ok(now)
            }
        });
        assert_eq!(self.keys().len(), keys.len() + 1);
        certificate
    }

    /// Names of the Secrets labelled as keys.
    #[track_caller]
    pub(crate) fn keys(&self) -> BTreeSet<String> {
        let label = "sealedsecrets.bitnami.com/sealed-secrets-key";
        let keys = self
            .testbed
            .labelled("kube-system", "secrets", label, "active");
        let names = keys
            .iter()
            .filter_map(|key| key["metadata"]["name"].as_str());
        names.map(str::to_owned).collect()
    }
}

/// The one process of the controller. The testbed's Pods are processes beside us.
#[track_caller]
fn process(controller: Controller) -> u32 {
    let entries = std::fs::read_dir("/proc").expect("/proc is mounted");
    let ids = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let found: Vec<u32> = ids
        .filter(|id| {
            std::fs::read(format!("/proc/{id}/cmdline"))
                .is_ok_and(|line| line.starts_with(controller.program()))
        })
        .collect();
    assert_eq!(found.len(), 1, "{controller:?} runs once");
    found[0]
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is right")
        .as_secs()
}

/// A file of the published vectors.
pub(crate) fn vector(name: &str) -> PathBuf {
    repository_root()
        .join("tests/vectors/sealed-secrets")
        .join(name)
}
