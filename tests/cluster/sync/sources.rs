//! Applications of several sources against real repositories.

use serde_json::json;

use super::harness::{GitRepository, unique};
use super::scene::{Scene, config_map};

#[test]
fn several_sources_are_synced_together_and_each_is_followed() {
    let scene = Scene::new("several");
    let _controller = scene.controller();
    let other = GitRepository::create(&unique());
    let of_first = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add a");
    let of_other = other.commit(&[("base/b.yaml", &config_map("b", "1"))], "Add b");
    scene.application_of(
        &format!(
            "sources: [{{repoURL: '{}', targetRevision: main, path: app}}, {{repoURL: '{}', path: base}}]",
            scene.repository.url(),
            other.url()
        ),
        "{automated: {prune: true}}",
    );
    scene.synced_to(&[&of_first, &of_other]);
    scene.becomes("configmap", "a", "/data/value", "1");
    scene.becomes("configmap", "b", "/data/value", "1");

    let of_other = other.commit(&[("base/b.yaml", &config_map("b", "2"))], "Change b");
    scene.refresh();
    let app = scene.synced_to(&[&of_first, &of_other]);
    scene.becomes("configmap", "b", "/data/value", "2");
    let history = app["status"]["history"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let revisions: Vec<_> = history
        .iter()
        .map(|entry| entry["revisions"][1].clone())
        .collect();
    assert_eq!(revisions.len(), 2, "{history:#?}");
    assert_eq!(revisions[1], json!(of_other));
}
