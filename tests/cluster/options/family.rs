//! An Application whose objects are Applications, each with a ConfigMap of its own: their order, their health and their end,
//! and what is asked of them beside Git.

use serde_json::Value;

use crate::rest::{nothing_is_written_while, rests};
use crate::scene::{Scene, config_map};
use crate::{AUTOMATED, UID, application, application_becomes};

const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// What people and tools ask of an Application beside Git. Once paused, it answers nothing of it, and takes nothing off.
const ASKED: [&str; 5] = [
    "argocd.argoproj.io/skip-reconcile=true",
    "argocd.argoproj.io/refresh=normal",
    "argocd.argoproj.io/deletion-approved=2026-03-01T12:00:00Z",
    "signet.dev/hold=x",
    "signet.dev/diff=x",
];

/// A child's own health counts for its parent.
const OF_CHILDREN: &str = r#"
  resource.customizations.health.argoproj.io_Application: |
    local health = obj.status and obj.status.health or {}
    return {status = health.status or "Progressing", message = health.message or ""}
"#;

/// Has ConfigMaps judged like this, and Applications by what they say themselves.
fn judge(scene: &Scene, config_maps: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm, namespace: {own}}}\ndata:\n\
         \x20 resource.customizations.health.ConfigMap: return {{status = \"{config_maps}\"}}{OF_CHILDREN}"
    ));
}

/// The controller's own namespace, where the children are, has to be named by the project.
fn permit(scene: &Scene) {
    let (own, to) = (&scene.own, &scene.to);
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: default, namespace: {own}}}\nspec:\n\
         \x20 sourceRepos: [\"*\"]\n  destinations: [{{server: \"*\", namespace: {own}}}, {{server: \"*\", namespace: {to}}}]\n"
    ));
}

/// A child that takes its objects along.
fn child(scene: &Scene, name: &str, wave: u8) -> String {
    let metadata = format!(
        ", finalizers: [{FINALIZER}], annotations: {{argocd.argoproj.io/sync-wave: \"{wave}\"}}"
    );
    application(scene, name, &metadata, AUTOMATED)
}

fn find(scene: &Scene, name: &str) -> Option<Value> {
    scene.testbed.find_object(&scene.own, "application", name)
}

/// Child and ConfigMap are gone.
fn is_gone(scene: &Scene, name: &str) {
    assert_eq!(find(scene, name), None);
    assert_eq!(scene.field("configmap", name, UID), None);
}

#[test]
fn an_application_of_applications_brings_its_children_and_takes_them_along() {
    let scene = Scene::new("family");
    permit(&scene);
    judge(&scene, "Progressing");
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/first.yaml", &child(&scene, "first", 0)),
            ("app/second.yaml", &child(&scene, "second", 1)),
            ("first/a.yaml", &config_map("first", "1")),
            ("second/a.yaml", &config_map("second", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    let waits = format!(
        "waiting for healthy state of argoproj.io/Application {}/first",
        scene.own
    );
    application_becomes(&scene, "first", "/status/health/status", "Progressing");
    application_becomes(&scene, "app", "/status/health/status", "Progressing");
    application_becomes(&scene, "app", "/status/operationState/message", waits);
    assert_eq!(find(&scene, "second"), None);

    judge(&scene, "Healthy");
    scene.operation("Succeeded", &commit);
    for name in ["first", "second"] {
        let child = find(&scene, name).unwrap_or_default();
        assert_eq!(child["status"]["health"]["status"], "Healthy", "{name}");
        application_becomes(&scene, name, "/status/sync/status", "Synced");
        scene.becomes("configmap", name, "/data/value", "1");
    }
    rests(&scene);

    let commit = scene.remove(&["app/second.yaml"]);
    scene.operation("Succeeded", &commit);
    is_gone(&scene, "second");
    scene.becomes("configmap", "first", "/data/value", "1");
    scene.sync_status("Synced", &commit);

    scene.patch(&format!(
        r#"{{"metadata": {{"finalizers": ["{FINALIZER}"]}}}}"#
    ));
    let own = ["--namespace", &scene.own, "--timeout=60s"];
    scene
        .testbed
        .kubectl(&[&["delete", "application", "app"], &own[..]].concat());
    is_gone(&scene, "first");
}

/// A person writes annotations on a child.
fn annotate(scene: &Scene, name: &str, annotations: &[&str]) {
    let child = ["annotate", "application", name, "--namespace", &scene.own];
    scene.testbed.kubectl(&[&child[..], annotations].concat());
}

/// All that was asked of a child stands there.
fn is_asked(scene: &Scene, name: &str) {
    let child = find(scene, name).unwrap_or_default();
    for asked in ASKED {
        let (annotation, value) = asked.split_once('=').unwrap_or_default();
        let annotations = &child["metadata"]["annotations"];
        assert_eq!(annotations[annotation], value, "{annotation}");
    }
    assert_eq!(child["operation"]["sync"]["revision"], "main");
}

#[test]
fn what_is_asked_of_a_child_beside_git_is_no_drift_and_stays() {
    let scene = Scene::new("asked");
    permit(&scene);
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/first.yaml", &child(&scene, "first", 0)),
            ("first/a.yaml", &config_map("first", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    application_becomes(&scene, "first", "/status/sync/status", "Synced");
    nothing_is_written_while(&scene, || {
        annotate(&scene, "first", &ASKED);
        let first = ["patch", "application", "first", "--namespace", &scene.own];
        let operation = r#"{"operation": {"sync": {"revision": "main"}}}"#;
        let patch = ["--type=merge", "--patch", operation];
        scene.testbed.kubectl(&[&first[..], &patch].concat());
        scene.refresh_hard();
        scene.sync_status("Synced", &commit);
    });
    is_asked(&scene, "first");

    // Neither does it go with what a person has added besides, nor with a change in Git.
    annotate(&scene, "first", &["note=by-hand"]);
    application_becomes(&scene, "first", "/metadata/annotations/note", Value::Null);
    is_asked(&scene, "first");
    let commit = scene.commit(&[("app/first.yaml", &child(&scene, "first", 1))]);
    scene.operation("Succeeded", &commit);
    let wave = "/metadata/annotations/argocd.argoproj.io~1sync-wave";
    application_becomes(&scene, "first", wave, "1");
    is_asked(&scene, "first");
}
