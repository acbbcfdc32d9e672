//! One ConfigMap that several Applications want, each otherwise: it has one owner at a time, and nobody fights. And one Namespace with
//! objects of several, that goes with none of them while another needs it.

use serde_json::Value;

use crate::harness::{Controller, equal, eventually};
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

/// `app` has a Namespace, and `second` a ConfigMap in it. Returns the Namespace's name.
fn namespace_of_both(scene: &Scene) -> (Controller, String) {
    let controller = scene.controller();
    let name = format!("{}-extra", scene.to);
    let namespace = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, annotations: {{argocd.argoproj.io/sync-options: Prune=true}}}}\n"
    );
    let place = format!("{{name: theirs, namespace: {name}}}");
    let theirs = config_map("theirs", "1").replace("{name: theirs}", &place);
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/namespace.yaml", &namespace),
            ("second/b.yaml", &config_map("b", "1")),
            ("second/theirs.yaml", &theirs),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let second = application(scene, "second", "", AUTOMATED);
    scene.testbed.apply(&second);
    application_becomes(scene, "second", "/status/sync/status", "Synced");
    (controller, name)
}

/// The ConfigMap and the Namespace that it is in are there, and nobody deletes that.
fn is_left(scene: &Scene, namespace: &str) {
    let found = scene.testbed.object("", "namespace", namespace);
    assert_eq!(found.pointer("/metadata/deletionTimestamp"), None);
    let theirs = scene.testbed.object(namespace, "configmap", "theirs");
    assert_eq!(theirs.pointer(VALUE), Some(&"1".into()));
}

#[test]
fn a_namespace_stays_until_no_other_application_has_an_object_in_it() {
    let scene = Scene::new("shared-namespace");
    let (_controller, namespace) = namespace_of_both(&scene);
    let commit = scene.remove(&["app/namespace.yaml"]);
    scene.sync_status("OutOfSync", &commit);
    is_left(&scene, &namespace);

    let commit = scene.remove(&["second/theirs.yaml"]);
    refresh_hard(&scene, "second");
    application_becomes(&scene, "second", "/status/resources/1", Value::Null);
    scene.refresh();
    eventually("the Namespace is gone", || {
        let found = scene.testbed.find_object("", "namespace", &namespace);
        equal(&found, &None)
    });
    scene.sync_status("Synced", &commit);
}

#[test]
fn a_deleted_application_leaves_a_namespace_with_an_object_of_another_and_says_so() {
    let scene = Scene::new("shared-cascade");
    let (_controller, namespace) = namespace_of_both(&scene);
    scene.patch(r#"{"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}"#);
    let delete = ["delete", "application", "app", "--namespace", &scene.own];
    let delete = [&delete[..], &["--timeout=60s"]].concat();
    scene.testbed.kubectl(&delete);
    assert_eq!(scene.field("configmap", "a", UID), None);
    is_left(&scene, &namespace);
    let left = format!(
        "not deleted with the Application: Namespace {namespace}: ConfigMap {namespace}/theirs of Application second would go with it"
    );
    eventually("an Event says what is left", || {
        let events = scene.testbed.objects(&scene.own, "events");
        let says_so = |event: &Value| {
            event["reason"] == "OrphanedResourceWarning" && event["message"] == left.as_str()
        };
        equal(&events.iter().any(says_so), &true)
    });
}
