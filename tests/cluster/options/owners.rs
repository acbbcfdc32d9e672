//! Fields that somebody else owns: the number of an autoscaler, and what a second manager applies.
//! What is ours of the same object is healed all the same.

use serde_json::json;

use crate::AUTOMATED;
use crate::admission::listed;
use crate::harness::{equal, eventually};
use crate::rest::{nothing_is_written_while, rests};
use crate::scene::{Scene, deployment};

const REPLICAS: &str = "/spec/replicas";
const IMAGE: &str = "/spec/template/spec/containers/0/image";
const ENVIRONMENT: &str = "/spec/template/spec/containers/0/env";

/// What Git wants, with a quantity that the API server spells otherwise.
fn web(image: &str) -> String {
    let container = "        resources: {requests: {cpu: \"0.5\"}}\n";
    deployment("web", image, container)
}

/// A scene with that Deployment, synced.
fn synced(scene: &Scene) -> String {
    let commit = scene
        .repository
        .commit(&[("app/web.yaml", &web("web:1"))], "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &commit);
    commit
}

/// A person changes the image, which is Git's.
fn by_hand(scene: &Scene) {
    let patch = r#"{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "other:1"}]}}}}"#;
    let web = ["patch", "deployment", "web", "--namespace", &scene.to];
    scene
        .testbed
        .kubectl(&[&web[..], &["--patch", patch]].concat());
    scene.becomes("deployment", "web", IMAGE, "web:1");
}

/// Has the Deployment scaled to 3. Whatever the load is: below its minimum an autoscaler does so at once, and through the subresource.
pub(crate) fn autoscale(scene: &Scene) {
    scene.testbed.apply(&format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: web, namespace: {}}}\nspec:\n\
         \x20 scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}\n  minReplicas: 3\n  maxReplicas: 5\n",
        scene.to
    ));
    scene.becomes("deployment", "web", REPLICAS, 3);
}

/// What the user `test` applies of the Deployment: an entry of a list of ours among it.
pub(crate) fn apply_beside(scene: &Scene) {
    scene.testbed.apply(&format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web, namespace: {}, labels: {{team: shop}}}}\nspec:\n\
         \x20 minReadySeconds: 1\n  template:\n    spec:\n      containers:\n      - name: main\n\
         \x20       env: [{{name: MODE, value: fast}}]\n",
        scene.to
    ));
}

#[test]
fn the_replicas_that_an_autoscaler_sets_are_no_drift() {
    let scene = Scene::new("autoscaler");
    let _controller = scene.controller();
    let commit = synced(&scene);
    nothing_is_written_while(&scene, || {
        autoscale(&scene);
        scene.refresh_hard();
        scene.sync_status("Synced", &commit);
    });
    by_hand(&scene);
    scene.becomes("deployment", "web", REPLICAS, 3);
    let commit = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", IMAGE, "web:2");
    scene.becomes("deployment", "web", REPLICAS, 3);
    rests(&scene);
}

/// An autoscaler of the Deployment as it lies in Git.
const SCALER: &str = "\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaler}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 3
  maxReplicas: 5
";

fn remove_autoscaler(scene: &Scene, name: &str) {
    let scaler = ["delete", "horizontalpodautoscaler", name];
    let to = ["--namespace", &scene.to];
    scene.testbed.kubectl(&[&scaler[..], &to].concat());
}

#[test]
fn once_its_autoscaler_is_gone_a_workload_has_the_number_of_git_again() {
    let scene = Scene::new("autoscaler-gone");
    let _controller = scene.controller();
    let web = web("web:1");
    let files = [("app/web.yaml", web.as_str()), ("app/scaler.yaml", SCALER)];
    let commit = scene.repository.commit(&files, "Add");
    // Nothing is healed, so that drift can be seen.
    scene.application("{automated: {prune: true}}");
    scene.becomes("deployment", "web", REPLICAS, 3);
    scene.refresh_hard();
    scene.sync_status("Synced", &commit);

    // As long as Git has one, it is only missing.
    remove_autoscaler(&scene, "scaler");
    let app = scene.sync_status("OutOfSync", &commit);
    assert_eq!(listed(&app, "scaler")["status"], "OutOfSync");
    assert_eq!(listed(&app, "web")["status"], "Synced");
    let commit = scene.remove(&["app/scaler.yaml"]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", REPLICAS, 1);
    scene.sync_status("Synced", &commit);

    // One that is not in Git goes, and nobody has to ask.
    autoscale(&scene);
    scene.refresh_hard();
    scene.sync_status("Synced", &commit);
    remove_autoscaler(&scene, "web");
    let app = scene.sync_status("OutOfSync", &commit);
    assert_eq!(listed(&app, "web")["status"], "OutOfSync");
}

#[test]
fn what_a_second_manager_applies_beside_is_no_drift() {
    let scene = Scene::new("second");
    let _controller = scene.controller();
    let commit = synced(&scene);
    nothing_is_written_while(&scene, || {
        apply_beside(&scene);
        scene.refresh_hard();
        scene.sync_status("Synced", &commit);
    });
    by_hand(&scene);
    let commit = scene.commit(&[("app/web.yaml", &web("web:2"))]);
    scene.operation("Succeeded", &commit);
    scene.becomes("deployment", "web", IMAGE, "web:2");
    eventually("what the second manager applied is there", || {
        let pointers = [
            "/metadata/labels/team",
            "/spec/minReadySeconds",
            ENVIRONMENT,
        ];
        let seen = pointers.map(|pointer| scene.field("deployment", "web", pointer));
        let environment = json!([{"name": "MODE", "value": "fast"}]);
        equal(&seen, &[json!("shop"), json!(1), environment].map(Some))
    });
    rests(&scene);
}
