//! Hooks as real Jobs at the end: of an Application that is deleted, and of a sync that somebody ends.
//! What is due when is the business of the golden plans.

use serde_json::Value;

use crate::harness::{equal, eventually};
use crate::scene::{Scene, config_map};
use crate::{AUTOMATED, BRIEF, FAILING, STUCK, hook, jobs, made, phase, result, results};

const RESOURCES: &str = "resources-finalizer.argocd.argoproj.io";

fn keep(scene: &Scene, finalizers: &[&str]) {
    let finalizers = serde_json::json!(finalizers);
    scene.patch(&format!(
        r#"{{"metadata": {{"finalizers": {finalizers}}}}}"#
    ));
}

fn delete(scene: &Scene) {
    let app = ["application", "app", "--namespace", &scene.own];
    scene
        .testbed
        .kubectl(&[["delete", "--wait=false"].as_slice(), &app].concat());
}

fn is_gone(scene: &Scene) {
    eventually("the Application is gone", || {
        let app = scene.testbed.find_object(&scene.own, "application", "app");
        equal(&app, &None)
    });
}

fn finalizers(scene: &Scene, expected: usize) {
    eventually("the Application is kept for its hooks", || {
        let app = scene.app();
        let found = app["metadata"]["finalizers"].as_array();
        equal(&found.map(Vec::len), &Some(expected))
            .map_err(|error| format!("{error}\n{:#}", app["metadata"]))
    });
}

/// Jobs that controllers made in the destination, and ConfigMaps that they deleted there, in this order.
fn deeds(scene: &Scene) -> Vec<String> {
    let requests = scene.testbed.audited("testbed-admin").into_iter();
    let deed = |request: Value| {
        let object = &request["objectRef"];
        let name = object["name"].as_str()?;
        let makes = object["resource"] == "jobs" && request["responseStatus"]["code"] == 201;
        let deletes = object["resource"] == "configmaps" && request["verb"] == "delete";
        let here = object["namespace"] == scene.to.as_str();
        (here && (makes || deletes)).then(|| format!("{} {name}", request["verb"]))
    };
    let mut deeds: Vec<String> = requests.filter_map(deed).collect();
    // What was asked for is asked for again until it is seen.
    deeds.dedup();
    deeds
}

#[test]
fn hooks_of_deletion_run_around_it_once_each_also_when_git_has_nothing_left() {
    let scene = Scene::new("hooks-delete");
    let _controller = scene.controller();
    let ends = format!(
        "{}, argocd.argoproj.io/hook-delete-policy: HookSucceeded",
        phase("PostDelete")
    );
    let files = [
        (
            "app/before.yaml",
            hook("name: before", "helm.sh/hook: pre-delete", BRIEF),
        ),
        ("app/after.yaml", hook("name: after", &ends, "")),
        ("app/settings.yaml", config_map("settings", "1")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Everything");
    scene.application(AUTOMATED);
    keep(&scene, &[RESOURCES]);
    scene.operation("Succeeded", &commit);
    assert_eq!(made(&scene), Vec::<String>::new(), "a sync runs none");
    finalizers(&scene, 5);

    scene
        .repository
        .remove(&files.map(|(path, _)| path), "Remove");
    delete(&scene);
    is_gone(&scene);
    let expected = ["\"patch\" before", "\"delete\" settings", "\"patch\" after"];
    assert_eq!(deeds(&scene), expected);
    eventually("nothing is left", || equal(&jobs(&scene), &Vec::new()));
}

#[test]
fn a_hook_of_deletion_that_fails_stops_it_until_people_decide() {
    let scene = Scene::new("hooks-delete-fail");
    let _controller = scene.controller();
    let files = [
        (
            "app/before.yaml",
            hook("name: before", &phase("PreDelete"), FAILING),
        ),
        ("app/settings.yaml", config_map("settings", "1")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Everything");
    scene.application(AUTOMATED);
    keep(&scene, &[RESOURCES]);
    scene.operation("Succeeded", &commit);
    finalizers(&scene, 3);
    delete(&scene);
    scene.says("DeletionError", "PreDelete hook batch/Job");
    let to = ["--namespace", scene.to.as_str()];
    scene
        .testbed
        .kubectl(&[["delete", "job", "before"].as_slice(), &to].concat());
    eventually("it runs again", || equal(&made(&scene).len(), &2));
    scene.says("DeletionError", "PreDelete hook batch/Job");
    scene.becomes("configmap", "settings", "/data/value", "1");

    keep(&scene, &[RESOURCES]);
    is_gone(&scene);
    scene.vanishes("configmap", "settings");
    scene.vanishes("job", "before");
    assert_eq!(made(&scene).len(), 2, "{:?}", made(&scene));
}

#[test]
fn an_application_that_is_deleted_in_mid_hook_lets_go_of_the_job() {
    let scene = Scene::new("hooks-mid");
    let _controller = scene.controller();
    running(&scene);
    delete(&scene);
    is_gone(&scene);
    let finalizers = scene.field("job", "migrate", "/metadata/finalizers");
    assert_eq!(finalizers, Some(Value::Null), "the Job stays, and is free");
    let deleted = scene.field("job", "migrate", "/metadata/deletionTimestamp");
    assert_eq!(deleted, Some(Value::Null));
}

#[test]
fn a_sync_that_somebody_ends_deletes_the_hook_that_runs() {
    let scene = Scene::new("hooks-end");
    let _controller = scene.controller();
    let commit = running(&scene);
    scene.patch(r#"{"status": {"operationState": {"phase": "Terminating"}}}"#);
    let app = scene.operation("Failed", &commit);
    assert_eq!(
        app["status"]["operationState"]["message"],
        "Operation terminated"
    );
    assert_eq!(results(&app), [result("PreSync", "Error", "migrate")]);
    scene.vanishes("job", "migrate");
    let settings = scene.field("configmap", "settings", "/metadata/name");
    assert!(settings.is_none(), "applied after the end: {settings:?}");
    eventually("the Application is kept no more", || {
        equal(&scene.app()["metadata"]["finalizers"], &Value::Null)
    });
}

/// A sync whose first hook never comes to its end.
fn running(scene: &Scene) -> String {
    let files = [
        (
            "app/migrate.yaml",
            hook("name: migrate", &phase("PreSync"), STUCK),
        ),
        ("app/settings.yaml", config_map("settings", "1")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Stuck");
    scene.application(AUTOMATED);
    eventually("the hook runs", || {
        let expected = [result("PreSync", "Running", "migrate")];
        equal(&results(&scene.app()), &expected.to_vec())
    });
    commit
}
