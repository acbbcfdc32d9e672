//! Differences that don't count, against the API server: who owns a field after a sync, and whose value stands there.
//! What rules mean is the business of unit tests.

use crate::AUTOMATED;
use crate::harness::unique;
use crate::scene::{Scene, config_map, deployment};

const REPLICAS: &str = "/spec/replicas";
const IMAGE: &str = "/spec/template/spec/containers/0/image";
const IMAGE_OF_SIDECAR: &str = "/spec/template/spec/containers/1/image";

/// An automated Application with rules, as YAML in brackets.
fn application(scene: &Scene, rules: &str) {
    scene.application(&format!("{AUTOMATED}\n  ignoreDifferences: {rules}"));
}

/// Another program than we or a person at kubectl changes an object of the destination.
fn patch(scene: &Scene, manager: &str, object: &str, patch: &str) {
    let manager = format!("--field-manager={manager}");
    let to = ["--namespace", &scene.to, "--patch", patch, &manager];
    scene
        .testbed
        .kubectl(&[["patch", object].as_slice(), &to].concat());
}

#[test]
fn the_number_of_an_autoscaler_stays_through_syncs_and_heals() {
    let scene = Scene::new("ignore-scale");
    let _controller = scene.controller();
    let web = |image| deployment("web", image, "");
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", &web("web:1")),
            ("app/a.yaml", &config_map("a", "1")),
        ],
        "Add",
    );
    application(
        &scene,
        "[{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]",
    );
    scene.sync_status("Synced", &commit);
    scene.becomes("deployment", "web", REPLICAS, 1);

    // Not through the subresource, which is known to be an autoscaler's without any rule.
    patch(
        &scene,
        "scaler",
        "deployment/web",
        r#"{"spec": {"replicas": 3}}"#,
    );
    // Were the number drift, it would be healed together with this.
    patch(
        &scene,
        "somebody",
        "deployment/web",
        r#"{"spec": {"minReadySeconds": 0, "template": {"spec": {"containers": [{"name": "main", "image": "web:9"}]}}}}"#,
    );
    scene.becomes("deployment", "web", IMAGE, "web:1");
    scene.becomes("deployment", "web", REPLICAS, 3);

    let commit = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", IMAGE, "web:2");
    scene.becomes("deployment", "web", REPLICAS, 3);

    // Git changes the number, and then says nothing of it any more: neither is a change.
    for number in ["  replicas: 7\n", ""] {
        let other = web("web:2").replace("  replicas: 1\n", number);
        let commit = scene.commit(&[("app/web.yaml", &other)]);
        scene.sync_status("Synced", &commit);
        scene.becomes("deployment", "web", REPLICAS, 3);
    }
}

#[test]
fn a_number_that_is_still_ours_stays_when_git_drops_it() {
    let scene = Scene::new("ignore-ours");
    let _controller = scene.controller();
    let web = deployment("web", "web:1", "").replace("replicas: 1", "replicas: 2");
    let commit = scene.repository.commit(&[("app/web.yaml", &web)], "Add");
    application(
        &scene,
        "[{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]",
    );
    scene.sync_status("Synced", &commit);
    let dropped = web.replace("  replicas: 2\n", "").replace("web:1", "web:2");
    let commit = scene.commit(&[("app/web.yaml", &dropped)]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", IMAGE, "web:2");
    scene.becomes("deployment", "web", REPLICAS, 2);
}

#[test]
fn unless_it_is_respected_what_does_not_count_is_written_by_the_next_sync() {
    let scene = Scene::new("ignore-written");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", &deployment("web", "web:1", ""))], "Add");
    scene.application(
        "{automated: {selfHeal: true}, syncOptions: [RespectIgnoreDifferences=false]}\n  \
         ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]",
    );
    scene.sync_status("Synced", &commit);
    patch(
        &scene,
        "scaler",
        "deployment/web",
        r#"{"spec": {"replicas": 3}}"#,
    );
    let commit = scene.commit(&[("app/web.yaml", &deployment("web", "web:2", ""))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", REPLICAS, 1);
}

#[test]
fn a_certificate_that_a_manager_fills_in_stays() {
    let scene = Scene::new("ignore-manager");
    let _controller = scene.controller();
    let name = format!("ignore-{}", unique());
    let hooks = |path: &str| {
        // It is asked about nothing: no namespace carries the label.
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: {name}}}\n\
             webhooks:\n- name: a.example.org\n  admissionReviewVersions: [v1]\n  sideEffects: None\n\
             \x20 namespaceSelector: {{matchLabels: {{{name}: \"no\"}}}}\n\
             \x20 clientConfig: {{caBundle: Zmlyc3Q=, service: {{name: a, namespace: {}, path: {path}}}}}\n",
            scene.to
        )
    };
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &hooks("/a"))], "Add");
    application(
        &scene,
        "[{group: admissionregistration.k8s.io, kind: \"*\", managedFieldsManagers: [injector]}]",
    );
    scene.sync_status("Synced", &commit);
    let object = format!("mutatingwebhookconfiguration/{name}");
    let injected =
        r#"{"webhooks": [{"name": "a.example.org", "clientConfig": {"caBundle": "c2Vjb25k"}}]}"#;
    patch(&scene, "injector", &object, injected);
    let commit = scene.commit(&[("app/a.yaml", &hooks("/b"))]);
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    let field = |path: &str| {
        let pointer = format!("/webhooks/0/clientConfig/{path}");
        scene.field("mutatingwebhookconfiguration", &name, &pointer)
    };
    assert_eq!(field("service/path"), Some("/b".into()));
    assert_eq!(field("caBundle"), Some("c2Vjb25k".into()));
    scene.testbed.kubectl(&["delete", &object]);
}

#[test]
fn a_jq_path_of_argocd_cm_counts_without_a_restart() {
    let scene = Scene::new("ignore-settings");
    let _controller = scene.controller();
    let sidecar = "      - name: istio-proxy\n        image: proxy:1\n";
    let web = |image| deployment("web", image, sidecar);
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", &web("web:1"))], "Add");
    scene.application("{automated: {}}");
    scene.sync_status("Synced", &commit);
    let upgrade = r#"{"spec": {"template": {"spec": {"containers": [{"name": "istio-proxy", "image": "proxy:2"}]}}}}"#;
    patch(&scene, "injector", "deployment/web", upgrade);
    scene.sync_status("OutOfSync", &commit);

    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-cm, namespace: {own}}}\ndata:\n\
         \x20 resource.customizations.ignoreDifferences.apps_Deployment: |\n\
         \x20   jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == \"istio-proxy\")']\n"
    ));
    scene.sync_status("Synced", &commit);
    let commit = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", IMAGE, "web:2");
    scene.becomes("deployment", "web", IMAGE_OF_SIDECAR, "proxy:2");

    scene
        .testbed
        .kubectl(&["delete", "configmap", "argocd-cm", "--namespace", own]);
    scene.sync_status("OutOfSync", &commit);
}

