//! Releases of the chart on the cluster.
//! They listen on the ports of one machine, so they take turns, and an upgrade that runs two at once moves to others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::cases::Case;
use crate::harness::{self, EVERYWHERE, Testbed, equal, eventually};
use crate::helm::{chart, helm};
use crate::upstream;

static MACHINE: Mutex<()> = Mutex::new(());

const OTHER_PORTS: &str = "containerPorts.http=18080,containerPorts.metrics=18081";

/// An installed release, which is uninstalled at the end.
struct Release {
    testbed: Testbed,
    name: &'static str,
    namespace: String,
    _turn: MutexGuard<'static, ()>,
}

impl Release {
    #[track_caller]
    fn install(name: &'static str, namespace: &str, chart: &str, args: &[&str]) -> Self {
        let release = Self::begin(name, namespace);
        release.helm(&["install", name, chart, "--create-namespace"], args);
        release
    }

    /// Takes a turn in a cluster where nobody sealed before: next to others' SealedSecrets a new controller only observes.
    fn begin(name: &'static str, namespace: &str) -> Self {
        let turn = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
        let testbed = Testbed::get();
        testbed.install_crds();
        testbed.kubectl(&["delete", "sealedsecrets", "--all", "--all-namespaces"]);
        eventually("what was opened is gone", || {
            let mut secrets = testbed.objects(EVERYWHERE, "secrets");
            secrets.retain(|secret| !secret["metadata"]["ownerReferences"].is_null());
            equal(&secrets.len(), &0)
        });
        Self {
            testbed,
            name,
            namespace: namespace.to_owned(),
            _turn: turn,
        }
    }

    #[track_caller]
    fn upgrade(&self, args: &[&str]) {
        self.helm(&["upgrade", self.name, &chart()], args);
    }

    #[track_caller]
    fn helm(&self, command: &[&str], args: &[&str]) -> String {
        let place = ["--namespace", &self.namespace, "--wait", "--timeout=90s"];
        helm(&[command, &place, args].concat()).success()
    }

    /// The certificate, as whoever is signed in gets it with upstream's kubeseal.
    fn certificate(&self) -> String {
        let user = [
            "--as=somebody",
            "--as-group=system:authenticated",
            "--fetch-cert",
        ];
        eventually("kubeseal fetches the certificate", || {
            self.kubeseal(&user, "")
        })
    }

    fn kubeseal(&self, args: &[&str], input: &str) -> Result<String, String> {
        let place = [
            "--controller-name",
            self.name,
            "--controller-namespace",
            &self.namespace,
        ];
        let output = harness::kubeseal(&[&place[..], args].concat(), input);
        if output.code == Some(0) {
            Ok(output.stdout)
        } else {
            Err(output.stderr)
        }
    }

    /// Seals a Secret with upstream's kubeseal and applies it.
    #[track_caller]
    fn seal(&self, namespace: &str, name: &str) {
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\nstringData: {{key: value}}\n"
        );
        let sealed = self.kubeseal(&["--format=yaml"], &secret);
        self.testbed.apply(&sealed.expect("kubeseal seals"));
    }

    fn opened(&self, namespace: &str, name: &str) -> Value {
        let secret = eventually("the Secret is there", || {
            let secret = self.testbed.find_object(namespace, "secret", name);
            secret.ok_or("not yet")
        });
        secret["metadata"].clone()
    }

    fn image(&self) -> Value {
        let deployment = self
            .testbed
            .object(&self.namespace, "deployment", self.name);
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    }

    /// Takes the release away and waits until its Pods are gone with their ports.
    #[track_caller]
    fn uninstall(self) {
        self.helm(&["uninstall", self.name], &[]);
        let instance = "app.kubernetes.io/instance";
        eventually("the Pods are gone", || {
            let (testbed, namespace) = (&self.testbed, &self.namespace);
            let pods = testbed.labelled(namespace, "pods", instance, self.name);
            equal(&pods.len(), &0)
        });
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        // Of a test that failed; after `uninstall` there is nothing left.
        drop(helm(&[
            "uninstall",
            self.name,
            "--namespace",
            &self.namespace,
            "--ignore-not-found",
            "--wait",
        ]));
    }
}

#[test]
fn upstreams_whole_values_file_installs_a_controller_that_kubeseal_knows() {
    let values = Case::read("the-whole-file-of-upstream").values_file();
    let release = Release::install("sealed-secrets", "whole", &chart(), &["--values", &values]);
    let namespace = release.testbed.namespace("whole-user");
    let certificate = release.certificate();
    release.seal(&namespace, "before");
    release.opened(&namespace, "before");

    release.upgrade(&[
        "--values",
        &values,
        "--set",
        OTHER_PORTS,
        "--set",
        "logLevel=DEBUG",
    ]);
    assert_eq!(release.certificate(), certificate);

    let testbed = release.testbed.clone();
    release.uninstall();
    for kind in ["services", "deployments", "serviceaccounts"] {
        let left = testbed.objects("whole", kind);
        let of_release = |object: &Value| {
            object["metadata"]["name"]
                .to_string()
                .contains("sealed-secrets")
        };
        assert!(!left.iter().any(of_release), "{left:?}");
    }
    for kind in ["sealedsecret", "secret"] {
        testbed.object(&namespace, kind, "before");
    }

    let again = Release::install("sealed-secrets", "whole", &chart(), &["--values", &values]);
    assert_eq!(
        again.certificate(),
        certificate,
        "the keys outlive the release"
    );
    again.uninstall();
}

