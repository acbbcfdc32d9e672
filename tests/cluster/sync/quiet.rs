//! What changes in the cluster and is no news: it costs no request.

use serde_json::{Value, json};

use super::AUTOMATED;
use super::harness::{equal, eventually};
use super::scene::{Scene, config_map, deployment};

const CHANGES: usize = 20;

/// The controller's requests for a Deployment, but for its watch.
fn asked(scene: &Scene) -> Vec<String> {
    let requests = scene.testbed.audited("testbed-admin");
    let of_controller = |request: &&Value| {
        let object = &request["objectRef"];
        object["resource"] == "deployments"
            && object["namespace"] == scene.to.as_str()
            && object["name"] == "web"
            && request["userAgent"]
                .as_str()
                .is_some_and(|agent| agent.starts_with("signet-controller"))
    };
    let told = |request: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let is_dry_run = text(&request["requestURI"]).contains("dryRun=");
        let suffix = if is_dry_run { ", dry-run" } else { "" };
        format!("{}{suffix}", text(&request["verb"]))
    };
    requests.iter().filter(of_controller).map(told).collect()
}

#[test]
fn a_status_that_moves_costs_no_request() {
    let scene = Scene::new("quiet");
    let _controller = scene.controller();
    let web = deployment("web", "web:1", "");
    let commit = scene.repository.commit(&[("app/web.yaml", &web)], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    eventually("the Application is healthy", || {
        equal(
            &scene.app()["status"]["health"]["status"],
            &"Healthy".into(),
        )
    });
    let before = asked(&scene).len();
    for change in 0..CHANGES {
        let patch = format!(
            r#"{{"status":{{"conditions":[{{"type":"Moves","status":"True","message":"{change}"}}]}}}}"#
        );
        let to = ["--namespace", &scene.to, "--subresource=status"];
        let patch = ["patch", "deployment", "web", "--patch", &patch];
        scene.testbed.kubectl(&[&patch[..], &to].concat());
    }
    // Events of one kind come in order: when this one is looked at, the others have been.
    let label = ["label", "deployment", "web", "by=hand", "--namespace"];
    scene
        .testbed
        .kubectl(&[&label[..], &[scene.to.as_str()]].concat());
    scene.becomes("deployment", "web", "/metadata/labels/by", Value::Null);
    let asked = &asked(&scene)[before..];
    let reads = asked.iter().filter(|verb| *verb == "get").count();
    assert!(
        reads < CHANGES / 2,
        "one change is looked at, and what comes of it: {asked:?}"
    );
}

#[test]
fn an_application_with_a_large_status_is_followed_like_any_other() {
    let scene = Scene::new("large");
    let _controller = scene.controller();
    let first = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &first);
    // What it remembers and nobody finds leaves the list with the next look.
    let remembered = |number: usize| json!({ "version": "v1", "kind": "ConfigMap", "namespace": scene.to, "name": format!("{number:0100}") });
    let resources: Vec<Value> = (0..4000).map(remembered).collect();
    let file = scene.testbed.path(&format!("{}.json", scene.own));
    let patch = json!({ "status": { "resources": resources } });
    std::fs::write(&file, patch.to_string()).unwrap();
    let file = format!("--patch-file={}", file.display());
    let app = ["patch", "application", "app", "--namespace", &scene.own];
    scene
        .testbed
        .kubectl(&[&app[..], &["--type=merge", &file]].concat());
    let second = scene.commit(&[("app/a.yaml", &config_map("a", "2"))]);
    scene.sync_status("Synced", &second);
}
