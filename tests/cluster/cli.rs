//! `signet` against our controller and a real API server: what the transcripts play is what happens.
//! How the controller does it is the business of its own suites.

#[path = "../testbed/harness.rs"]
mod harness;

use std::path::PathBuf;

use harness::{Controller, GitRepository, Testbed, equal, eventually, signet, signet_with_input};
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

/// An Application in a namespace that no controller looks at: the test plays the controller.
fn application(testbed: &Testbed, name: &str) -> String {
    testbed.install_crds();
    let namespace = testbed.namespace("apps");
    testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
         spec:\n  project: default\n  source: {{repoURL: http://git/config.git, path: shop, targetRevision: main}}\n\
         \x20 destination: {{server: https://kubernetes.default.svc, namespace: shop}}\n"
    ));
    namespace
}

fn patch(testbed: &Testbed, namespace: &str, name: &str, patch: &Value) {
    testbed.kubectl(&[
        "patch",
        "application",
        name,
        "-n",
        namespace,
        "--type=merge",
        "-p",
        &patch.to_string(),
    ]);
}

fn status(sync: &str, health: &str) -> Value {
    json!({ "status": { "sync": { "status": sync, "revision": "4f0c2a1b9d8e7f60514233425160718293a4b5c6" }, "health": { "status": health } } })
}

#[test]
fn applications_are_listed_shown_and_waited_for() {
    let testbed = Testbed::get();
    let namespace = application(&testbed, "shop");
    patch(
        &testbed,
        &namespace,
        "shop",
        &status("OutOfSync", "Missing"),
    );
    let list = signet(&["app", "list", "-n", &namespace]).success();
    assert_eq!(
        list,
        "NAME   SYNC STATUS   HEALTH STATUS   REVISION\nshop   OutOfSync     Missing         4f0c2a1\n"
    );
    let shown = signet(&["app", "get", "shop", "-n", &namespace, "--output", "json"]).success();
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(
        (&shown["kind"], &shown["spec"]["source"]["path"]),
        (&json!("Application"), &json!("shop"))
    );

    let waiting = std::thread::spawn({
        let namespace = namespace.clone();
        move || signet(&["app", "wait", "shop", "-n", &namespace, "--timeout", "60s"])
    });
    patch(
        &testbed,
        &namespace,
        "shop",
        &status("Synced", "Progressing"),
    );
    patch(&testbed, &namespace, "shop", &status("Synced", "Healthy"));
    let waited = waiting.join().expect("it ends");
    assert_eq!(
        (waited.code, waited.stderr.as_str()),
        (Some(0), "shop: Synced, Healthy\n")
    );
}

#[test]
fn a_sync_is_asked_for_in_the_operation_and_its_end_awaited() {
    let testbed = Testbed::get();
    let namespace = application(&testbed, "shop");
    for (phase, code) in [("Succeeded", 0), ("Failed", 1)] {
        let syncing = std::thread::spawn({
            let namespace = namespace.clone();
            move || {
                signet(&[
                    "app",
                    "sync",
                    "shop",
                    "-n",
                    &namespace,
                    "--revision",
                    "main",
                    "--prune",
                ])
            }
        });
        let operation = eventually("the operation is asked for", || {
            let application = testbed.object(&namespace, "application", "shop");
            match &application["operation"] {
                Value::Null => Err("no operation"),
                operation => Ok(operation.clone()),
            }
        });
        assert_eq!(
            operation["sync"],
            json!({ "revision": "main", "prune": true })
        );
        let state = |phase: &str| json!({ "operation": operation, "phase": phase, "message": "done", "startedAt": "2026-01-01T00:00:00Z" });
        patch(
            &testbed,
            &namespace,
            "shop",
            &json!({ "operation": null, "status": { "operationState": state("Running") } }),
        );
        patch(
            &testbed,
            &namespace,
            "shop",
            &json!({ "status": { "operationState": state(phase) } }),
        );
        let synced = syncing.join().expect("it ends");
        assert_eq!(synced.code, Some(code), "{}", synced.stderr);
        assert!(synced.stderr.contains("done"), "{}", synced.stderr);
    }
}

#[test]
fn a_refresh_is_asked_for_by_annotation_and_awaited() {
    let testbed = Testbed::get();
    let namespace = application(&testbed, "shop");
    let refreshing = std::thread::spawn({
        let namespace = namespace.clone();
        move || signet(&["app", "get", "shop", "--refresh", "-n", &namespace])
    });
    let annotation = "argocd.argoproj.io/refresh";
    eventually("the refresh is asked for", || {
        let application = testbed.object(&namespace, "application", "shop");
        equal(
            &application["metadata"]["annotations"][annotation],
            &json!("normal"),
        )
    });
    patch(
        &testbed,
        &namespace,
        "shop",
        &json!({ "metadata": { "annotations": { annotation: null } } }),
    );
    assert_eq!(refreshing.join().expect("it ends").code, Some(0));
}

#[test]
fn our_controller_does_what_the_commands_ask_for() {
    let testbed = Testbed::get();
    testbed.install_crds();
    let (own, to) = (testbed.namespace("own"), testbed.namespace("to"));
    let _controller = Controller::start(&[
        "--namespace",
        &own,
        "--all-namespaces=false",
        "--git-poll-interval=0s",
        "--key-size=2048",
    ])
    .ready();
    let repository = GitRepository::create("cli-sync");
    let config_map = |value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop}}\ndata: {{a: {value}}}\n")
    };
    repository.commit(&[("shop/config.yaml", &config_map("one"))], "Add shop");
    testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: {own}}}\n\
         spec:\n  project: default\n  source: {{repoURL: \"{}\", path: shop, targetRevision: main}}\n\
         \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n",
        repository.url()
    ));
    let signet = |args: &[&str]| signet(&[&["app"], args, &["-n", &own]].concat());
    let value = || testbed.object(&to, "configmap", "shop")["data"]["a"].clone();

    let shown = signet(&["get", "shop", "--refresh"]).success();
    assert!(
        shown.contains("OutOfSync") && shown.contains("ConfigMap"),
        "{shown}"
    );
    signet(&["sync", "shop"]).success();
    signet(&["wait", "shop", "--timeout", "60s"]).success();
    assert_eq!(value(), "one");

    let commit = repository.commit(&[("shop/config.yaml", &config_map("two"))], "Change shop");
    let shown = signet(&["get", "shop", "--refresh"]).success();
    assert!(
        shown.contains(&format!("OutOfSync, {}", &commit[..7])),
        "{shown}"
    );
    let early = signet(&["wait", "shop", "--synced", "--timeout", "1s"]);
    assert_eq!(early.code, Some(1), "{}", early.stderr);
    signet(&["sync", "shop"]).success();
    assert_eq!(value(), "two");
    let list = signet(&["list"]).success();
    assert!(list.contains(&commit[..7]), "{list}");

    let nowhere = signet(&["sync", "shop", "--revision", "nowhere", "--timeout", "60s"]);
    assert_eq!(nowhere.code, Some(1), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("nowhere"), "{}", nowhere.stderr);
}
