//! Mutating admission webhooks, asked by a real API server: what they add to objects and what they change of Git's wishes.
//! One of them takes no dry-run, as the API server still has it of the time before `admissionregistration.k8s.io/v1`.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};

use crate::AUTOMATED;
use crate::harness::{AdmissionWebhook, equal, eventually, send, unique};
use crate::rest::{nothing_is_written_while, rests};
use crate::scene::{Scene, deployment};

const CONTAINERS: &str = "/spec/template/spec/containers";
const IMAGE: &str = "/spec/template/spec/containers/0/image";
/// Where the API server keeps what it knows.
const ETCD: &str = "http://127.0.0.1:2379";

/// Has the API server ask webhooks about the Deployments of a scene. It goes with the test, before the webhook does.
pub(crate) struct Registration<'a> {
    scene: &'a Scene,
    name: String,
}

impl<'a> Registration<'a> {
    /// Of these paths of the webhook. `side_effects` is what the API server is told of them.
    fn new(
        scene: &'a Scene,
        webhook: &AdmissionWebhook,
        paths: &[&str],
        side_effects: &str,
    ) -> Self {
        let (name, to) = (format!("webhooks-{}", unique()), &scene.to);
        let hook = |path: &&str| {
            format!(
                "- name: {path}.example.org\n  admissionReviewVersions: [v1]\n  sideEffects: {side_effects}\n  clientConfig: {}\n\
                 \x20 namespaceSelector: {{matchLabels: {{kubernetes.io/metadata.name: {to}}}}}\n\
                 \x20 rules: [{{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}}]\n",
                webhook.client_config(path)
            )
        };
        let hooks: String = paths.iter().map(hook).collect();
        scene.testbed.apply(&format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: {name}}}\nwebhooks:\n{hooks}"
        ));
        Self { scene, name }
    }

    /// As a cluster keeps it that is older than v1, which lets nobody write this any more: no dry-run gets past.
    fn refuse_dry_runs(&self) {
        let mut object = self
            .scene
            .testbed
            .object("", "mutatingwebhookconfiguration", &self.name);
        for hook in object["webhooks"].as_array_mut().into_iter().flatten() {
            hook["sideEffects"] = "Some".into();
        }
        let key = format!("/registry/mutatingwebhookconfigurations/{}", self.name);
        let put = json!({
            "key": BASE64_STANDARD.encode(key),
            "value": BASE64_STANDARD.encode(object.to_string()),
        });
        let url = format!("{ETCD}/v3/kv/put");
        let headers = [("Content-Type", "application/json")];
        let (status, body) = send(&url, &headers, &put.to_string()).expect("etcd answers");
        assert_eq!(status, 200, "{body}");
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let gone = ["delete", "mutatingwebhookconfiguration", &self.name];
        drop(self.scene.testbed.try_kubectl(&gone));
    }
}

/// What a dry-run of a Deployment's creation would make of it, or why there is none.
fn probe(scene: &Scene) -> Result<Value, String> {
    let file = scene.testbed.path(&format!("{}.yaml", scene.to));
    std::fs::write(&file, web("probe:1")).expect("the testbed's folder is writable");
    let file = format!("--filename={}", file.display());
    let create = ["create", "--dry-run=server", "--output=json", &file];
    let to = ["--namespace", &scene.to];
    let made = scene.testbed.try_kubectl(&[&create[..], &to].concat())?;
    Ok(serde_json::from_str(&made).expect("kubectl prints JSON"))
}

/// What Git wants: a policy that one webhook changes, and a quantity that the API server spells otherwise.
pub(crate) fn web(image: &str) -> String {
    let container =
        "        imagePullPolicy: IfNotPresent\n        resources: {requests: {cpu: \"0.5\"}}\n";
    deployment("web", image, container)
}

/// Names, images and policies of a Deployment's containers.
fn containers(scene: &Scene) -> Vec<[Value; 3]> {
    let containers = scene.field("deployment", "web", CONTAINERS);
    let containers = containers.as_ref().and_then(Value::as_array).into_iter();
    let read = |container: &Value| {
        ["name", "image", "imagePullPolicy"].map(|field| container[field].clone())
    };
    containers.flatten().map(read).collect()
}

/// What both paths of the webhook make of it.
fn mutated(image: &str) -> Vec<[Value; 3]> {
    let container = |name: &str, image: &str| {
        let image = format!("registry.testbed/{image}");
        [name.into(), image.into(), "Always".into()]
    };
    vec![container("main", image), container("sidecar", "sidecar:1")]
}

