//! Manifests that say more than Git has to say, or say it otherwise than the API server keeps it: each is compared as what becomes of it.
//! Which fields these are is the business of unit tests.

use serde_json::json;

use crate::AUTOMATED;
use crate::rest::nothing_is_written_while;
use crate::scene::{Scene, deployment};

const WEBHOOKS: &str = "validatingwebhookconfiguration";
/// What is filled in, and where.
const BUNDLES: [(&str, &str); 2] = [
    ("/webhooks/0/clientConfig/caBundle", "Zmlyc3Q="),
    ("/webhooks/1/clientConfig/caBundle", "c2Vjb25k"),
];
/// What a ClusterRole permits.
const RESOURCE: &str = "/rules/0/resources/0";

/// A Deployment as somebody took it from another cluster. The API server would refuse an apply of it.
fn taken_from_a_cluster() -> String {
    let metadata = "metadata:\n  name: web\n  uid: 5f7f2c4e-0000-4000-8000-000000000000\n  resourceVersion: \"1\"\n\
                    \x20 generation: 9\n  creationTimestamp: \"2020-01-01T00:00:00Z\"\n\
                    \x20 managedFields: [{manager: other, operation: Update, apiVersion: apps/v1, fieldsType: FieldsV1, fieldsV1: {}}]";
    let plain = deployment("web", "web:1", "");
    let web = plain.replacen("metadata: {name: web}", metadata, 1);
    format!("{web}status: {{replicas: 7, readyReplicas: 7}}\n")
}

/// A Secret with what stands below its metadata.
fn login(values: &str) -> String {
    format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: login}}\n{values}\n")
}

/// A ClusterRole whose rules are those of all that are labelled with its name.
fn aggregated(name: &str) -> String {
    format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: {name}}}\n\
         aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{part-of: {name}}}}}]}}\nrules: []\n"
    )
}

/// One of those is about this resource, and the rules follow.
fn part(scene: &Scene, resource: &str) {
    let name = &scene.to;
    scene.testbed.apply(&format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\n\
         metadata: {{name: {name}-part, labels: {{part-of: {name}}}}}\n\
         rules: [{{apiGroups: [\"\"], resources: [{resource}], verbs: [get]}}]\n"
    ));
    scene.becomes("clusterrole", name, RESOURCE, resource);
}

/// Two webhooks without a certificate, in either spelling. They are asked about nothing: no namespace carries the label.
fn webhooks(name: &str) -> String {
    let hook = |hook: &str, bundle: &str| {
        format!(
            "- name: {hook}.example.org\n  admissionReviewVersions: [v1]\n  sideEffects: None\n\
             \x20 namespaceSelector: {{matchLabels: {{{name}: \"no\"}}}}\n\
             \x20 clientConfig: {{caBundle: \"{bundle}\", service: {{name: a, namespace: {name}}}}}\n"
        )
    };
    format!(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: {name}}}\n\
         webhooks:\n{}{}",
        hook("a", ""),
        hook("b", "Cg==")
    )
}

/// Another program fills the certificates in.
fn inject(scene: &Scene) {
    let add = |(path, value): (&str, &str)| json!({"op": "add", "path": path, "value": value});
    let patch = json!(BUNDLES.map(add)).to_string();
    let manager = "--field-manager=injector";
    let patch = ["--type=json", "--patch", &patch, manager];
    let object = ["patch", WEBHOOKS, &scene.to];
    scene.testbed.kubectl(&[&object[..], &patch].concat());
}

#[test]
fn a_manifest_is_compared_as_the_object_that_it_becomes() {
    let scene = Scene::new("normalised");
    let _controller = scene.controller();
    // Those that are of the whole cluster are named like the scene's namespace, which is nobody else's.
    let name = scene.to.as_str();
    let both = "data: {token: b2xk}\nstringData: {token: new, user: ana}";
    let commit = scene.repository.commit(
        &[
            ("app/web.yaml", &taken_from_a_cluster()),
            ("app/login.yaml", &login(both)),
            ("app/role.yaml", &aggregated(name)),
            ("app/webhooks.yaml", &webhooks(name)),
        ],
        "Add",
    );
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    let data = json!({"token": "bmV3", "user": "YW5h"});
    scene.becomes("secret", "login", "/data", data);
    part(&scene, "configmaps");

    nothing_is_written_while(&scene, || {
        part(&scene, "pods");
        inject(&scene);
        scene.refresh_hard();
        scene.sync_status("Synced", &commit);
    });
    scene.becomes("clusterrole", name, RESOURCE, "pods");
    for (pointer, bundle) in BUNDLES {
        let live = scene.field(WEBHOOKS, name, pointer);
        assert_eq!(live, Some(bundle.into()), "{pointer}");
    }

    // What leaves `stringData` leaves the Secret.
    let commit = scene.commit(&[("app/login.yaml", &login("stringData: {token: new}"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("secret", "login", "/data", json!({"token": "bmV3"}));
    scene.sync_status("Synced", &commit);
}
