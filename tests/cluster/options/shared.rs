//! One ConfigMap that several Applications want, each otherwise: it has one owner at a time, and nobody fights.

use serde_json::Value;

use crate::harness::{Controller, eventually};
use crate::rest::no_write_of;
use crate::scene::{Scene, config_map};
use crate::{AUTOMATED, UID, application, application_becomes, by_hand};

/// To which Application an object belongs.
const TRACKING: &str = "/metadata/annotations/argocd.argoproj.io~1tracking-id";
const VALUE: &str = "/data/value";

/// `app` owns the ConfigMap, and `second`, which has come later and has this policy, wants it too. Returns the commit.
fn wanted_twice(scene: &Scene, policy: &str) -> (Controller, String) {
    let controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/shared.yaml", &config_map("shared", "app")),
            ("app/a.yaml", &config_map("a", "1")),
            ("second/shared.yaml", &config_map("shared", "second")),
            ("second/b.yaml", &config_map("b", "1")),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let second = application(scene, "second", "", policy);
    scene.testbed.apply(&second);
    let left = format!(
        "ConfigMap {}/shared is part of Applications second and app: it is left to app",
        scene.to
    );
    says(scene, "second", "SharedResourceWarning", &left);
    (controller, commit)
}

/// Waits until a condition of an Application has this in its message.
fn says(scene: &Scene, name: &str, kind: &str, text: &str) {
    eventually(&format!("{kind} of {name} says {text:?}"), || {
        let app = scene.testbed.object(&scene.own, "application", name);
        let conditions = app["status"]["conditions"].as_array();
        let of_kind = |condition: &&Value| condition["type"] == kind;
        let mut messages = conditions.into_iter().flatten().filter(of_kind);
        let has_text = |condition: &Value| {
            let message = condition["message"].as_str();
            message.is_some_and(|message| message.contains(text))
        };
        match messages.any(has_text) {
            true => Ok(()),
            false => Err(format!("{:#}", app["status"])),
        }
    });
}

/// Has an Application compared anew, and waits until that is done.
fn refresh_hard(scene: &Scene, name: &str) {
    let annotate = ["annotate", "application", name, "--namespace", &scene.own];
    let hard = ["--overwrite", "argocd.argoproj.io/refresh=hard"];
    scene.testbed.kubectl(&[&annotate[..], &hard].concat());
    let refresh = "/metadata/annotations/argocd.argoproj.io~1refresh";
    application_becomes(scene, name, refresh, Value::Null);
}

/// Waits until the ConfigMap is as this Application wants it, and belongs to it.
fn belongs_to(scene: &Scene, name: &str) {
    let id = format!("{name}:/ConfigMap:{}/shared", scene.to);
    scene.becomes("configmap", "shared", TRACKING, id);
    scene.becomes("configmap", "shared", VALUE, name);
}

/// Waits until `second` has all that it wants.
fn second_is_synced(scene: &Scene) {
    application_becomes(scene, "second", "/status/sync/status", "Synced");
    eventually("nothing is left to anybody", || {
        let app = scene.testbed.object(&scene.own, "application", "second");
        match app["status"].to_string().contains("SharedResourceWarning") {
            true => Err(format!("{:#}", app["status"])),
            false => Ok(()),
        }
    });
}

#[test]
fn two_applications_on_one_object_do_not_fight() {
    let scene = Scene::new("shared");
    let (_controller, commit) = wanted_twice(&scene, AUTOMATED);
    application_becomes(
        &scene,
        "second",
        "/status/operationState/phase",
        "Succeeded",
    );
    application_becomes(&scene, "second", "/status/sync/status", "OutOfSync");
    scene.becomes("configmap", "b", VALUE, "1");
    no_write_of(&scene, "configmaps", || {
        refresh_hard(&scene, "app");
        refresh_hard(&scene, "second");
    });
    scene.sync_status("Synced", &commit);
    belongs_to(&scene, "app");

    by_hand(
        &scene,
        "kubectl-edit",
        "shared",
        r#"{"data": {"value": "by hand"}}"#,
    );
    belongs_to(&scene, "app");
}

#[test]
fn what_its_owner_prunes_is_made_anew_by_the_other_application() {
    let scene = Scene::new("shared-pruned");
    let (_controller, _) = wanted_twice(&scene, AUTOMATED);
    let before = scene.field("configmap", "shared", UID);
    let commit = scene.remove(&["app/shared.yaml"]);
    belongs_to(&scene, "second");
    assert_ne!(scene.field("configmap", "shared", UID), before);
    scene.sync_status("Synced", &commit);
    second_is_synced(&scene);
}

#[test]
fn what_an_application_leaves_behind_is_taken_over_by_the_other() {
    let scene = Scene::new("shared-left");
    let (_controller, _) = wanted_twice(&scene, AUTOMATED);
    let before = scene.field("configmap", "shared", UID);
    let delete = ["delete", "application", "app", "--namespace", &scene.own];
    scene.testbed.kubectl(&delete);
    belongs_to(&scene, "second");
    assert_eq!(scene.field("configmap", "shared", UID), before);
    second_is_synced(&scene);
}

#[test]
fn an_application_that_may_not_share_applies_nothing_until_the_object_is_its_own() {
    let scene = Scene::new("shared-refused");
    let policy = "{automated: {selfHeal: true}, syncOptions: [FailOnSharedResource=true]}";
    let (_controller, _) = wanted_twice(&scene, policy);
    let refused = "it belongs to Application app; FailOnSharedResource=true";
    says(&scene, "second", "SyncError", refused);
    application_becomes(&scene, "second", "/status/operationState", Value::Null);
    assert_eq!(scene.field("configmap", "b", UID), None);
    belongs_to(&scene, "app");

    scene.remove(&["app/shared.yaml"]);
    belongs_to(&scene, "second");
    scene.becomes("configmap", "b", VALUE, "1");
    second_is_synced(&scene);
}