#[test]
fn a_rule_is_about_what_its_patterns_and_its_names_fit() {
    let scene = Scene::new("ignore-which");
    let _controller = scene.controller();
    let commit = scene.repository.commit(
        &[
            ("app/a.yaml", &config_map("a", "1")),
            ("app/b.yaml", &config_map("b", "1")),
            ("app/web.yaml", &deployment("web", "web:1", "")),
        ],
        "Add",
    );
    let rule = |about: String| format!("{{{about}, jsonPointers: [/data/value, /spec/replicas]}}");
    let rules = [
        format!("kind: \"Config*\", name: a, namespace: {}", scene.to),
        format!("kind: ConfigMap, name: b, namespace: {}", scene.own),
        "group: apps, kind: ConfigMap".to_owned(),
        "group: \"ap?s\", kind: \"*\"".to_owned(),
    ];
    application(&scene, &format!("[{}]", rules.map(rule).join(", ")));
    scene.sync_status("Synced", &commit);

    let other = r#"{"data": {"value": "2"}}"#;
    let scaled = r#"{"spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "main", "image": "web:9"}]}}}}"#;
    patch(&scene, "somebody", "configmap/a", other);
    patch(&scene, "somebody", "deployment/web", scaled);
    patch(&scene, "somebody", "configmap/b", other);
    // Were another of these drift, it would be healed with this, or before.
    scene.becomes("configmap", "b", "/data/value", "1");
    scene.becomes("configmap", "a", "/data/value", "2");
    scene.becomes("deployment", "web", IMAGE, "web:1");
    scene.becomes("deployment", "web", REPLICAS, 3);
    scene.sync_status("Synced", &commit);
}

#[test]
fn a_jq_path_that_does_not_end_is_stopped_and_named() {
    let scene = Scene::new("ignore-endless");
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    let rule = |path: &str| format!("[{{kind: ConfigMap, jqPathExpressions: ['{path}']}}]");
    // Each round makes four of each value.
    let rounds = ["(., ., ., .)"; 10].join(" | ");
    let endless = format!(".data | select({rounds} | false)");
    application(&scene, &rule(&endless));
    let stopped = format!(
        "ConfigMap {}/a: spec.ignoreDifferences[0].jqPathExpressions[0]: not done within its limits",
        scene.to
    );
    scene.says("ComparisonError", &stopped);
    assert_eq!(scene.field("configmap", "a", "/data"), None);

    application(&scene, &rule(".data.value"));
    scene.operation("Succeeded", &commit);
    let other = r#"{"data": {"value": "2"}}"#;
    patch(&scene, "somebody", "configmap/a", other);
    let commit = scene.commit(&[("app/b.yaml", &config_map("b", "1"))]);
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    scene.becomes("configmap", "a", "/data/value", "2");
}
