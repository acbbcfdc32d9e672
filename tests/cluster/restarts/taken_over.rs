//! Workloads that were there before their Application, against a real API server: what changed before starts nothing, what changes then does.
//! What is written in which case is the business of unit tests.

use super::outside::{apply, noted, opened, restarts_told, rollouts};
use super::scene::{Scene, deployment};
use super::{AUTOMATED, controller, pass, reseal, variable};
use crate::harness::{equal, eventually};

/// Waits until so many Events on the Application tell that Pods were started anew.
#[track_caller]
fn told(scene: &Scene, expected: usize) {
    eventually(&format!("{expected} events tell of restarts"), || {
        equal(&restarts_told(scene, &scene.own, "app"), &expected)
    });
}

/// An Application takes the workload over, with this SealedSecret.
#[track_caller]
fn take_over(scene: &Scene, sealed: &str) {
    let workload = deployment("web", "web:1", &variable("a"));
    let files = [("app/db.json", sealed), ("app/web.yaml", &workload)];
    let commit = scene.repository.commit(&files, "Begin");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &commit);
}

#[test]
fn a_workload_that_is_taken_over_is_left_running_and_starts_anew_once_for_the_next_change() {
    let scene = Scene::new("restarts-taken-over");
    let controller = controller(&scene, &[]);
    let seal = |value: &str| scene.seal_items(&controller, "db", &[("a", value)]);
    scene.testbed.apply(&seal("1"));
    opened(&scene, "a", "1");
    reseal(&scene, &seal("2"));
    opened(&scene, "a", "2");
    apply(&scene, "web", "a", "");
    rollouts(&scene, &["web"], 1);

    take_over(&scene, &seal("2"));
    noted(&scene, "web");
    pass(&scene, "one");
    rollouts(&scene, &["web"], 1);
    told(&scene, 0);

    scene.commit(&[("app/db.json", &seal("3"))]);
    rollouts(&scene, &["web"], 2);
    pass(&scene, "two");
    rollouts(&scene, &["web"], 2);
    told(&scene, 1);

    // It comes back without notes, and with the value that the Pods know.
    let namespace = &scene.to;
    scene
        .testbed
        .kubectl(&["delete", "secret", "db", "--namespace", namespace]);
    opened(&scene, "a", "3");
    pass(&scene, "three");
    rollouts(&scene, &["web"], 2);
    scene.commit(&[("app/db.json", &seal("4"))]);
    rollouts(&scene, &["web"], 3);
    told(&scene, 2);
}

#[test]
fn what_the_sync_changes_that_takes_a_workload_over_starts_it_once() {
    let scene = Scene::new("restarts-taken-over-late");
    let controller = controller(&scene, &[]);
    let seal = |value: &str| scene.seal_items(&controller, "db", &[("a", value)]);
    scene.testbed.apply(&seal("1"));
    opened(&scene, "a", "1");
    apply(&scene, "web", "a", "");
    rollouts(&scene, &["web"], 1);

    take_over(&scene, &seal("2"));
    rollouts(&scene, &["web"], 2);
    pass(&scene, "one");
    rollouts(&scene, &["web"], 2);
}
