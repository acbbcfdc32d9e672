//! What the suites need of the testbed, in the words of a test: a cluster, a namespace, a repository, a controller.
//! It asserts nothing about the product, and it panics with a clear message outside of `tests/testbed/with`.

#![allow(
    dead_code,
    unused_imports,
    reason = "each suite uses its part of the harness"
)]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness that can't go on fails the test"
)]

#[path = "harness/admission_webhook.rs"]
mod admission_webhook;
#[path = "harness/controller.rs"]
mod controller;
#[path = "harness/eventually.rs"]
mod eventually;
#[path = "harness/forward_proxy.rs"]
mod forward_proxy;
#[path = "harness/http.rs"]
mod http;
#[path = "harness/proxy.rs"]
mod proxy;
#[path = "harness/reader.rs"]
mod reader;
#[path = "harness/registry.rs"]
mod registry;
#[path = "harness/relay.rs"]
mod relay;
#[path = "harness/repository.rs"]
mod repository;
#[path = "harness/volume.rs"]
mod volume;

pub(crate) use admission_webhook::AdmissionWebhook;
pub(crate) use controller::{Controller, Port};
pub(crate) use eventually::{equal, eventually, eventually_async};
pub(crate) use forward_proxy::ForwardProxy;
pub(crate) use http::{get, send};
pub(crate) use proxy::Proxy;
pub(crate) use reader::EVERYWHERE;
pub(crate) use registry::Registry;
pub(crate) use relay::{listen, relay};
pub(crate) use repository::GitRepository;
pub(crate) use volume::Volume;

use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use reader::Kind;

/// The address everything in the testbed listens on.
pub(crate) const ADDRESS: &str = "10.200.0.1";

/// The testbed around this process.
#[derive(Debug, Clone)]
pub(crate) struct Testbed {
    dir: PathBuf,
    /// The URL of the Git server.
    pub(crate) git: String,
}

/// What a program said and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// The standard output of a program that must have succeeded.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!(
            self.code,
            Some(0),
            "the command failed\nstdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self.stdout
    }
}

impl Testbed {
    pub(crate) fn get() -> Self {
        let variable = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| {
                panic!("{name} is not set: run this suite as `tests/testbed/with cargo test --features cluster`")
            })
        };
        Self {
            dir: PathBuf::from(variable("SIGNET_TESTBED")),
            git: variable("SIGNET_TESTBED_GIT"),
        }
    }

    /// A file or folder of this run, for example `logs/audit.log`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The admin's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    /// A client with all rights.
    pub(crate) async fn client(&self) -> kube::Client {
        let config = kube::Config::infer()
            .await
            .expect("the testbed's KUBECONFIG is readable");
        kube::Client::try_from(config).expect("a client can be made from the testbed's KUBECONFIG")
    }

    /// Runs `kubectl`, which must succeed, and returns what it printed.
    #[track_caller]
    pub(crate) fn kubectl(&self, args: &[&str]) -> String {
        run(Command::new("kubectl").args(args), None).success()
    }

    /// Runs `kubectl`, which may fail: the error is what it said on stderr.
    pub(crate) fn try_kubectl(&self, args: &[&str]) -> Result<String, String> {
        let output = run(Command::new("kubectl").args(args), None);
        if output.code == Some(0) {
            Ok(output.stdout)
        } else {
            Err(output.stderr)
        }
    }

    /// Server-side applies YAML, as the user `test`.
    #[track_caller]
    pub(crate) fn apply(&self, yaml: &str) -> String {
        let args = ["apply", "--server-side", "--field-manager=test", "-f", "-"];
        run(Command::new("kubectl").args(args), Some(yaml)).success()
    }

    /// Applies `crds/*.yaml`, unless this process did, and waits until the API server serves the kinds.
    #[track_caller]
    pub(crate) fn install_crds(&self) {
        static APPLIED: Once = Once::new();
        APPLIED.call_once(|| {
            let folder = repository_root().join("crds").display().to_string();
            self.kubectl(&["apply", "--server-side", "-f", &folder]);
        });
        for kind in ["sealedsecret", "application", "appproject"] {
            Kind::called(kind);
        }
    }

    /// Makes a namespace that no other test has, ready to run Pods.
    #[track_caller]
    pub(crate) fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{}", unique());
        self.kubectl(&["create", "namespace", &name]);
        eventually("the namespace has its default service account", || {
            self.find_object(&name, "serviceaccount", "default")
                .ok_or("none")
        });
        name
    }

    /// Kills a daemon of the testbed, for example `kube-apiserver`. Nothing else may run in the testbed meanwhile.
    #[track_caller]
    pub(crate) fn stop(&self, daemon: &str) {
        run(Command::new("testbed").args(["stop", daemon]), None).success();
    }

    /// Starts it again, and waits until the API server answers.
    #[track_caller]
    pub(crate) fn start(&self, daemon: &str) {
        run(Command::new("testbed").args(["start", daemon]), None).success();
        eventually("the API server is ready", || self.raw("/readyz"));
    }

    /// A token of a service account, as its Pods get it.
    #[track_caller]
    pub(crate) fn token(&self, namespace: &str, account: &str) -> String {
        let token = self.kubectl(&["create", "token", account, "--namespace", namespace]);
        token.trim().to_owned()
    }

    /// A kubeconfig for a service account, with its rights and no others.
    #[track_caller]
    pub(crate) fn kubeconfig_of(&self, namespace: &str, account: &str) -> String {
        let path = self.path(&format!("{namespace}-{account}-{}.kubeconfig", unique()));
        std::fs::copy(self.kubeconfig(), &path).expect("the testbed's folder is writable");
        let path = path.display().to_string();
        let file = format!("--kubeconfig={path}");
        let token = format!("--token={}", self.token(namespace, account));
        self.kubectl(&["config", &file, "set-credentials", account, &token]);
        let user = format!("--user={account}");
        self.kubectl(&["config", &file, "set-context", "--current", &user]);
        path
    }

    /// The requests of the audit log that were made by `user`, oldest first.
    pub(crate) fn audited(&self, user: &str) -> Vec<serde_json::Value> {
        self.audited_from(user, 0)
    }

    /// The same without the first `start` bytes of the log.
    pub(crate) fn audited_from(&self, user: &str, start: u64) -> Vec<serde_json::Value> {
        let mut log = String::new();
        let mut file = std::fs::File::open(self.audit_log()).expect("the audit log is readable");
        file.seek(std::io::SeekFrom::Start(start))
            .and_then(|_| file.read_to_string(&mut log))
            .expect("the audit log is readable");
        // Most lines are somebody else's, and understanding one costs a hundred times what this costs.
        log.lines()
            .filter(|line| line.contains(user))
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|entry| entry["user"]["username"] == user)
            .collect()
    }

    /// How many bytes the audit log has.
    pub(crate) fn audit_end(&self) -> u64 {
        let log = std::fs::metadata(self.audit_log());
        log.expect("the audit log is readable").len()
    }

    fn audit_log(&self) -> PathBuf {
        self.path("logs/audit.log")
    }

    /// Makes a Service, and a Pod behind it that is nobody, so that the API server's service proxy
    /// reaches a controller that the test started itself: `services/http:NAME:8080/proxy/…`.
    #[track_caller]
    pub(crate) fn service_proxy(&self, namespace: &str, name: &str, controller: &Controller) {
        let [sealing, web] = [Port::Sealing, Port::Web].map(|port| controller.port(port));
        self.apply(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
             spec: {{selector: {{proxied: {name}}}, ports: [{{name: http, port: 8080, targetPort: {sealing}}},\n\
             \x20 {{name: web, port: 8082, targetPort: {web}}}]}}\n---\n\
             apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{proxied: {name}}}}}\n\
             spec: {{nodeName: host, containers: [{{name: nobody, image: nobody}}]}}\n"
        ));
        let url = format!("/api/v1/namespaces/{namespace}/services/http:{name}:8080/proxy/healthz");
        eventually("the service proxy reaches the controller", || {
            self.raw(&url)
        });
    }
}

