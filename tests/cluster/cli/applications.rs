//! `signet app` against a real API server, and against our controller.
//! How the controller syncs is the business of its own suites.

use serde_json::{Value, json};

use crate::harness::{Controller, GitRepository, Testbed, equal, eventually, signet};

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

/// An Application `shop` that our controller keeps at the value of a ConfigMap.
struct Shop {
    testbed: Testbed,
    own: String,
    to: String,
    repository: GitRepository,
    _controller: Controller,
}

impl Shop {
    fn open(policy: &str) -> Self {
        let testbed = Testbed::get();
        testbed.install_crds();
        let (own, to) = (testbed.namespace("own"), testbed.namespace("to"));
        let controller = Controller::start(&[
            "--namespace",
            &own,
            "--all-namespaces=false",
            "--git-poll-interval=0s",
            "--key-size=2048",
        ])
        .ready();
        let shop = Self {
            repository: GitRepository::create(&format!("cli-{own}")),
            _controller: controller,
            testbed,
            own,
            to,
        };
        shop.commit("one");
        let (own, to, url) = (&shop.own, &shop.to, shop.repository.url());
        shop.testbed.apply(&format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop, namespace: {own}}}\n\
             spec:\n  project: default\n  source: {{repoURL: \"{url}\", path: shop, targetRevision: main}}\n\
             \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {policy}\n"
        ));
        shop
    }

    fn commit(&self, value: &str) -> String {
        let config_map = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop}}\ndata: {{a: {value}}}\n"
        );
        let files = [("shop/config.yaml", config_map.as_str())];
        self.repository.commit(&files, &format!("Say {value}"))
    }

    #[track_caller]
    fn signet(&self, args: &[&str]) -> crate::harness::Output {
        signet(&[&["app"], args, &["-n", &self.own]].concat())
    }

    fn value(&self) -> Value {
        self.testbed.object(&self.to, "configmap", "shop")["data"]["a"].clone()
    }

    #[track_caller]
    fn becomes(&self, value: &str) {
        eventually(&format!("the ConfigMap says {value}"), || {
            equal(&self.value(), &value.into())
        });
    }
}

#[test]
fn our_controller_does_what_the_commands_ask_for() {
    let shop = Shop::open("{}");
    let shown = shop.signet(&["get", "shop", "--refresh"]).success();
    assert!(
        shown.contains("OutOfSync") && shown.contains("ConfigMap"),
        "{shown}"
    );
    shop.signet(&["sync", "shop"]).success();
    shop.signet(&["wait", "shop", "--timeout", "60s"]).success();
    assert_eq!(shop.value(), "one");

    let commit = shop.commit("two");
    let shown = shop.signet(&["get", "shop", "--refresh"]).success();
    assert!(
        shown.contains(&format!("OutOfSync, {}", &commit[..7])),
        "{shown}"
    );
    let early = shop.signet(&["wait", "shop", "--synced", "--timeout", "1s"]);
    assert_eq!(early.code, Some(1), "{}", early.stderr);
    let dry = shop.signet(&["sync", "shop", "--dry-run"]).success();
    assert!(dry.contains("configured (dry run)"), "{dry}");
    assert_eq!(shop.value(), "one");
    shop.signet(&["sync", "shop", "--resource", ":ConfigMap:shop"])
        .success();
    assert_eq!(shop.value(), "two");
    let list = shop.signet(&["list"]).success();
    assert!(list.contains(&commit[..7]), "{list}");

    let nowhere = shop.signet(&["sync", "shop", "--revision", "nowhere", "--timeout", "60s"]);
    assert_eq!(nowhere.code, Some(1), "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("nowhere"), "{}", nowhere.stderr);
    let history = shop.signet(&["history", "shop"]).success();
    for told in ["Succeeded", "Error: ", "nowhere", "ConfigMap"] {
        assert!(history.contains(told), "{history}");
    }
    let events = shop.signet(&["events", "shop"]).success();
    assert!(events.contains("OperationCompleted"), "{events}");
    let resources = shop.signet(&["resources", "shop"]).success();
    assert!(resources.contains("ConfigMap"), "{resources}");
}

#[test]
fn a_rollback_holds_under_automatic_sync_until_there_is_another_commit() {
    let shop = Shop::open("{automated: {selfHeal: true}}");
    let first = shop.commit("two");
    shop.signet(&["get", "shop", "--refresh"]).success();
    shop.becomes("two");
    let second = shop.commit("three");
    shop.signet(&["get", "shop", "--refresh"]).success();
    shop.becomes("three");
    shop.signet(&["wait", "shop", "--timeout", "60s"]).success();

    let said = shop.signet(&["rollback", "shop"]);
    let held = format!("it stays at {}", &first[..7]);
    assert!(said.stderr.contains(&held), "{}", said.stderr);
    assert_eq!(shop.value(), "two");
    // Healed towards what it was rolled back to, and another look at Git changes nothing.
    shop.testbed.kubectl(&[
        "patch",
        "configmap",
        "shop",
        "--namespace",
        &shop.to,
        "--patch",
        r#"{"data": {"a": "other"}}"#,
    ]);
    shop.becomes("two");
    let shown = shop.signet(&["get", "shop", "--refresh"]).success();
    for told in ["Synced", "RevisionHeld", &first, &second] {
        assert!(shown.contains(told), "{shown}");
    }

    shop.commit("four");
    shop.signet(&["get", "shop", "--refresh"]).success();
    shop.becomes("four");
    let shown = shop.signet(&["get", "shop"]).success();
    assert!(!shown.contains("RevisionHeld"), "{shown}");
    assert_eq!(
        shop.signet(&["rollback", "shop", "--release"]).code,
        Some(1)
    );
}

#[test]
fn a_rollback_goes_to_the_last_sync_that_succeeded_and_the_next_one_before_that() {
    let shop = Shop::open("{}");
    shop.signet(&["sync", "shop"]).success();
    shop.commit("two");
    shop.signet(&["sync", "shop"]).success();
    // The API server takes no such name.
    let refused = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Refused}\n";
    let files = [("shop/refused.yaml", refused)];
    shop.repository.commit(&files, "Add what is refused");
    shop.commit("three");
    let failed = shop.signet(&["sync", "shop"]);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("Refused"), "{}", failed.stderr);
    assert_eq!(shop.value(), "three");

    shop.signet(&["rollback", "shop"]).success();
    assert_eq!(shop.value(), "two");
    shop.signet(&["rollback", "shop"]).success();
    assert_eq!(shop.value(), "one");
}