#[test]
fn a_release_goes_from_upstreams_chart_to_ours_and_back() {
    let upstream = upstream::folder();
    // The chart runs behind: it names an image of 0.36.1.
    let values = ["--set", "image.tag=0.36.6"];
    let release = Release::install("sealed-secrets", "swapped", &upstream, &values);
    let theirs = release.image();
    let namespace = release.testbed.namespace("swapped-user");
    release.seal(&namespace, "sealed");
    let (certificate, secret) = (release.certificate(), release.opened(&namespace, "sealed"));

    release.upgrade(&["--reuse-values", "--set", OTHER_PORTS]);
    assert_ne!(release.image(), theirs);
    assert_eq!(release.certificate(), certificate);
    release.seal(&namespace, "by-ours");
    release.opened(&namespace, "by-ours");

    release.helm(&["rollback", "sealed-secrets", "1"], &[]);
    assert_eq!(release.image(), theirs);
    assert_eq!(release.certificate(), certificate);
    assert_eq!(
        release.opened(&namespace, "sealed"),
        secret,
        "nobody wrote it meanwhile"
    );
    release.uninstall();
}

/// A workload that uses a Secret and asks to be started anew when it changes.
fn user_of(secret: &str, namespace: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\n\
         metadata: {{name: user, namespace: {namespace}, annotations: {{signet.dev/restart: \"true\"}}}}\n\
         spec:\n  replicas: 0\n  selector: {{matchLabels: {{app: user}}}}\n  template:\n    metadata: {{labels: {{app: user}}}}\n\
         \x20   spec: {{containers: [{{name: main, image: user, envFrom: [{{secretRef: {{name: {secret}}}}}]}}]}}\n"
    )
}

#[test]
fn with_roles_in_namespaces_alone_it_opens_what_is_there_and_asks_for_no_more() {
    let values = Case::read("roles-in-namespaces-only").values_file();
    let bound = [
        "--values",
        &values,
        "--set",
        "rbac.serviceProxier.bind=true",
    ];
    let release = Release::install("sealed-secrets", "narrow", &chart(), &bound);
    release.certificate();
    release.seal("narrow", "own");
    release.opened("narrow", "own");

    let further = release.testbed.namespace("narrow-further");
    let additional = format!("additionalNamespaces={{{further}}},restartWorkloads=true");
    release.upgrade(&[&bound[..], &["--set", OTHER_PORTS, "--set", &additional]].concat());
    release.seal(&further, "further");
    release.opened(&further, "further");
    let testbed = &release.testbed;
    testbed.apply(&user_of("further", &further));
    eventually("the workload is noted", || {
        let workload = testbed.object(&further, "deployment", "user");
        let noted = &workload["metadata"]["annotations"]["signet.dev/started-with"];
        noted.as_str().map(str::to_owned).ok_or("not yet")
    });

    let account = "system:serviceaccount:narrow:sealed-secrets";
    let requests = release.testbed.audited(account);
    let is_forbidden =
        |request: &&Value| request["annotations"]["authorization.k8s.io/decision"] == "forbid";
    let forbidden: Vec<_> = requests
        .iter()
        .filter(is_forbidden)
        .map(|request| &request["requestURI"])
        .collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
    release.uninstall();
}

/// Nothing runs: it is about what the API server says to the objects.
#[test]
fn every_value_of_upstream_makes_objects_that_a_cluster_takes() {
    let testbed = Testbed::get();
    let monitoring = harness::repository_root().join("tests/cluster/chart/monitoring.yaml");
    testbed.kubectl(&["apply", "-f", &monitoring.display().to_string()]);
    testbed.kubectl(&[
        "wait",
        "--for=condition=Established",
        "--timeout=60s",
        "crd",
        "--all",
    ]);
    for namespace in [
        "security",
        "red",
        "blue",
        "monitoring",
        "monitoring-too",
        "dashboards",
    ] {
        testbed.kubectl(&["create", "namespace", namespace]);
    }
    let case = Case::read("every-value-of-upstream-changed");
    let release = Release::begin("secrets", &case.namespace);
    // No --wait: nobody gives out addresses for load balancers here.
    let values = case.values_file();
    let (chart, place) = (
        chart(),
        ["--namespace", &case.namespace, "--create-namespace"],
    );
    let upgrade = [
        "upgrade",
        "--install",
        release.name,
        &chart,
        "--values",
        &values,
        "--set=replicas=0",
    ];
    for _ in ["the first time", "a second time"] {
        helm(&[upgrade.as_slice(), &place].concat()).success();
    }
    release.uninstall();
}

#[test]
fn a_self_signed_certificate_is_made_once() {
    let ingress = "ingress.enabled=true,ingress.tls=true,ingress.selfSigned=true,replicas=0";
    let release = Release::install("signet", "signed", &chart(), &["--set", ingress]);
    let certificate = || {
        release
            .testbed
            .object("signed", "secret", "sealed-secrets.local-tls")["data"]
            .clone()
    };
    let made = certificate();
    release.upgrade(&["--set", ingress]);
    assert_eq!(certificate(), made);
    release.uninstall();
}
