//! Applications against a real API server: that the wiring of the sync engine holds, and what only a real server knows.
//! What is decided, and why, is the business of the golden plans.

#[path = "sync/bases.rs"]
mod bases;
#[path = "sync/charts.rs"]
mod charts;
#[path = "sync/disk.rs"]
mod disk;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/health.rs"]
mod health;
#[path = "sync/ignore.rs"]
mod ignore;
#[path = "sync/metrics.rs"]
mod metrics;
#[path = "sync/quiet.rs"]
mod quiet;
#[path = "sync/redaction.rs"]
mod redaction;
#[path = "sync/refused.rs"]
mod refused;
#[path = "sync/scene.rs"]
mod scene;
#[path = "sync/sources.rs"]
mod sources;
#[path = "sync/submodules.rs"]
mod submodules;
#[path = "sync/tools.rs"]
mod tools;
#[path = "sync/tracking.rs"]
mod tracking;
#[path = "sync/users.rs"]
mod users;
#[path = "sync/variables.rs"]
mod variables;

use harness::{Controller, Proxy, equal, eventually};
use scene::{Scene, config_map, deployment};
use serde_json::{Value, json};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

#[test]
fn an_application_is_synced_and_follows_its_repository() {
    let scene = Scene::new("follow");
    let _controller = scene.controller();
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n";
    let web = deployment("web", "web:1", "");
    let first = scene.repository.commit(
        &[("app/web.yaml", &web), ("app/service.yaml", service)],
        "Add web",
    );
    scene.application(AUTOMATED);
    let app = scene.operation("Succeeded", &first);
    assert_eq!(app["status"]["history"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        app["status"]["operationState"]["operation"]["initiatedBy"]["automated"],
        true
    );
    eventually("the Application is healthy", || {
        equal(
            &scene.app()["status"]["health"]["status"],
            &"Healthy".into(),
        )
    });
    let tracking = scene.field(
        "deployment",
        "web",
        "/metadata/annotations/argocd.argoproj.io~1tracking-id",
    );
    assert_eq!(
        tracking,
        Some(format!("app:apps/Deployment:{}/web", scene.to).into())
    );

    let second = scene.commit(&[("app/web.yaml", &deployment("web", "web:2", ""))]);
    let app = scene.operation("Succeeded", &second);
    scene.becomes(
        "deployment",
        "web",
        "/spec/template/spec/containers/0/image",
        "web:2",
    );
    let result = &app["status"]["operationState"]["syncResult"]["resources"];
    assert_eq!(
        result.as_array().map(Vec::len),
        Some(1),
        "only what was changed: {result:#}"
    );
    scene.sync_status("Synced", &second);
}

/// While a pass is about to write what it found, the next request to look may come.
#[test]
fn a_request_to_look_is_not_lost_to_the_pass_that_runs() {
    let scene = Scene::new("busy");
    let proxy = Proxy::slow(400, None);
    let arguments = scene.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let _controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    let web = |round: usize| deployment("web", &format!("web:{round}"), "");
    scene.repository.commit(&[("app/web.yaml", &web(0))], "Add");
    scene.application(AUTOMATED);
    scene.becomes("deployment", "web", "/metadata/name", "web");
    for round in 1..=6 {
        let commit = scene.commit(&[("app/web.yaml", &web(round))]);
        // What follows tells of health.
        scene.sync_status("Synced", &commit);
    }
}

/// Who asks for what stands there already changes nothing, so nobody hears of it.
#[test]
fn the_same_request_to_look_is_not_lost_to_the_pass_that_obeys_it() {
    let scene = Scene::new("same");
    let proxy = Proxy::slow(400, None);
    let arguments = scene.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let _controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    let web = |tag: &str| deployment("web", tag, "");
    let first = scene
        .repository
        .commit(&[("app/web.yaml", &web("web:1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &first);
    let second = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    scene.operation("Running", &second);
    let third = scene
        .repository
        .commit(&[("app/web.yaml", &web("web:3"))], "Change");
    let version = || scene.app()["metadata"]["resourceVersion"].clone();
    let before = version();
    scene.refresh();
    assert_eq!(version(), before, "the first request stands there still");
    scene.sync_status("Synced", &third);
}

#[test]
fn what_somebody_changes_adds_or_deletes_comes_back() {
    let scene = Scene::new("heal");
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", &deployment("web", "web:1", "")),
            ("app/a.yaml", &config_map("a", "1")),
            ("app/b.yaml", &config_map("b", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);

    let kubectl = |args: &[&str]| {
        scene
            .testbed
            .kubectl(&[args, &["--namespace", &scene.to]].concat())
    };
    kubectl(&["set", "image", "deployment/web", "main=web:9"]);
    let image = "/spec/template/spec/containers/0/image";
    scene.becomes("deployment", "web", image, "web:1");
    // All at once: between heals of one Application the waiting times grow.
    kubectl(&["annotate", "configmap", "a", "note=by-hand"]);
    kubectl(&[
        "patch",
        "configmap",
        "a",
        "--patch",
        r#"{"data": {"more": "x"}}"#,
    ]);
    kubectl(&["delete", "configmap", "b"]);
    kubectl(&["delete", "deployment", "web"]);
    scene.becomes("configmap", "a", "/metadata/annotations/note", Value::Null);
    scene.becomes("configmap", "a", "/data/more", Value::Null);
    scene.becomes("configmap", "b", "/data/value", "1");
    scene.becomes("deployment", "web", image, "web:1");
    let history = scene.app()["status"]["history"].clone();
    assert_eq!(
        history.as_array().map(Vec::len),
        Some(1),
        "healing is no deployment: {history:#}"
    );
}

#[test]
fn what_leaves_the_repository_is_pruned_unless_guarded() {
    let scene = Scene::new("prune");
    let _controller = scene.controller();
    let kept = config_map("kept", "1").replace(
        "{name: kept}",
        "{name: kept, annotations: {argocd.argoproj.io/sync-options: Prune=false}}",
    );
    scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/b.yaml", &config_map("b", "1")),
            ("app/kept.yaml", &kept),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.becomes("configmap", "kept", "/data/value", "1");
    let commit = scene.remove(&["app/b.yaml", "app/kept.yaml"]);
    scene.vanishes("configmap", "b");
    scene.operation("Succeeded", &commit);
    scene.becomes("configmap", "kept", "/data/value", "1");
    let app = scene.app();
    let names: Vec<_> = app["status"]["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert!(!names.contains(&"b"), "{names:?}");
}

#[test]
fn a_secret_is_there_before_the_object_that_uses_it() {
    let scene = Scene::new("unseal");
    let controller = scene.controller();
    let sealed = scene.seal(&controller, "db", "hunter2");
    let user =
        "        env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]\n";
    // The user's name sorts before the SealedSecret's and its kind is applied earlier than custom resources are.
    let commit = scene.repository.commit(
        &[(
            "app/all.yaml",
            &format!("{}---\n{sealed}\n", deployment("a", "web:1", user)),
        )],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    scene.becomes("secret", "db", "/data/password", "aHVudGVyMg==");
    let requests = scene.testbed.audited("testbed-admin");
    let first = |resource: &str| {
        requests.iter().position(|entry| {
            entry["objectRef"]["resource"] == resource
                && entry["objectRef"]["namespace"] == scene.to.as_str()
                && matches!(entry["verb"].as_str(), Some("create" | "patch" | "update"))
        })
    };
    assert!(
        first("secrets").expect("the Secret was written")
            < first("deployments").expect("the Deployment was written")
    );
    let resources = scene.app()["status"]["resources"].to_string();
    assert!(
        resources.contains("SealedSecret") && !resources.contains("\"Secret\""),
        "{resources}"
    );
}

#[test]
fn a_deleted_application_with_the_finalizer_takes_its_objects_along() {
    let scene = Scene::new("cascade");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let patch = r#"{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}"#;
    scene.patch(patch);
    scene.testbed.kubectl(&[
        "delete",
        "application",
        "app",
        "--timeout=60s",
        "--namespace",
        &scene.own,
    ]);
    scene.vanishes("configmap", "a");
}

#[test]
fn without_automation_only_a_request_syncs() {
    let scene = Scene::new("request");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application("{}");
    scene.sync_status("OutOfSync", &commit);
    assert!(
        scene.field("configmap", "a", "/data/value").is_none(),
        "nobody asked for it"
    );
    let request = r#"{"operation": {"initiatedBy": {"username": "alice"}, "sync": {}}}"#;
    scene.patch(request);
    let app = scene.operation("Succeeded", &commit);
    assert_eq!(app.get("operation"), None, "the request was taken up");
    assert_eq!(
        app["status"]["operationState"]["operation"]["initiatedBy"]["username"],
        "alice"
    );
    scene.becomes("configmap", "a", "/data/value", "1");
    scene.sync_status("Synced", &commit);
}

#[test]
fn a_restart_when_nothing_changed_writes_nothing() {
    let scene = Scene::named("restart");
    let arguments = scene.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let controller = Controller::start(&arguments).ready();
    let sealed = scene.seal(&controller, "db", "hunter2");
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/web.yaml", &deployment("web", "web:1", "")),
            ("app/db.json", &sealed),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    eventually("the Application is healthy", || {
        equal(
            &scene.app()["status"]["health"]["status"],
            &"Healthy".into(),
        )
    });
    assert!(controller.stop().success());

    let proxy = Proxy::start(None);
    let controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    scene.works_by_metrics(&controller);
    assert_eq!(proxy.writes(), Vec::<String>::new());
}

#[test]
fn what_kubectl_applied_before_is_taken_over_with_its_fields() {
    let scene = Scene::new("adopt");
    let _controller = scene.controller();
    let old = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a, namespace: {}}}\ndata: {{value: \"0\", gone: \"x\"}}\n",
        scene.to
    );
    let file = scene.repository.work_tree().join("old.yaml");
    std::fs::write(&file, old).expect("the work tree is writable");
    scene
        .testbed
        .kubectl(&["apply", "-f", &file.display().to_string()]);
    std::fs::remove_file(&file).expect("the file is there");
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    scene.becomes("configmap", "a", "/data", json!({ "value": "1" }));
    let annotations = scene
        .field("configmap", "a", "/metadata/annotations")
        .expect("the object is there")
        .to_string();
    assert!(!annotations.contains("last-applied"), "{annotations}");
}
