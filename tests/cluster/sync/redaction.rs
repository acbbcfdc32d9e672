//! The key of the digests in a status, as a controller finds or makes it.
//! What is redacted is the business of unit tests, and that nothing else tells it that of the canaries.

use crds::names::REDACTION_KEY_SECRET;
use serde_json::Value;

use crate::harness::{Controller, Proxy, equal, eventually};
use crate::scene::{Scene, config_map};

/// An Application with a value in its source, and its first commit.
fn application(scene: &Scene) -> String {
    let files = [
        ("app/kustomization.yaml", "resources: [a.yaml]\n"),
        ("app/a.yaml", &config_map("a", "1")),
    ];
    let commit = scene.repository.commit(&files, "Add");
    let url = scene.repository.url();
    let source = format!(
        "source: {{repoURL: \"{url}\", path: app, targetRevision: main, kustomize: {{commonAnnotations: {{note: noted}}}}}}"
    );
    scene.application_of(&source, "{automated: {}}");
    commit
}

fn key(scene: &Scene) -> Option<Value> {
    scene
        .testbed
        .find_object(&scene.own, "secret", REDACTION_KEY_SECRET)
}

/// The digest in what was compared last.
fn digest(app: &Value) -> &str {
    let source = &app["status"]["sync"]["comparedTo"]["source"];
    let note = source["kustomize"]["commonAnnotations"]["note"].as_str();
    note.unwrap_or_default()
}

#[test]
fn a_restart_finds_the_key_and_writes_no_digest_anew() {
    let scene = Scene::named("redacted");
    let arguments = scene.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let controller = Controller::start(&arguments).ready();
    let commit = application(&scene);
    scene.operation("Succeeded", &commit);
    let app = eventually("the Application is healthy", || {
        let app = scene.app();
        equal(&app["status"]["health"]["status"], &"Healthy".into()).map(|()| app)
    });
    assert!(
        digest(&app).starts_with("hmac-sha256:"),
        "{}",
        app["status"]
    );
    let made = key(&scene).expect("a key");
    assert!(controller.stop().success());

    let proxy = Proxy::start(None);
    let controller = Controller::start_with(&proxy.kubeconfig(), &arguments).ready();
    scene.works_by_metrics(&controller);
    assert_eq!(proxy.writes(), Vec::<String>::new());
    assert_eq!(key(&scene), Some(made));
}

#[test]
fn a_key_that_can_be_guessed_is_told_and_syncs_begin_once_it_is_gone() {
    let scene = Scene::new("guessed");
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: {REDACTION_KEY_SECRET}, namespace: {own}}}\nstringData: {{key: short}}\n"
    ));
    let controller = scene.controller();
    let commit = application(&scene);
    let told = format!(
        "item key of Secret {own}/{REDACTION_KEY_SECRET} has 5 bytes, expected 32 or more; delete the Secret"
    );
    eventually("the log names the Secret and the remedy", || {
        let log = controller.log();
        match log.contains(&told) {
            true => Ok(()),
            false => Err(log),
        }
    });
    assert_eq!(scene.app()["status"], Value::Null);
    scene
        .testbed
        .kubectl(&["delete", "secret", REDACTION_KEY_SECRET, "--namespace", own]);
    scene.operation("Succeeded", &commit);
    let data = key(&scene).map(|key| key["immutable"].clone());
    equal(&data, &Some(true.into())).unwrap();
}
