//! Workloads that are in no Application, against a real API server: who is started anew, how often, and by whom.
//! When it is due is the business of unit tests.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use super::scene::{Scene, deployment};
use super::{AUTOMATED, controller, reseal, variable};
use crate::harness::{equal, eventually};

const STARTED_WITH: &str = "/metadata/annotations/signet.dev~1started-with";

/// A Deployment that uses an item of `db`, as somebody applies it by hand.
pub(super) fn apply(scene: &Scene, name: &str, item: &str, annotations: &str) {
    let namespace = &scene.to;
    let plain = deployment(name, "web:1", &variable(item));
    let metadata =
        format!("{{name: {name}, namespace: {namespace}, annotations: {{{annotations}}}}}");
    let named = format!("metadata: {{name: {name}}}");
    scene
        .testbed
        .apply(&plain.replacen(&named, &format!("metadata: {metadata}"), 1));
}

/// Waits until the Secret has this value.
pub(super) fn opened(scene: &Scene, item: &str, value: &str) {
    let encoded = BASE64_STANDARD.encode(value);
    scene.becomes("secret", "db", &format!("/data/{item}"), encoded);
}

/// What is written down of what its Pods were started with.
fn started_with(scene: &Scene, name: &str) -> Option<Value> {
    let noted = scene.field("deployment", name, STARTED_WITH);
    noted.filter(Value::is_string)
}

/// Waits until that is written down.
pub(super) fn noted(scene: &Scene, name: &str) {
    eventually(&format!("{name} was seen"), || {
        started_with(scene, name).ok_or("not yet")
    });
}

/// Waits until their Pods were rolled out so many times. A generation would count annotations too.
#[track_caller]
pub(super) fn rollouts(scene: &Scene, names: &[&str], expected: u64) {
    let revision = "/metadata/annotations/deployment.kubernetes.io~1revision";
    for name in names {
        scene.becomes("deployment", name, revision, expected.to_string());
    }
}

/// Waits until so many Events tell that it was started anew.
#[track_caller]
fn told(scene: &Scene, name: &str, expected: usize) {
    eventually(&format!("{expected} events tell of {name}"), || {
        equal(&restarts_told(scene, &scene.to, name), &expected)
    });
}

/// How many Events on an object tell that Pods were started anew.
pub(super) fn restarts_told(scene: &Scene, namespace: &str, name: &str) -> usize {
    let events = scene.testbed.objects(namespace, "events");
    let of_it =
        |event: &&Value| event["reason"] == "Restarted" && event["involvedObject"]["name"] == name;
    events.iter().filter(of_it).count()
}

#[test]
fn a_workload_that_asks_for_it_starts_anew_once_for_each_change() {
    let scene = Scene::new("restarts-outside");
    let first = controller(&scene, &[]);
    let seal = |a: &str, b: &str| scene.seal_items(&first, "db", &[("a", a), ("b", b)]);
    scene.testbed.apply(&seal("1", "1"));
    opened(&scene, "a", "1");
    // What changed before a workload was seen starts nothing.
    reseal(&scene, &seal("2", "1"));
    opened(&scene, "a", "2");
    let asks = "signet.dev/restart: \"true\"";
    let namespace = &scene.to;
    let copied = format!(
        "{asks}, argocd.argoproj.io/tracking-id: \"shop:apps/Deployment:{namespace}/asks\""
    );
    apply(&scene, "asks", "a", asks);
    apply(&scene, "copied", "a", &copied);
    apply(&scene, "another", "b", asks);
    apply(&scene, "silent", "a", "");
    for name in ["asks", "copied", "another"] {
        noted(&scene, name);
    }

    // Neither the same values sealed anew nor an item of others.
    reseal(&scene, &seal("2", "1"));
    reseal(&scene, &seal("2", "2"));
    rollouts(&scene, &["another"], 2);
    rollouts(&scene, &["asks", "copied", "silent"], 1);
    let last = seal("3", "2");
    reseal(&scene, &last);
    rollouts(&scene, &["asks", "copied"], 2);

    // Killed after the change was noted, and before anything followed from it.
    first.kill();
    let note = r#"signet.dev/changed={"a":"1000000000"}"#;
    let secret = ["annotate", "secret", "db", "--namespace", namespace];
    scene
        .testbed
        .kubectl(&[&secret[..], &["--overwrite", note]].concat());
    let second = controller(&scene, &[]);
    rollouts(&scene, &["asks", "copied"], 3);
    drop(second);
    let third = controller(&scene, &[]);
    reseal(
        &scene,
        &scene.seal_items(&third, "db", &[("a", "3"), ("b", "3")]),
    );
    rollouts(&scene, &["another"], 3);
    rollouts(&scene, &["asks", "copied"], 3);
    rollouts(&scene, &["silent"], 1);
    told(&scene, "asks", 2);
}

#[test]
fn what_an_application_has_is_left_to_its_sync_until_that_is_gone() {
    let scene = Scene::new("restarts-handed-over");
    let controller = controller(&scene, &[]);
    let seal = |value: &str| scene.seal_items(&controller, "db", &[("a", value)]);
    let asks = "metadata: {name: web, annotations: {signet.dev/restart: \"true\"}}";
    let workload =
        deployment("web", "web:1", &variable("a")).replacen("metadata: {name: web}", asks, 1);
    let files = [("app/db.json", &*seal("1")), ("app/web.yaml", &workload)];
    let commit = scene.repository.commit(&files, "Begin");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let commit = scene.commit(&[("app/db.json", &seal("2"))]);
    rollouts(&scene, &["web"], 2);
    scene.sync_status("Synced", &commit);
    noted(&scene, "web");
    told(&scene, "web", 0);

    let app = ["delete", "application", "app", "--namespace", &scene.own];
    scene.testbed.kubectl(&app);
    rollouts(&scene, &["web"], 2);
    reseal(&scene, &seal("3"));
    rollouts(&scene, &["web"], 3);
    told(&scene, "web", 1);
}
