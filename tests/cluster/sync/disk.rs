//! The volume of `--data-dir` is full: the Application says so, its objects stay as they are, and it goes on by itself once there
//! is room. Each test fills the volume with another thing that is written there.

use crate::AUTOMATED;
use crate::charts::{push, registry};
use crate::harness::{Controller, Registry, Volume, equal, eventually};
use crate::scene::{Scene, config_map};

/// Large enough for a mirror of small commits.
const SMALL: &str = "2m";
const LARGE: &str = "64m";

fn controller(scene: &Scene, volume: &Volume) -> Controller {
    let data = format!("--data-dir={}", volume.path().display());
    let arguments = scene.arguments();
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.push(&data);
    Controller::start(&arguments).ready()
}

/// Waits until the Application says this; nothing is synced, changed or pruned meanwhile.
fn says(scene: &Scene, parts: &[&str]) {
    eventually(&format!("the Application says {parts:?}"), || {
        let app = scene.app();
        let conditions = app["status"]["conditions"].to_string();
        let said: Vec<_> = parts
            .iter()
            .filter(|part| conditions.contains(**part))
            .collect();
        equal(&said.len(), &parts.len())
            .and_then(|()| equal(&app["status"]["sync"]["status"], &"Unknown".into()))
            .map_err(|error| format!("{error}\n{:#}", app["status"]))
    });
    for name in ["a", "b"] {
        assert_eq!(
            scene.field("configmap", name, "/data/value"),
            Some("1".into())
        );
    }
}

/// The objects of the commit after it, of which `b` is none.
fn goes_on(scene: &Scene) {
    scene.becomes("configmap", "a", "/data/value", "2");
    scene.vanishes("configmap", "b");
}

/// What is larger than the small volume, and does not get smaller in a pack.
fn noise() -> String {
    let words = (0..1_000_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words
        .map(|word| format!("{word:016x}\n").split_off(11))
        .collect()
}

/// What is larger than the small volume once it is unpacked.
fn blanks() -> String {
    " \n".repeat(2 << 20)
}

#[test]
fn a_commit_for_which_there_is_no_room_is_fetched_once_there_is() {
    let scene = Scene::new("full-fetch");
    let volume = Volume::of(SMALL);
    let _controller = controller(&scene, &volume);
    let files = [
        ("app/a.yaml", &*config_map("a", "1")),
        ("app/b.yaml", &config_map("b", "1")),
    ];
    let good = scene.repository.commit(&files, "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &good);

    scene.repository.remove(&["app/b.yaml"], "Remove");
    let commit = scene.commit(&[("app/a.yaml", &config_map("a", "2")), ("noise", &noise())]);
    let full = format!(
        "{}: the mirror below --data-dir can not be used: commit {commit}: no storage space",
        scene.repository.url()
    );
    says(
        &scene,
        &[&full, "check the volume of --data-dir: free space"],
    );
    volume.grow(LARGE);
    scene.sync_status("Synced", &commit);
    goes_on(&scene);
}

#[test]
fn files_for_which_there_is_no_room_are_written_out_once_there_is() {
    let scene = Scene::new("full-tree");
    let volume = Volume::of(SMALL);
    let _controller = controller(&scene, &volume);
    let files = [
        ("app/kustomization.yaml", "resources: [a.yaml, b.yaml]\n"),
        ("app/a.yaml", &*config_map("a", "1")),
        ("app/b.yaml", &config_map("b", "1")),
    ];
    let good = scene.repository.commit(&files, "Add");
    scene.application(AUTOMATED);
    scene.sync_status("Synced", &good);

    let large = config_map("a", "2") + &blanks();
    let commit = scene.commit(&[
        ("app/kustomization.yaml", "resources: [a.yaml]\n"),
        ("app/a.yaml", &large),
    ]);
    let full = format!(
        "can't write app/a.yaml of {} at {commit} where programs find it: No space left on device",
        scene.repository.url()
    );
    says(&scene, &[&full, "make room in the folder of --data-dir"]);
    volume.grow(LARGE);
    scene.sync_status("Synced", &commit);
    goes_on(&scene);
}

#[test]
fn a_chart_for_which_there_is_no_room_is_unpacked_once_there_is() {
    let scene = Scene::new("full-chart");
    let volume = Volume::of(SMALL);
    let server = Registry::start();
    let host = registry(&scene, &server);
    let _controller = controller(&scene, &volume);
    let (a, b) = (config_map("a", "1"), config_map("b", "1"));
    push(
        &host,
        "shop",
        "1.0.0",
        &[("templates/a.yaml", &a), ("templates/b.yaml", &b)],
    );
    let source = format!("source: {{repoURL: '{host}/charts', chart: shop, targetRevision: 1.x}}");
    scene.application_of(&source, AUTOMATED);
    scene.sync_status("Synced", "1.0.0");

    let a = config_map("a", "2");
    push(
        &host,
        "shop",
        "1.1.0",
        &[("templates/a.yaml", &a), ("files/large", &blanks())],
    );
    scene.refresh();
    let full = format!("oci://{host}/charts/shop:1.1.0: can not be unpacked: no storage space");
    says(
        &scene,
        &[&full, "check the volume of --data-dir: free space"],
    );
    volume.grow(LARGE);
    scene.sync_status("Synced", "1.1.0");
    goes_on(&scene);
}
