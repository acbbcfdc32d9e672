//! Sync options and compare options against a real API server: what only it knows of ownership, immutable fields and admission.
//! Which option asks for which step is the business of the golden plans.

#[path = "options/admission.rs"]
mod admission;
#[path = "options/family.rs"]
mod family;
#[path = "../testbed/harness.rs"]
mod harness;
#[path = "options/hour.rs"]
mod hour;
#[path = "options/normalised.rs"]
mod normalised;
#[path = "options/owners.rs"]
mod owners;
#[path = "options/rest.rs"]
mod rest;
#[path = "sync/scene.rs"]
mod scene;
#[path = "options/shared.rs"]
mod shared;
#[path = "options/webhooks.rs"]
mod webhooks;

use harness::{Controller, equal, eventually, unique};
use scene::{Scene, config_map, deployment};
use serde_json::{Value, json};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";
const UID: &str = "/metadata/uid";

/// A manifest of a helper, with annotations.
pub(crate) fn annotated(manifest: &str, name: &str, annotations: &str) -> String {
    let plain = format!("metadata: {{name: {name}}}");
    assert!(manifest.contains(&plain), "{manifest}");
    let with = format!("metadata: {{name: {name}, annotations: {{{annotations}}}}}");
    manifest.replacen(&plain, &with, 1)
}

/// An Application from the folder of its own name; `metadata` is more of its metadata, as YAML that begins with a comma.
pub(crate) fn application(scene: &Scene, name: &str, metadata: &str, policy: &str) -> String {
    let (own, to, url) = (&scene.own, &scene.to, scene.repository.url());
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {own}{metadata}}}\n\
         spec:\n  project: default\n  source: {{repoURL: \"{url}\", path: {name}, targetRevision: main}}\n\
         \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n  syncPolicy: {policy}\n"
    )
}

/// Waits until a field of an Application has this value; null is no field.
#[track_caller]
pub(crate) fn application_becomes(
    scene: &Scene,
    name: &str,
    pointer: &str,
    value: impl Into<Value>,
) {
    let value = value.into();
    eventually(&format!("{pointer} of Application {name}"), || {
        let app = scene.testbed.find_object(&scene.own, "application", name);
        let app = app.unwrap_or_default();
        let seen = app.pointer(pointer).cloned().unwrap_or_default();
        equal(&seen, &value).map_err(|error| format!("{error}\n{:#}", app["status"]))
    });
}

/// What somebody does by hand, as a field manager of a name.
fn by_hand(scene: &Scene, manager: &str, name: &str, patch: &str) {
    let manager = format!("--field-manager={manager}");
    let to = &scene.to;
    let patch = [
        "patch",
        "configmap",
        name,
        "--namespace",
        to,
        "--type=merge",
        &manager,
        "--patch",
        patch,
    ];
    scene.testbed.kubectl(&patch);
}

