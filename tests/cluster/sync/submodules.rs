//! Submodules of a repository that an Application reads: each with the access of its own repository, or not at all.
//! Which URLs and commits can be followed is the business of `tests/git.rs`.

use crate::AUTOMATED;
use crate::harness::{GitRepository, unique};
use crate::scene::{Scene, config_map};

/// Has `commit` of `other` at `path` from the next commit on.
fn submodule(scene: &Scene, path: &str, other: &GitRepository, commit: &str) {
    let entry = format!(
        "[submodule \"{path}\"]\n\tpath = {path}\n\turl = {}\n",
        other.url()
    );
    let work = scene.repository.work_tree();
    std::fs::write(work.join(".gitmodules"), entry).expect("the work tree is writable");
    std::fs::create_dir_all(work.join(path)).expect("the work tree is writable");
    let link = format!("160000,{commit},{path}");
    scene
        .repository
        .git(&["update-index", "--add", "--cacheinfo", &link]);
}

#[test]
fn a_submodule_is_synced_once_its_own_secret_opens_it_and_its_project_permits_it() {
    let scene = Scene::new("submodule");
    let _controller = scene.controller();
    let lib = GitRepository::create(&format!("private/{}", unique()));
    let first = lib.commit(&[("b.yaml", &config_map("b", "1"))], "Add b");
    submodule(&scene, "app/lib", &lib, &first);
    let added = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add a");
    let url = scene.repository.url();
    let source = format!(
        "source: {{repoURL: '{url}', path: app, targetRevision: main, directory: {{recurse: true}}}}"
    );
    scene.application_of(&source, AUTOMATED);
    let message = scene.condition("ComparisonError");
    let refused = format!(
        "submodule \"app/lib\" of {url}: {}: authentication required; ",
        lib.url()
    );
    assert!(message.starts_with(&refused), "{message}");
    assert!(message.contains("add a repository Secret"), "{message}");

    // Its project must permit what only its own Secret opens. The controller hears of both by itself.
    scene.permit(&[url]);
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\n\
         metadata: {{name: lib, namespace: {}, labels: {{argocd.argoproj.io/secret-type: repository}}}}\n\
         stringData: {{url: '{}', username: signet, password: testbed}}\n",
        scene.own,
        lib.url()
    ));
    let denied = format!(
        "repository {} is not permitted: it is not in sourceRepos",
        lib.url()
    );
    scene.says("ComparisonError", &denied);
    scene.permit(&[url, lib.url()]);
    scene.operation("Succeeded", &added);
    scene.becomes("configmap", "b", "/data/value", "1");

    let second = lib.commit(&[("b.yaml", &config_map("b", "2"))], "Change b");
    submodule(&scene, "app/lib", &lib, &second);
    let changed = scene.commit(&[]);
    scene.operation("Succeeded", &changed);
    scene.becomes("configmap", "b", "/data/value", "2");

    // What can't be fetched changes nothing and prunes nothing.
    let gone = "1".repeat(40);
    submodule(&scene, "app/lib", &lib, &gone);
    scene.commit(&[("app/a.yaml", &config_map("a", "2"))]);
    scene.says(
        "ComparisonError",
        &format!("the server does not give commit {gone}; push the commit"),
    );
    scene.becomes("configmap", "a", "/data/value", "1");
    scene.becomes("configmap", "b", "/data/value", "2");
}
