//! Bases of a kustomization in another repository: read where that is allowed and permitted, and followed.
//! What becomes of them is the business of `tests/render`.

use crate::AUTOMATED;
use crate::harness::{Controller, GitRepository, unique};
use crate::scene::{Scene, config_map};

#[test]
fn a_base_in_another_repository_is_synced_where_allowed_and_followed_as_it_moves() {
    let scene = Scene::new("base");
    let mut arguments = scene.arguments().to_vec();
    let other = GitRepository::create(&format!("base-other-{}", unique()));
    let kustomization = "resources: [a.yaml]";
    let files = [
        ("web/kustomization.yaml", kustomization),
        ("web/a.yaml", &config_map("a", "1")),
    ];
    other.commit(&files, "Add a");
    let (url, base) = (scene.repository.url(), other.url());
    let overlay = format!("resources: ['{base}//web?ref=main']");
    let added = scene
        .repository
        .commit(&[("app/kustomization.yaml", &overlay)], "Use it");

    scene.permit(&[url]);
    let controller = Controller::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let controller = controller.ready();
    scene.application(AUTOMATED);
    scene.says(
        "ComparisonError",
        &format!("app/kustomization.yaml:1: {base}//web?ref=main is not in the repository, and remote bases are not allowed"),
    );
    drop(controller);

    arguments.push("--kustomize-enable-remote-bases".to_owned());
    let controller = Controller::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let _controller = controller.ready();
    let denied = format!("remote base {base}?ref=main: repository {base} is not permitted");
    scene.says("ComparisonError", &denied);
    scene.permit(&[url, base]);
    scene.operation("Succeeded", &added);
    scene.becomes("configmap", "a", "/data/value", "1");

    // The commit of the Application is the same; its base is not.
    other.commit(&[("web/a.yaml", &config_map("a", "2"))], "Change a");
    scene.refresh();
    scene.becomes("configmap", "a", "/data/value", "2");
}
