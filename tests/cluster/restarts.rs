//! Pods that are started anew when a Secret changes that they use, against a real API server: how often, and for what.
//! Which Pod uses which item is the business of unit tests, and when a restart is due of the golden plans.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

#[path = "restarts/outside.rs"]
mod outside;
#[path = "restarts/taken_over.rs"]
mod taken_over;

use harness::{Controller, equal, eventually};
use scene::{Scene, config_map, deployment};
use serde_json::Value;

const AUTOMATED: &str = "{automated: {selfHeal: true}}";

/// A controller that keeps the Secrets of the destination too.
fn controller(scene: &Scene, more: &[&str]) -> Controller {
    let arguments = scene.arguments_without_lease();
    let destination = format!("--additional-namespaces={}", scene.to);
    let own = arguments.each_ref().map(String::as_str);
    Controller::start(&[&own, &[destination.as_str()][..], more].concat()).ready()
}

fn generation(scene: &Scene, kind: &str, name: &str) -> u64 {
    let generation = scene.field(kind, name, "/metadata/generation");
    generation
        .as_ref()
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

#[track_caller]
fn generations(scene: &Scene, names: &[&str], expected: u64) {
    for name in names {
        becomes(scene, "deployment", name, expected);
    }
}

#[track_caller]
fn becomes(scene: &Scene, kind: &str, name: &str, expected: u64) {
    eventually(&format!("{name} has generation {expected}"), || {
        equal(&generation(scene, kind, name), &expected)
    });
}

/// Something else is committed and synced: whatever was due before has been done.
fn pass(scene: &Scene, value: &str) {
    let commit = scene.commit(&[("app/other.yaml", &config_map("other", value))]);
    scene.sync_status("Synced", &commit);
    scene.operation("Succeeded", &commit);
}

/// Gives the SealedSecret `db` other values by hand.
fn reseal(scene: &Scene, sealed: &str) {
    let sealed: Value = serde_json::from_str(sealed).expect("JSON");
    let patch = serde_json::json!({ "spec": sealed["spec"] }).to_string();
    let object = ["patch", "sealedsecret", "db", "--namespace", &scene.to];
    let patch = ["--type=merge", "--patch", &patch];
    scene.testbed.kubectl(&[&object[..], &patch].concat());
}

/// Each way of a volume to name the Secret; all of them use its item `a`.
const VOLUMES: [(&str, &str); 11] = [
    ("files", "secret: {secretName: db}"),
    (
        "file",
        "secret: {secretName: db, items: [{key: a, path: x}]}",
    ),
    ("part", "projected: {sources: [{secret: {name: db}}]}"),
    (
        "csi",
        "csi: {driver: a.example.org, nodePublishSecretRef: {name: db}}",
    ),
    ("azure", "azureFile: {shareName: a, secretName: db}"),
    ("ceph", "cephfs: {monitors: [a], secretRef: {name: db}}"),
    (
        "flex",
        "flexVolume: {driver: example.org/a, secretRef: {name: db}}",
    ),
    (
        "iscsi",
        "iscsi: {targetPortal: '192.0.2.1:3260', iqn: 'iqn.2001-04.com.example:a', \
         lun: 0, readOnly: true, secretRef: {name: db}}",
    ),
    (
        "rbd",
        "rbd: {monitors: [a], image: a, readOnly: true, secretRef: {name: db}}",
    ),
    (
        "scaleio",
        "scaleIO: {gateway: a, system: a, volumeName: a, secretRef: {name: db}}",
    ),
    (
        "storageos",
        "storageos: {volumeName: a, secretRef: {name: db}}",
    ),
];

fn volume(name: &str, source: &str) -> String {
    let plain = deployment(name, "web:1", "");
    format!("{plain}      volumes: [{{name: v, {source}}}]\n")
}

fn variable(item: &str) -> String {
    format!("        env: [{{name: A, valueFrom: {{secretKeyRef: {{name: db, key: {item}}}}}}}]\n")
}

#[test]
fn pods_start_anew_once_for_each_change_of_an_item_that_they_use() {
    let scene = Scene::new("restarts");
    let controller = controller(&scene, &[]);
    let kept = deployment("kept", "web:1", &variable("a")).replacen(
        "metadata: {name: kept}",
        "metadata: {name: kept, annotations: {signet.dev/restart: \"false\"}}",
        1,
    );
    let pulling = format!(
        "{}      imagePullSecrets: [{{name: db}}]\n",
        deployment("pulling", "web:1", "")
    );
    let before = format!(
        "{}      initContainers:\n      - name: first\n        image: web:1\n{}",
        deployment("before", "web:1", ""),
        variable("a")
    );
    let mut workloads = vec![
        deployment("variable", "web:1", &variable("a")),
        deployment(
            "all",
            "web:1",
            "        envFrom: [{secretRef: {name: db}}]\n",
        ),
        before,
        deployment("another", "web:1", &variable("b")),
        pulling,
        kept,
    ];
    workloads.extend(VOLUMES.map(|(name, source)| volume(name, source)));
    let mut users = vec!["variable", "all", "before"];
    users.extend(VOLUMES.map(|(name, _)| name));
    let others = ["another", "pulling", "kept"];
    let seal = |a: &str, b: &str| scene.seal_items(&controller, "db", &[("a", a), ("b", b)]);
    let files = [
        ("app/db.json", seal("1", "1")),
        ("app/workloads.yaml", workloads.join("---\n")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let commit = scene.repository.commit(&files, "Begin");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
    generations(&scene, &[&users[..], &others[..]].concat(), 1);

    // The same values sealed anew are nothing new.
    let commit = scene.commit(&[("app/db.json", &seal("1", "1"))]);
    scene.operation("Succeeded", &commit);
    pass(&scene, "one");
    generations(&scene, &[&users[..], &others[..]].concat(), 1);

    scene.commit(&[("app/db.json", &seal("2", "1"))]);
    generations(&scene, &users, 2);
    pass(&scene, "two");
    generations(&scene, &users, 2);
    generations(&scene, &others, 1);

    // What comes together is rolled out together.
    let newer = deployment("variable", "web:2", &variable("a"));
    let commit = scene.commit(&[
        ("app/db.json", &seal("3", "1")),
        (
            "app/workloads.yaml",
            &[&[newer], &workloads[1..]].concat().join("---\n"),
        ),
    ]);
    scene.operation("Succeeded", &commit);
    generations(&scene, &users, 3);
    pass(&scene, "three");
    generations(&scene, &users, 3);
    scene.becomes(
        "deployment",
        "variable",
        "/spec/template/spec/containers/0/image",
        "web:2",
    );

    // Another writer is put right, which is no change of what was sealed.
    scene.testbed.kubectl(&[
        "patch",
        "secret",
        "db",
        "--namespace",
        &scene.to,
        "--patch",
        r#"{"data": {"a": "eA=="}}"#,
    ]);
    scene.becomes("secret", "db", "/data/a", "Mw==");
    pass(&scene, "four");
    generations(&scene, &users, 3);
}

#[test]
fn a_change_from_before_a_start_is_not_missed_and_not_followed_twice() {
    let scene = Scene::new("restarts-late");
    let first = controller(&scene, &[]);
    let seal = |value: &str| scene.seal_items(&first, "db", &[("a", value)]);
    let (begin, change) = (seal("1"), seal("2"));
    let workload = deployment("web", "web:1", &variable("a"));
    let files = [("app/db.json", begin.as_str()), ("app/web.yaml", &workload)];
    scene.repository.commit(&files, "Begin");
    scene.application(AUTOMATED);
    generations(&scene, &["web"], 1);
    drop(first);

    // While nobody syncs, the SealedSecret changes and is opened.
    let sealing = controller(&scene, &["--only=sealing"]);
    reseal(&scene, &change);
    scene.becomes("secret", "db", "/data/a", "Mg==");
    drop(sealing);
    scene
        .repository
        .commit(&[("app/db.json", &change)], "Change");

    let second = controller(&scene, &[]);
    generations(&scene, &["web"], 2);
    drop(second);
    let _third = controller(&scene, &[]);
    pass(&scene, "one");
    generations(&scene, &["web"], 2);
}

/// As much of the definition of Argo's Rollouts as is needed to keep them.
const ROLLOUTS: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: rollouts.argoproj.io}
spec:
  group: argoproj.io
  names: {kind: Rollout, listKind: RolloutList, plural: rollouts, singular: rollout}
  scope: Namespaced
  versions:
  - name: v1alpha1
    served: true
    storage: true
    subresources: {status: {}}
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

#[test]
fn a_rollout_starts_anew_once_and_one_without_a_template_is_left_alone() {
    let scene = Scene::new("restarts-rollout");
    scene.testbed.apply(ROLLOUTS);
    let controller = controller(&scene, &[]);
    let uses = "        envFrom: [{secretRef: {name: db}}]\n";
    let rollout = deployment("rollout", "web:1", uses)
        .replace("apps/v1", "argoproj.io/v1alpha1")
        .replace("Deployment", "Rollout");
    let reference = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: reference}\n\
        spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n";
    let workloads = [&rollout, reference, &deployment("web", "web:1", uses)].join("---\n");
    let seal = |value: &str| scene.seal_items(&controller, "db", &[("a", value)]);
    let files = [("app/db.json", &*seal("1")), ("app/all.yaml", &workloads)];
    let commit = scene.repository.commit(&files, "Begin");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);

    scene.commit(&[("app/db.json", &seal("2"))]);
    becomes(&scene, "rollout", "rollout", 2);
    becomes(&scene, "deployment", "web", 2);
    let commit = scene.commit(&[("app/other.yaml", &config_map("other", "one"))]);
    scene.sync_status("Synced", &commit);
    let all = [("rollout", 2), ("reference", 1)];
    assert_eq!(
        all.map(|(name, _)| (name, generation(&scene, "rollout", name))),
        all
    );
}