#[test]
fn a_rollback_is_of_the_same_values_though_the_history_has_digests_of_them() {
    let shop = Shop::open("{}");
    let kustomization = ("shop/kustomization.yaml", "resources: [config.yaml]\n");
    shop.repository.commit(&[kustomization], "Kustomize");
    let note = |note: &str| {
        let kustomize = json!({ "commonAnnotations": { "note": note } });
        let change = json!({ "spec": { "source": { "kustomize": kustomize } } });
        patch(&shop.testbed, &shop.own, "shop", &change);
    };
    note("noted-first");
    shop.signet(&["sync", "shop"]).success();
    shop.commit("two");
    shop.signet(&["sync", "shop"]).success();
    shop.signet(&["rollback", "shop"]).success();
    assert_eq!(shop.value(), "one");

    note("noted-second");
    shop.signet(&["sync", "shop"]).success();
    let other = shop.signet(&["rollback", "shop"]);
    assert_eq!(other.code, Some(1), "{}", other.stderr);
    assert!(
        other.stderr.contains("another kustomize"),
        "{}",
        other.stderr
    );
    note("noted-first");
    shop.signet(&["get", "shop", "--refresh"]).success();
    shop.signet(&["rollback", "shop"]).success();
    assert_eq!(shop.value(), "one");
    let application = shop.testbed.object(&shop.own, "application", "shop");
    assert!(!application["status"].to_string().contains("noted"));
}

#[test]
fn a_deletion_that_asks_is_approved_by_a_command() {
    let shop = Shop::open("{}");
    let asking = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: asking\n  annotations: {argocd.argoproj.io/sync-options: Prune=confirm}\n";
    let file = "shop/asking.yaml";
    shop.repository.commit(&[(file, asking)], "Add what asks");
    shop.signet(&["sync", "shop"]).success();
    let found = || shop.testbed.find_object(&shop.to, "configmap", "asking");
    assert!(found().is_some());
    assert_eq!(shop.signet(&["confirm", "shop"]).code, Some(1));

    shop.repository.remove(&[file], "Remove what asks");
    let asks = shop.signet(&["sync", "shop", "--prune"]);
    assert_eq!(asks.code, Some(1), "{}", asks.stderr);
    let waiting = "waiting for pruning confirmation of ConfigMap";
    assert!(asks.stderr.contains(waiting), "{}", asks.stderr);
    assert!(found().is_some());

    let confirmed = shop.signet(&["confirm", "shop"]);
    assert!(confirmed.stderr.contains("asking"), "{}", confirmed.stderr);
    eventually("what asked is gone", || equal(&found(), &None));
    shop.signet(&["wait", "shop", "--timeout", "60s"]).success();
    let history = shop.signet(&["history", "shop"]).success();
    assert!(history.contains("asking: pruned"), "{history}");
}