/// Webhooks that add a container and a label and change what Git wants, and that answer dry-runs.
pub(crate) fn with_dry_runs<'a>(
    scene: &'a Scene,
    webhook: &AdmissionWebhook,
    side_effects: &str,
) -> Registration<'a> {
    let registration = Registration::new(scene, webhook, &["inject", "rewrite"], side_effects);
    eventually("the webhooks are asked", || {
        let made = probe(scene)?;
        equal(&made["metadata"]["labels"]["injected"], &"yes".into()).and_then(|()| {
            equal(
                &made.pointer(IMAGE),
                &Some(&"registry.testbed/probe:1".into()),
            )
        })
    });
    registration
}

/// What such webhooks do is no drift.
fn stays_synced(prefix: &str, side_effects: &str) {
    let scene = Scene::new(prefix);
    let webhook = AdmissionWebhook::start();
    let _registration = with_dry_runs(&scene, &webhook, side_effects);
    let _controller = scene.controller();
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", &web("web:1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    assert_eq!(containers(&scene), mutated("web:1"));
    scene.becomes("deployment", "web", "/metadata/labels/injected", "yes");

    rests(&scene);
    let before = webhook.asked();
    nothing_is_written_while(&scene, || {
        scene.refresh_hard();
        scene.sync_status("Synced", &commit);
    });
    let after = webhook.asked();
    assert!(after.dry_runs > before.dry_runs, "{before:?}, {after:?}");
    assert_eq!(after.writes, before.writes);

    // Git's wishes are followed all the same.
    by_hand(&scene, "other:1");
    eventually("what a person changed comes back", || {
        equal(&containers(&scene), &mutated("web:1"))
    });
    let commit = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    scene.operation("Succeeded", &commit);
    scene.sync_status("Synced", &commit);
    assert_eq!(containers(&scene), mutated("web:2"));
    rests(&scene);
}

/// A person changes the image.
fn by_hand(scene: &Scene, image: &str) {
    let patch =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}});
    let patch = patch.to_string();
    let to = ["--namespace", &scene.to, "--patch", &patch];
    scene
        .testbed
        .kubectl(&[&["patch", "deployment", "web"], &to[..]].concat());
}

#[test]
fn what_a_webhook_without_side_effects_adds_and_changes_is_no_drift() {
    stays_synced("webhook-none", "None");
}

#[test]
fn what_a_webhook_with_side_effects_but_in_dry_runs_adds_and_changes_is_no_drift() {
    stays_synced("webhook-dry", "NoneOnDryRun");
}

/// Webhooks that no dry-run of a Deployment gets past.
fn without_dry_runs<'a>(
    scene: &'a Scene,
    webhook: &AdmissionWebhook,
    paths: &[&str],
) -> Registration<'a> {
    let registration = Registration::new(scene, webhook, paths, "NoneOnDryRun");
    registration.refuse_dry_runs();
    eventually("dry-runs are refused", || match probe(scene) {
        Err(error) if error.contains("does not support dry run") => Ok(()),
        answer => Err(format!("{answer:?}")),
    });
    registration
}

#[test]
fn a_sync_past_a_webhook_that_takes_no_dry_run_comes_to_rest() {
    let scene = Scene::new("webhook-some");
    let webhook = AdmissionWebhook::start();
    let _registration = without_dry_runs(&scene, &webhook, &["inject", "rewrite"]);
    let _controller = scene.controller();
    let comes_to_rest = |commit: &str, image: &str| {
        scene.operation("Succeeded", commit);
        scene.sync_status("Synced", commit);
        assert_eq!(containers(&scene), mutated(image));
        nothing_is_written_while(&scene, || {
            scene.refresh();
            scene.sync_status("Synced", commit);
        });
    };
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", &web("web:1"))], "Add");
    scene.application(AUTOMATED);
    comes_to_rest(&commit, "web:1");
    by_hand(&scene, "other:1");
    eventually("what a person changed comes back", || {
        equal(&containers(&scene), &mutated("web:1"))
    });
    let commit = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    comes_to_rest(&commit, "web:2");

    // Whoever has to look anew can't know why the image is another one: it is applied once, which changes nothing.
    let version = || scene.field("deployment", "web", "/metadata/resourceVersion");
    let before = version();
    scene.refresh_hard();
    scene.sync_status("Synced", &commit);
    rests(&scene);
    assert_eq!(version(), before);
}

#[test]
fn what_a_webhook_that_takes_no_dry_run_adds_is_no_drift() {
    let scene = Scene::new("webhook-adds");
    let webhook = AdmissionWebhook::start();
    let _registration = without_dry_runs(&scene, &webhook, &["inject"]);
    let _controller = scene.controller();
    let web = deployment("web", "web:1", "");
    let commit = scene.repository.commit(&[("app/web.yaml", &web)], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    assert_eq!(containers(&scene).len(), 2);
    nothing_is_written_while(&scene, || {
        scene.refresh_hard();
        scene.sync_status("Synced", &commit);
    });
    by_hand(&scene, "other:1");
    scene.becomes("deployment", "web", IMAGE, "web:1");
    assert_eq!(containers(&scene).len(), 2);
    rests(&scene);
}