#[test]
fn a_job_is_made_anew_where_force_says_so() {
    let scene = Scene::new("force");
    let _controller = scene.controller();
    let job = |image: &str, option: &str| {
        let job = format!(
            "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate}}\nspec:\n  suspend: true\n  template:\n    spec:\n\
             \x20     restartPolicy: Never\n      containers: [{{name: main, image: \"{image}\"}}]\n"
        );
        annotated(
            &job,
            "migrate",
            &format!("argocd.argoproj.io/sync-options: {option}"),
        )
    };
    let commit = scene
        .repository
        .commit(&[("app/job.yaml", &job("migrate:1", "Force=false"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    let first = scene
        .field("job", "migrate", UID)
        .expect("the Job is there");

    scene.commit(&[("app/job.yaml", &job("migrate:2", "Force=false"))]);
    eventually("the sync says that it can't", || {
        let message = &scene.app()["status"]["operationState"]["message"];
        let message = message.as_str().unwrap_or_default();
        if message.contains("is invalid") {
            Ok(())
        } else {
            Err(message.to_owned())
        }
    });
    assert_eq!(scene.field("job", "migrate", UID), Some(first.clone()));

    let commit = scene.commit(&[("app/job.yaml", &job("migrate:2", "Force=true"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes(
        "job",
        "migrate",
        "/spec/template/spec/containers/0/image",
        "migrate:2",
    );
    assert_ne!(scene.field("job", "migrate", UID), Some(first));
    scene.sync_status("Synced", &commit);
}

#[test]
fn a_replaced_object_is_what_git_says_and_nothing_else() {
    let scene = Scene::new("replace");
    let _controller = scene.controller();
    let files = |value: &str| {
        let option = "argocd.argoproj.io/sync-options: Replace=true";
        let replaced = annotated(&config_map("replaced", value), "replaced", option);
        format!("{replaced}---\n{}", config_map("applied", value))
    };
    let first = scene
        .repository
        .commit(&[("app/all.yaml", &files("1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &first);
    for name in ["replaced", "applied"] {
        by_hand(&scene, "another", name, r#"{"data": {"more": "x"}}"#);
    }
    let second = scene.commit(&[("app/all.yaml", &files("2"))]);
    scene.operation("Succeeded", &second);
    scene.sync_status("Synced", &second);
    scene.becomes(
        "configmap",
        "applied",
        "/data",
        json!({ "more": "x", "value": "2" }),
    );
    scene.becomes("configmap", "replaced", "/data", json!({ "value": "2" }));

    // It is ours like any other: a field that leaves Git goes, and nothing is written while nothing differs.
    let version = "/metadata/resourceVersion";
    let before = scene.field("configmap", "replaced", version);
    scene.refresh_hard();
    scene.sync_status("Synced", &second);
    assert_eq!(scene.field("configmap", "replaced", version), before);
}

#[test]
fn a_definition_that_is_replaced_keeps_its_objects() {
    let scene = Scene::new("definition");
    let _controller = scene.controller();
    let group = format!("{}.example.org", unique());
    let definition = |column: &str| {
        format!(
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.{group}\n\
             \x20 annotations: {{argocd.argoproj.io/sync-options: \"Replace=true,Force=true\"}}\nspec:\n  group: {group}\n  scope: Namespaced\n\
             \x20 names: {{plural: widgets, singular: widget, kind: Widget}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n\
             \x20   additionalPrinterColumns: [{{name: {column}, type: string, jsonPath: .spec.size}}]\n\
             \x20   schema: {{openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}}}\n"
        )
    };
    let widget = format!(
        "apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: one}}\nspec: {{size: large}}\n"
    );
    let files = [
        ("app/widget.yaml", widget.as_str()),
        ("app/definition.yaml", &definition("Size")),
    ];
    let commit = scene.repository.commit(&files, "Add");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    let kind = format!("widgets.{group}");
    let uid = scene.field(&kind, "one", UID).expect("the object is there");
    let commit = scene.commit(&[("app/definition.yaml", &definition("Width"))]);
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    let column = "/spec/versions/0/additionalPrinterColumns/0/name";
    scene.becomes("crd", &kind, column, "Width");
    assert_eq!(scene.field(&kind, "one", UID), Some(uid));
}

#[test]
fn what_people_add_to_a_merged_object_stays() {
    let scene = Scene::new("merge");
    let _controller = scene.controller();
    let merged = |value: &str| {
        annotated(
            &config_map("merged", value),
            "merged",
            "signet.dev/apply: Merge",
        )
    };
    let files = [
        ("app/merged.yaml", merged("1")),
        ("app/plain.yaml", config_map("plain", "1")),
    ];
    let files = files.each_ref().map(|(file, text)| (*file, text.as_str()));
    let commit = scene.repository.commit(&files, "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    for name in ["merged", "plain"] {
        by_hand(&scene, "kubectl-edit", name, r#"{"data": {"more": "x"}}"#);
    }
    scene.becomes("configmap", "plain", "/data", json!({ "value": "1" }));
    let commit = scene.commit(&[("app/merged.yaml", &merged("2"))]);
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    scene.becomes(
        "configmap",
        "merged",
        "/data",
        json!({ "more": "x", "value": "2" }),
    );
}

#[test]
fn what_a_manager_out_of_use_has_left_goes_once_the_application_names_it() {
    let scene = Scene::new("predecessor");
    let _controller = scene.controller();
    let file = config_map("a", "1");
    let commit = scene.repository.commit(&[("app/a.yaml", &file)], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    by_hand(&scene, "old-tool", "a", r#"{"data": {"old": "x"}}"#);
    by_hand(&scene, "another", "a", r#"{"data": {"more": "x"}}"#);
    scene.annotate("argocd.argoproj.io/client-side-apply-migration-manager=old-tool");
    scene.becomes(
        "configmap",
        "a",
        "/data",
        json!({ "more": "x", "value": "1" }),
    );
    scene.sync_status("Synced", &commit);
}

#[test]
fn an_object_that_is_only_made_where_it_is_missing_belongs_to_who_made_it() {
    let scene = Scene::new("once");
    let _controller = scene.controller();
    let to = &scene.to;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: {to}}}\ndata: {{value: theirs}}\n"
    ));
    let settings = annotated(
        &config_map("settings", "ours"),
        "settings",
        "signet.dev/apply: IfNotPresent",
    );
    let commit = scene
        .repository
        .commit(&[("app/settings.yaml", &settings)], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    scene.becomes("configmap", "settings", "/data/value", "theirs");
    scene
        .testbed
        .kubectl(&["delete", "configmap", "settings", "--namespace", to]);
    scene.becomes("configmap", "settings", "/data/value", "ours");
}

/// An account that may do everything but list the ServiceAccounts. Its kubeconfig.
fn who_may_not_list(scene: &Scene) -> String {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: half, namespace: {own}}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {own}}}\nrules:\n\
         - {{apiGroups: [\"*\"], resources: [\"*\"], verbs: [get, create, update, patch, delete]}}\n\
         - {{apiGroups: [\"\"], resources: [configmaps, secrets, namespaces, events], verbs: [list, watch]}}\n\
         - {{apiGroups: [apps, argoproj.io, autoscaling, bitnami.com, coordination.k8s.io], resources: [\"*\"], verbs: [list, watch]}}\n\
         - {{apiGroups: [apiextensions.k8s.io, apiregistration.k8s.io], resources: [\"*\"], verbs: [list, watch]}}\n---\n\
         apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: {own}}}\n\
         roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {own}}}\n\
         subjects: [{{kind: ServiceAccount, name: half, namespace: {own}}}]\n"
    ));
    scene.testbed.kubeconfig_of(own, "half")
}

#[test]
fn of_a_kind_that_can_not_be_listed_each_object_is_asked_for() {
    let scene = Scene::new("unlisted");
    let kubeconfig = who_may_not_list(&scene);
    let arguments = scene.arguments();
    let arguments = arguments.each_ref().map(String::as_str);
    let _controller = Controller::start_with(&kubeconfig, &arguments).ready();
    let account = |whose: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: web{more}, labels: {{by: {whose}}}}}\n"
        )
    };
    let place = format!(", namespace: {}", scene.to);
    scene.testbed.apply(&account("hand", &place));
    let once = ", annotations: {signet.dev/apply: IfNotPresent}";
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", &account("git", once))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    scene.becomes("serviceaccount", "web", "/metadata/labels/by", "hand");
}

#[test]
fn the_destination_namespace_carries_what_is_managed_and_keeps_the_rest() {
    let scene = Scene::new("labels");
    let _controller = scene.controller();
    let label = |label: &str| {
        scene
            .testbed
            .kubectl(&["label", "namespace", &scene.to, "--overwrite", label])
    };
    label("theirs=x");
    let policy = |labels: &str| {
        format!(
            "{{automated: {{selfHeal: true}}, syncOptions: [CreateNamespace=true], managedNamespaceMetadata: {{labels: {{{labels}}}}}}}"
        )
    };
    let carries = |text: &str| {
        eventually(&format!("the namespace carries {text}"), || {
            let namespace = scene.testbed.object("", "namespace", &scene.to);
            let mut labels = namespace["metadata"]["labels"].clone();
            labels
                .as_object_mut()
                .and_then(|labels| labels.remove("kubernetes.io/metadata.name"));
            equal(&labels, &serde_json::from_str(text).expect("JSON"))
        });
    };
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(&policy("team: shop"));
    scene.sync_status("Synced", &commit);
    carries(r#"{"team":"shop","theirs":"x"}"#);
    label("team=another");
    carries(r#"{"team":"shop","theirs":"x"}"#);
    scene.application(&policy("stage: test"));
    carries(r#"{"stage":"test","theirs":"x"}"#);
    scene.sync_status("Synced", &commit);
}

#[test]
fn what_an_orphaned_object_owns_stays() {
    let scene = Scene::new("orphan");
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", &deployment("web", "web:1", "")),
            ("app/a.yaml", &config_map("a", "1")),
        ],
        "Add",
    );
    scene.application("{automated: {prune: true}, syncOptions: [PrunePropagationPolicy=orphan]}");
    scene.sync_status("Synced", &commit);
    let owners = || {
        let sets = scene.testbed.objects(&scene.to, "replicaset");
        let metadata = sets.iter().map(|set| &set["metadata"]);
        let owners = metadata.map(|data| json!([data["name"], data["ownerReferences"]]));
        Value::from_iter(owners).to_string()
    };
    eventually("the Deployment owns a ReplicaSet", || {
        let owners = owners();
        if owners.contains("Deployment") {
            Ok(())
        } else {
            Err(owners)
        }
    });
    let commit = scene.remove(&["app/web.yaml"]);
    scene.operation("Succeeded", &commit);
    scene.vanishes("deployment", "web");
    let left = owners();
    assert!(
        left.contains("web-") && !left.contains("Deployment"),
        "{left}"
    );
}

#[test]
fn a_dry_run_tells_what_would_be_done_and_does_nothing() {
    let scene = Scene::new("dry");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application("{}");
    scene.sync_status("OutOfSync", &commit);
    let request =
        r#"{"operation": {"initiatedBy": {"username": "alice"}, "sync": {"dryRun": true}}}"#;
    scene.patch(request);
    let app = scene.operation("Succeeded", &commit);
    let result = &app["status"]["operationState"]["syncResult"]["resources"][0];
    assert_eq!(
        (&result["name"], &result["message"]),
        (&"a".into(), &"created (dry run)".into())
    );
    assert_eq!(app["status"]["history"], Value::Null);
    assert_eq!(scene.field("configmap", "a", UID), None);
}

#[test]
fn a_dry_run_at_a_commit_that_has_failed_lets_nobody_try_it_again() {
    let scene = Scene::new("asked");
    let _controller = scene.controller();
    let web =
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 70000}]}\n";
    let commit = scene.repository.commit(&[("app/web.yaml", web)], "Add");
    scene.application("{automated: {}, retry: {limit: 0}}");
    scene.operation("Failed", &commit);
    rest::no_write_of(&scene, "services", || {
        let request =
            r#"{"operation": {"initiatedBy": {"username": "ana"}, "sync": {"dryRun": true}}}"#;
        scene.patch(request);
        application_becomes(
            &scene,
            "app",
            "/status/operationState/operation/sync/dryRun",
            true,
        );
        scene.operation("Failed", &commit);
    });
    let status = &scene.app()["status"];
    assert_eq!(status["lastSync"]["phase"], "Failed", "{status:#}");
    scene.says("SyncError", &format!("the last sync to {commit} failed"));
}
