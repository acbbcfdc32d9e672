//! A look that Git holds up, while the Application that it is about is deleted.
//! What a look finds and does is the business of other suites.

use crate::door::Door;
use crate::harness::{Port, equal, eventually, get};
use crate::scene::Scene;

/// An Application from the folder `app` of a repository. No finalizer keeps it.
fn application(scene: &Scene, name: &str, url: &str) {
    let (own, to) = (&scene.own, &scene.to);
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}, namespace: {own}}}\nspec:\n\
         \x20 project: default\n  source: {{repoURL: \"{url}\", path: app, targetRevision: main}}\n\
         \x20 destination: {{server: \"https://kubernetes.default.svc\", namespace: {to}}}\n"
    ));
}

/// Has the controller ask the loopback address for this repository.
fn allow(scene: &Scene, url: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{name: door, namespace: {own}, labels: {{argocd.argoproj.io/secret-type: repository}}, \
         annotations: {{signet.dev/allow-local-addresses: 'true'}}}}\nstringData: {{type: git, url: '{url}'}}\n"
    ));
}

fn is_compared(scene: &Scene, name: &str, commit: &str) {
    eventually(&format!("Application {name} is compared"), || {
        let status = &scene.testbed.object(&scene.own, "application", name)["status"];
        equal(&status["sync"]["revision"], &commit.into())
            .map_err(|error| format!("{error}\n{status:#}"))
    });
}

/// How many series there are of an Application.
fn series(metrics: &str, name: &str) -> usize {
    let label = format!(",name=\"{name}\"");
    let lines = metrics.lines();
    lines.filter(|line| line.contains(&label)).count()
}

/// It renders nothing and is at rest, so that a first look after a start finds nothing to write. A write would fail, and the look
/// with it, before it shows how the Application is.
#[test]
fn a_look_that_outlives_its_application_leaves_no_metric_behind() {
    let scene = Scene::new("outlived");
    let door = Door::new();
    let direct = scene.repository.url();
    let through = door.before(direct);
    allow(&scene, &through);
    let commit = scene.repository.commit(&[("app/README", "text")], "Add");
    let controller = scene.controller();
    application(&scene, "app", &through);
    scene.sync_status("Synced", &commit);
    assert!(controller.stop().success());

    door.shut();
    let controller = scene.controller();
    eventually("the first look waits for Git", || match door.waiting() {
        0 => Err("nobody is there"),
        _ => Ok(()),
    });
    let app = ["application", "app", "--namespace", &scene.own];
    scene
        .testbed
        .kubectl(&[["delete"].as_slice(), &app].concat());
    // The deletion is known by then: news of Applications come in their order.
    application(&scene, "later", direct);
    is_compared(&scene, "later", &commit);
    door.open();
    // It begins later, waits for the same answer of Git, and does more.
    application(&scene, "last", &through);
    is_compared(&scene, "last", &commit);

    let metrics = format!("{}/metrics", controller.url(Port::Metrics));
    eventually(
        "the last one is shown, and not the one that is gone",
        || {
            let (_, text) = get(&metrics)?;
            match (series(&text, "last"), series(&text, "app")) {
                (1, 0) => Ok(()),
                _ => Err(text),
            }
        },
    );
}
