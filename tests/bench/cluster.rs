//! The benchmark's cluster: installed from crds/ and deploy/, the controller started under the install's own account.
//! It measures nothing.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use kube::Client;
use tokio::runtime::Runtime;

use super::harness::{Controller, Testbed, repository_root};

/// The namespace of deploy/.
pub(crate) const NAMESPACE: &str = "signet";

pub(crate) struct Cluster {
    pub(crate) testbed: Testbed,
    pub(crate) client: Client,
    pub(crate) runtime: Runtime,
    kubeconfig: PathBuf,
}

impl Cluster {
    pub(crate) fn install() -> Self {
        let testbed = Testbed::get();
        testbed.install_crds();
        for file in deploy_files() {
            testbed.kubectl(&["apply", "-f", &file]);
        }
        let kubeconfig = kubeconfig_of_install(&testbed);
        let runtime = Runtime::new().unwrap();
        let client = runtime.block_on(testbed.client());
        Self {
            testbed,
            client,
            runtime,
            kubeconfig,
        }
    }

    /// Starts the controller under the install's own account, so that priority and fairness hold for it.
    pub(crate) fn controller(&self, args: &[&str]) -> Controller {
        let namespace = format!("--namespace={NAMESPACE}");
        let args: Vec<&str> = [namespace.as_str()]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        Controller::start_with(&self.kubeconfig.display().to_string(), &args)
    }

    /// Each request of an account since the audit log was `start` bytes long. Not its watches and its renewals of a Lease: both go
    /// on for ever.
    pub(crate) fn requests(&self, account: &str, start: u64) -> Vec<Request> {
        let requests = self.testbed.audited_from(account, start);
        let requests = requests.iter().map(Request::of);
        requests
            .filter(|request| request.verb != "watch" && request.resource != "leases")
            .collect()
    }
}

/// A request as the audit log tells of it.
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) resource: String,
    pub(crate) is_dry_run: bool,
}

impl Request {
    fn of(entry: &serde_json::Value) -> Self {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            verb: text(&entry["verb"]),
            resource: text(&entry["objectRef"]["resource"]),
            is_dry_run: text(&entry["requestURI"]).contains("dryRun="),
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        let writes = ["create", "update", "patch", "delete"].contains(&self.verb.as_str());
        writes && !self.is_dry_run
    }
}

/// The account that deploy/ gives the controller, as the audit log names it.
pub(crate) fn account() -> String {
    format!("system:serviceaccount:{NAMESPACE}:signet-controller")
}

/// Asks until the answer is yes, at most ten minutes.
pub(crate) fn until(what: &str, mut ask: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ask() {
        assert!(
            start.elapsed() < Duration::from_secs(600),
            "not within ten minutes: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Everything of deploy/ but the Deployment: the controller is started by the benchmark.
fn deploy_files() -> Vec<String> {
    let folder = std::fs::read_dir(repository_root().join("deploy")).unwrap();
    let mut files: Vec<PathBuf> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .filter(|path| {
            !std::fs::read_to_string(path)
                .unwrap()
                .contains("kind: Deployment")
        })
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| path.display().to_string())
        .collect()
}

fn kubeconfig_of_install(testbed: &Testbed) -> PathBuf {
    let path = testbed.path("install.kubeconfig");
    std::fs::copy(testbed.kubeconfig(), &path).unwrap();
    let file = path.display().to_string();
    let token = testbed.kubectl(&[
        "create",
        "token",
        "signet-controller",
        "--namespace",
        NAMESPACE,
        "--duration=4h",
    ]);
    let config = |args: &[&str]| {
        let status = Command::new("kubectl")
            .arg("config")
            .arg("--kubeconfig")
            .arg(&file)
            .args(args)
            .output();
        assert!(status.unwrap().status.success(), "kubectl config {args:?}");
    };
    config(&[
        "set-credentials",
        "install",
        &format!("--token={}", token.trim()),
    ]);
    config(&["set-context", "--current", "--user=install"]);
    path
}
