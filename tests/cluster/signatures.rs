//! Commits that real git signs with real SSH keys, against a real API server: what is not signed stays out, and goes in once it may.
//! Which signature counts, and why, is the business of `tests/signatures.rs`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "sync/scene.rs"]
mod scene;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{equal, eventually, run};
use scene::{Scene, config_map};

const AUTOMATED: &str = "{automated: {prune: true, selfHeal: true}}";

/// Makes an SSH key; the path of its public half, and that half as a line of allowed signers.
fn key(folder: &Path, name: &str) -> (PathBuf, String) {
    let file = folder.join(name);
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]);
    run(command.arg(&file), None).success();
    let public = file.with_extension("pub");
    let text = std::fs::read_to_string(&public).expect("ssh-keygen wrote it");
    (public, format!("{name}@a.example {}", text.trim()))
}

/// From now on commits are signed with this key, or not at all.
fn sign_with(scene: &Scene, key: Option<&Path>) {
    let repository = &scene.repository;
    repository.git(&["config", "gpg.format", "ssh"]);
    let sign = if key.is_some() { "true" } else { "false" };
    repository.git(&["config", "commit.gpgSign", sign]);
    if let Some(key) = key {
        repository.git(&["config", "user.signingKey", &key.display().to_string()]);
    }
}

fn allow(scene: &Scene, lines: &[&str]) {
    let own = &scene.own;
    let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: signet-allowed-signers, namespace: {own}}}\n\
         data:\n  allowed_signers: |\n{lines}"
    ));
}

fn project(scene: &Scene, signers: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\n\
         metadata: {{name: default, namespace: {own}, annotations: {{signet.dev/allowed-signers: \"{signers}\"}}}}\n\
         spec: {{sourceRepos: [\"*\"], destinations: [{{server: \"*\", namespace: \"*\"}}]}}\n"
    ));
}

/// Waits until the Application says this, with nothing synced but `commit`.
fn refused(scene: &Scene, text: &str, commit: &str) {
    eventually(&format!("the Application says {text:?}"), || {
        let app = scene.app();
        let conditions = app["status"]["conditions"].to_string();
        equal(&conditions.contains(text), &true)
            .and_then(|()| equal(&app["status"]["sync"]["status"], &"Unknown".into()))
            .map_err(|error| format!("{error}\n{:#}", app["status"]))
    });
    scene.operation("Succeeded", commit);
}

#[test]
fn a_commit_that_is_not_signed_as_demanded_leaves_the_last_good_one() {
    let scene = Scene::new("signed");
    let keys = tempfile::tempdir().expect("a folder for keys");
    let (ann, ann_line) = key(keys.path(), "ann");
    let (bob, bob_line) = key(keys.path(), "bob");
    allow(&scene, &[&ann_line]);
    project(&scene, "*@a.example");
    let _controller = scene.controller();

    sign_with(&scene, Some(&ann));
    let first = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &first);
    scene.becomes("configmap", "a", "{.data.value}", "1");

    sign_with(&scene, None);
    let second = scene.commit(&[("app/a.yaml", &config_map("a", "2"))]);
    let text = format!(
        "commit {second} is not signed, expected a signature by the SSH signer *@a.example"
    );
    refused(&scene, &text, &first);

    sign_with(&scene, Some(&bob));
    let third = scene.commit(&[("app/a.yaml", &config_map("a", "3"))]);
    refused(
        &scene,
        &format!("commit {third} is signed by SSH key SHA256:"),
        &first,
    );
    scene.becomes("configmap", "a", "{.data.value}", "1");

    // Nobody asks for a refresh: the ConfigMap and the project are watched.
    allow(&scene, &[&ann_line, &bob_line]);
    scene.operation("Succeeded", &third);
    scene.becomes("configmap", "a", "{.data.value}", "3");
    project(&scene, "ann@a.example");
    refused(
        &scene,
        "of bob@a.example, which project default does not list",
        &third,
    );
    scene.becomes("configmap", "a", "{.data.value}", "3");

    // A signed tag is enough for its commit, also while the sync of that commit runs.
    sign_with(&scene, None);
    let fourth = scene.commit(&[("app/a.yaml", &config_map("a", "4"))]);
    let git = |arguments: &[&str]| scene.repository.git(arguments);
    git(&["config", "user.signingKey", &ann.display().to_string()]);
    git(&["tag", "--sign", "--message", "Release", "v1"]);
    git(&["push", "--quiet", "origin", "v1"]);
    let patch = r#"{"spec": {"source": {"targetRevision": "v1"}}}"#;
    let arguments = [
        "patch",
        "application",
        "app",
        "--type=merge",
        "--patch",
        patch,
    ];
    scene
        .testbed
        .kubectl(&[&arguments[..], &["--namespace", &scene.own]].concat());
    scene.operation("Succeeded", &fourth);
    scene.becomes("configmap", "a", "{.data.value}", "4");
}
