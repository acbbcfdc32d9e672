//! `signet` against our controller and a real API server: what the transcripts play is what happens.
//! How the controller does it is the business of its own suites.

#[path = "../testbed/harness.rs"]
mod harness;

#[path = "cli/applications.rs"]
mod applications;

use std::path::PathBuf;

use harness::{Controller, Testbed, equal, eventually, signet, signet_with_input};
use serde_json::{Value, json};

/// Our controller with its sealing part, in a namespace of its own, behind the service proxy.
struct Sealing {
    testbed: Testbed,
    namespace: String,
    _controller: Controller,
    folder: tempfile::TempDir,
}

impl Sealing {
    fn start() -> Self {
        let testbed = Testbed::get();
        testbed.install_crds();
        let namespace = testbed.namespace("cli");
        // Elsewhere in this cluster other tests' controllers are at work: this one looks at its own namespace alone.
        let args = [
            "--namespace",
            &namespace,
            "--only=sealing",
            "--all-namespaces=false",
            "--key-size=2048",
        ];
        let controller = Controller::start(&args).ready();
        testbed.service_proxy(&namespace, "signet-controller", &controller);
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            testbed,
            namespace,
            _controller: controller,
            folder,
        }
    }

    /// Runs `signet` with this controller named.
    #[track_caller]
    fn signet(&self, args: &[&str]) -> harness::Output {
        signet(&[args, &["--controller-namespace", &self.namespace]].concat())
    }

    #[track_caller]
    fn sealed(&self, name: &str, password: &str) -> PathBuf {
        let Self { namespace, .. } = self;
        let secret = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}, labels: {{app: shop}}}}\n\
             stringData: {{password: {password}}}\n"
        );
        let path = self.folder.path().join(format!("{name}.yaml"));
        let args = [
            "seal",
            "--controller-namespace",
            namespace,
            "-o",
            &path.display().to_string(),
        ];
        let output = signet_with_input(&args, &secret);
        assert!(
            output
                .stderr
                .contains(&format!("from ConfigMap {namespace}/signet-certificate")),
            "{}",
            output.stderr
        );
        output.success();
        path
    }

    #[track_caller]
    fn becomes(&self, name: &str, password: &str) {
        eventually("the Secret is there", || {
            let secret = self.testbed.find_object(&self.namespace, "secret", name);
            let secret = secret.ok_or("there is none")?;
            equal(&secret["data"]["password"], &password.into())
        });
    }

    fn keys(&self) -> Vec<Value> {
        let text = self.signet(&["keys", "list", "--output", "json"]).success();
        serde_json::from_str(&text).expect("a list")
    }
}

fn read(path: &PathBuf) -> String {
    std::fs::read_to_string(path).expect("the file is there")
}

#[test]
fn a_secret_is_sealed_for_the_cluster_and_arrives_there() {
    let sealing = Sealing::start();
    let path = sealing.sealed("db", "s3cret");
    sealing.testbed.apply(&read(&path));
    sealing.becomes("db", "czNjcmV0");
}

#[test]
fn the_certificate_that_is_fetched_seals_without_the_cluster() {
    let sealing = Sealing::start();
    let certificate = sealing.folder.path().join("cert.pem").display().to_string();
    let fetched = sealing.signet(&["cert", "fetch", "-o", &certificate]);
    let keys = sealing.keys();
    let fingerprint = keys[0]["fingerprint"].as_str().expect("a fingerprint");
    assert!(
        fetched.stderr.contains(fingerprint),
        "{} {fingerprint}",
        fetched.stderr
    );
    let secret = format!(
        "kind: Secret\nmetadata: {{name: away, namespace: {}}}\nstringData: {{password: s3cret}}\n",
        sealing.namespace
    );
    let args = [
        "seal",
        "--kubeconfig",
        "/nonexistent",
        "--cert",
        &certificate,
    ];
    sealing
        .testbed
        .apply(&signet_with_input(&args, &secret).success());
    sealing.becomes("away", "czNjcmV0");
}

#[test]
fn a_rotation_makes_files_stale_and_reseal_makes_them_current() {
    let sealing = Sealing::start();
    let path = sealing.sealed("db", "s3cret");
    let file = path.display().to_string();
    let before = read(&path);
    assert_eq!(sealing.signet(&["reseal", "--check", &file]).code, Some(0));
    sealing.signet(&["reseal", &file]).success();
    assert_eq!(read(&path), before, "current values stay");

    let said = sealing.signet(&["keys", "rotate"]).success();
    let keys = sealing.keys();
    assert_eq!(keys.len(), 2, "{keys:?}");
    assert_eq!(
        (&keys[0]["state"], &keys[1]["state"]),
        (&json!("current"), &json!("active"))
    );
    assert!(
        said.contains(keys[0]["fingerprint"].as_str().expect("a fingerprint")),
        "{said}"
    );

    let stale = sealing.signet(&["reseal", "--check", &file]);
    assert_eq!(
        (stale.code, read(&path)),
        (Some(1), before.clone()),
        "a check changes nothing: {}",
        stale.stderr
    );
    assert!(stale.stdout.contains("stale, 1 value"), "{}", stale.stdout);
    sealing.signet(&["reseal", &file]).success();
    let after = read(&path);
    assert_ne!(after, before);
    let others = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("password:"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(others(&after), others(&before));
    assert_eq!(sealing.signet(&["reseal", "--check", &file]).code, Some(0));
    sealing.testbed.apply(&after);
    sealing.becomes("db", "czNjcmV0");
}

#[test]
fn a_file_that_was_sealed_for_another_name_is_refused_and_left_alone() {
    let sealing = Sealing::start();
    let good = sealing.sealed("good", "s3cret");
    let moved = sealing.sealed("bad", "s3cret");
    std::fs::write(&moved, read(&moved).replace("name: bad", "name: moved")).expect("written");
    sealing.signet(&["keys", "rotate"]).success();
    let before = (read(&good), read(&moved));
    let output = sealing.signet(&[
        "reseal",
        &good.display().to_string(),
        &moved.display().to_string(),
    ]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("moved was not re-sealed"),
        "{}",
        output.stderr
    );
    assert_eq!((read(&good), read(&moved)), before);
}

#[test]
fn someone_without_rights_is_told_what_is_not_allowed() {
    let sealing = Sealing::start();
    let nobody = nobodys_kubeconfig(&sealing);
    let output = sealing.signet(&["keys", "list", "--kubeconfig", &nobody]);
    assert_eq!(output.code, Some(1));
    assert!(
        output
            .stderr
            .starts_with("error: you are not allowed to list the sealing keys"),
        "{}",
        output.stderr
    );
    let output = sealing.signet(&["app", "list", "--kubeconfig", &nobody]);
    assert!(
        output
            .stderr
            .starts_with("error: you are not allowed to list Applications"),
        "{}",
        output.stderr
    );
}

/// The admin's kubeconfig with a user who may do nothing.
fn nobodys_kubeconfig(sealing: &Sealing) -> String {
    let token = sealing.testbed.token(&sealing.namespace, "default");
    let text = sealing
        .testbed
        .kubectl(&["config", "view", "--raw", "--minify", "-o", "json"]);
    let mut config: Value = serde_json::from_str(&text).expect("kubectl prints JSON");
    config["users"][0]["user"] = json!({ "token": token });
    let path = sealing.folder.path().join("nobody");
    std::fs::write(&path, config.to_string()).expect("written");
    path.display().to_string()
}
