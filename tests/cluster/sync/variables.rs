//! Variables from ConfigMaps and Secrets of the destination, from the cluster and back into it. What becomes of a text is the
//! business of `render/substitution/`.

use crate::harness::{Controller, eventually};
use crate::scene::{Scene, config_map};

const FROM: &str = "[{kind: ConfigMap, name: cluster}, {kind: Secret, name: database}]";
const PASSWORD: &str = "p@ss: #w0rd {";

fn apply(scene: &Scene, object: &serde_json::Value) {
    let mut object = object.clone();
    object["metadata"]["namespace"] = scene.to.as_str().into();
    scene.testbed.apply(&object.to_string());
}

fn set(scene: &Scene, region: &str) {
    apply(
        scene,
        &serde_json::json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cluster"},
            "data": {"region": region, "ca.crt": "not a name"},
        }),
    );
}

/// Waits until the Application can't be rendered and says this.
fn refused(scene: &Scene, words: &str) {
    eventually(&format!("the Application says {words:?}"), || {
        let said = scene.condition("ComparisonError");
        said.contains(words).then_some(()).ok_or(said)
    });
}

fn scene(prefix: &str, files: &[(&str, &str)]) -> (Scene, Controller) {
    let scene = Scene::new(prefix);
    let controller = scene.controller();
    scene.repository.commit(files, "Add");
    scene.application("{automated: {prune: true, selfHeal: true}}");
    (scene, controller)
}

#[test]
fn variables_are_substituted_and_followed() {
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: web}, stringData: {url: 'db://${password}@${region}'}}";
    let files = [
        ("app/a.yaml", config_map("a", "${region}").as_str()),
        ("app/secret.yaml", secret),
    ]
    .map(|(path, text)| (path, text.to_owned()));
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let (scene, controller) = scene("variables", &files);
    // Without the annotation nothing is a variable.
    scene.becomes("configmap", "a", "/data/value", "${region}");

    let from = format!("signet.dev/substitute-from={FROM}");
    scene.annotate(&from);
    let cluster = format!(
        "variables from ConfigMap {}/cluster: does not exist",
        scene.to
    );
    refused(&scene, &cluster);
    set(&scene, "eu");
    refused(&scene, "/database: does not exist");
    apply(
        &scene,
        &serde_json::json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database"},
            "stringData": {"password": PASSWORD, "region": "overridden below"},
        }),
    );
    scene.annotate("signet.dev/substitute=region: eu");
    scene.becomes("configmap", "a", "/data/value", "eu");
    let url = "/data/url";
    let encoded = |url: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        STANDARD.encode(url)
    };
    scene.becomes(
        "secret",
        "web",
        url,
        encoded(&format!("db://{PASSWORD}@eu")),
    );

    scene.annotate("signet.dev/substitute-");
    let secret_region = "variable region of Secret database stands outside data and stringData";
    refused(&scene, &format!("ConfigMap a: data.value: {secret_region}"));
    scene.becomes("configmap", "a", "/data/value", "eu");
    let only = "signet.dev/substitute-from=[{kind: ConfigMap, name: cluster}]";
    scene.annotate(only);
    refused(
        &scene,
        "Secret web: stringData.url: variable password is not set",
    );
    scene.annotate(&from.replace(
        "Secret, name: database",
        "Secret, name: other, optional: true",
    ));
    refused(
        &scene,
        "Secret web: stringData.url: variable password is not set",
    );
    scene.commit(&[(
        "app/secret.yaml",
        &secret.replace("${password}", "$${password}"),
    )]);
    scene.becomes("secret", "web", url, encoded("db://${password}@eu"));
    // Nobody tells of it: the object is watched.
    set(&scene, "us");
    scene.becomes("configmap", "a", "/data/value", "us");

    let app = scene.app().to_string();
    assert!(!app.contains(PASSWORD), "{app}");
    let log = controller.log();
    assert!(!log.contains(PASSWORD), "{log}");
}

#[test]
fn a_secret_that_the_project_does_not_permit_is_not_read() {
    let (scene, _controller) = scene(
        "forbidden",
        &[("app/a.yaml", &config_map("a", "${region:=eu}"))],
    );
    scene.becomes("configmap", "a", "/data/value", "${region:=eu}");
    let key = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "key", "labels": {"sealedsecrets.bitnami.com/sealed-secrets-key": "retired"}},
        "stringData": {"region": "stolen"},
    });
    apply(&scene, &key);
    scene.annotate("signet.dev/substitute-from=[{kind: Secret, name: key}]");
    refused(&scene, "SealingKey: ");
    scene.annotate("signet.dev/substitute-from=[]");
    scene.becomes("configmap", "a", "/data/value", "eu");
}