/// `signet`, built by this cargo run or an earlier one (`SIGNET=PATH` names another build).
#[track_caller]
pub(crate) fn signet_program() -> PathBuf {
    program("SIGNET", option_env!("CARGO_BIN_EXE_signet"), "signet")
}

/// Runs `signet`.
#[track_caller]
pub(crate) fn signet(args: &[&str]) -> Output {
    run(Command::new(signet_program()).args(args), None)
}

/// Runs `signet` with something on its standard input.
#[track_caller]
pub(crate) fn signet_with_input(args: &[&str], input: &str) -> Output {
    run(Command::new(signet_program()).args(args), Some(input))
}

/// Runs upstream's `kubeseal`, which the testbed puts on the PATH, with something on its standard input.
#[track_caller]
pub(crate) fn kubeseal(args: &[&str], input: &str) -> Output {
    run(Command::new("kubeseal").args(args), Some(input))
}

/// The checkout.
pub(crate) fn repository_root() -> PathBuf {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root
        .parent()
        .expect("a crate of the workspace has a parent")
        .to_owned()
}

/// Letters for names: different in every process and every call.
pub(crate) fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A program of ours: named by `variable`, else built for this suite, else lying beside this test's program.
fn program(variable: &str, built: Option<&str>, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    if let Some(path) = built {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a process knows its program");
    let path = test
        .ancestors()
        .nth(2)
        .expect("cargo puts tests below target/debug/deps")
        .join(name);
    assert!(
        path.exists(),
        "{} is missing: run `cargo build --workspace` before this suite",
        path.display()
    );
    path
}

/// Runs a program to its end, with something on its standard input or nothing.
#[track_caller]
pub(crate) fn run(command: &mut Command, input: Option<&str>) -> Output {
    let stdin = if input.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    let mut child = command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("start {}: {error}", command.get_program().display()));
    let writer = child
        .stdin
        .take()
        .zip(input.map(str::to_owned))
        .map(|(mut stdin, text)| {
            // A program may end without reading all of it.
            std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())))
        });
    let output = child
        .wait_with_output()
        .expect("the output of a child can be read");
    if let Some(writer) = writer {
        writer.join().expect("the writer never panics");
    }
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
