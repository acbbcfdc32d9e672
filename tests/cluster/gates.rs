//! What holds a sync up, and lets it go again, against a real API server: that news of a project or of another Application arrive.
//! Whether and why something is held up is the business of the golden plans.

#[path = "gates/door.rs"]
mod door;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "gates/outlived.rs"]
mod outlived;
#[path = "sync/scene.rs"]
mod scene;

use harness::{equal, eventually};
use scene::{Scene, config_map};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

/// The project of the scene, which permits everything; `more` is of its `spec`.
fn project(scene: &Scene, annotations: &str, more: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\n\
         metadata: {{name: default, namespace: {own}, annotations: {{{annotations}}}}}\nspec:\n\
         \x20 sourceRepos: [\"*\"]\n  destinations: [{{server: \"*\", namespace: \"*\"}}]\n  {more}\n"
    ));
}

#[test]
fn a_sync_waits_until_its_window_is_gone() {
    let scene = Scene::new("windows");
    let _controller = scene.controller();
    let window =
        "syncWindows: [{kind: deny, schedule: \"* * * * *\", duration: 1h, applications: [app]}]";
    project(&scene, "", window);
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.says("SyncBlocked", "spec.syncWindows[0] of AppProject default");

    scene.patch(r#"{"operation": {"sync": {}, "initiatedBy": {"username": "ana"}}}"#);
    eventually("the request waits", || {
        let state = &scene.app()["status"]["operationState"];
        equal(&state["phase"], &"Running".into()).and_then(|()| {
            let message = "Sync operation blocked by sync window";
            equal(&state["message"], &message.into())
        })
    });
    assert!(scene.field("configmap", "a", "/data/value").is_none());

    project(&scene, "", "syncWindows: []");
    scene.operation("Succeeded", &commit);
    scene.becomes("configmap", "a", "/data/value", "1");
}

#[test]
fn a_plaintext_secret_is_synced_once_the_project_allows_it() {
    let scene = Scene::new("plaintext");
    let _controller = scene.controller();
    project(&scene, "signet.dev/plaintext-secrets: refuse", "");
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: hunter2}\n";
    let commit = scene.repository.commit(&[("app/db.yaml", secret)], "Add");
    scene.application(AUTOMATED);
    let at = format!("app/db.yaml: document 1, line 1: Secret {}/db: ", scene.to);
    scene.says(
        "SyncError",
        &format!("PlaintextSecret: {at}not sealed: password"),
    );
    scene.says("PlaintextSecretWarning", &at);
    assert!(!scene.app()["status"].to_string().contains("hunter2"));
    assert!(scene.field("secret", "db", "/data").is_none());

    project(&scene, "signet.dev/plaintext-secrets: allow", "");
    scene.sync_status("Synced", &commit);
}

#[test]
fn an_application_is_synced_once_what_it_depends_on_works() {
    let scene = Scene::new("depends");
    let _controller = scene.controller();
    let (app, db) = (config_map("a", "1"), config_map("b", "1"));
    let files = [("app/a.yaml", app.as_str()), ("db/b.yaml", db.as_str())];
    let commit = scene.repository.commit(&files, "Add");
    scene.application("{}");
    scene.annotate("signet.dev/depends-on=db");
    scene.patch(r#"{"spec": {"syncPolicy": {"automated": {}}}}"#);
    scene.says(
        "SyncBlocked",
        "waiting for Application db: there is no such Application",
    );

    let (own, to, url) = (&scene.own, &scene.to, scene.repository.url());
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: db, namespace: {own}}}\nspec:\n\
         \x20 project: default\n  source: {{repoURL: \"{url}\", path: db, targetRevision: main}}\n\
         \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {{automated: {{}}}}\n"
    ));
    scene.operation("Succeeded", &commit);
    scene.becomes("configmap", "b", "/data/value", "1");
    scene.sync_status("Synced", &commit);
}
