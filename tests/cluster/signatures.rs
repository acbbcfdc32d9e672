//! Commits that real git signs with real keys, of SSH and of OpenPGP, against a real API server: what is not signed stays out, and goes in once it may.
//! Which signature counts, and why, is the business of `tests/signatures.rs`.

#[path = "../testbed/harness.rs"]
mod harness;
#[path = "../testbed/harness/openpgp.rs"]
mod openpgp;
#[path = "sync/scene.rs"]
mod scene;

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{equal, eventually, run};
use openpgp::OpenPgp;
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

/// Has the cluster know an OpenPGP key, and git sign with it where it is asked to.
fn install(key: &OpenPgp, scene: &Scene) {
    let (own, id) = (&scene.own, &key.id);
    let public = key.public();
    let public: String = public.lines().map(|line| format!("    {line}\n")).collect();
    scene.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-gpg-keys-cm, namespace: {own}}}\n\
         data:\n  {id}: |\n{public}"
    ));
    let repository = &scene.repository;
    repository.git(&["config", "gpg.program", &key.program()]);
    repository.git(&["config", "user.signingKey", id]);
}

/// The project demands signatures of this key.
fn policy(scene: &Scene, mode: &str, id: &str) {
    let own = &scene.own;
    scene.testbed.apply(&format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: AppProject\nmetadata: {{name: default, namespace: {own}}}\n\
         spec:\n  sourceRepos: [\"*\"]\n  destinations: [{{server: \"*\", namespace: \"*\"}}]\n\
         \x20 sourceIntegrity: {{git: {{policies: [{{repos: [{{url: \"*\"}}], gpg: {{mode: {mode}, keys: [{id}]}}}}]}}}}\n"
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

fn follow(scene: &Scene, revision: &str) {
    scene.patch(&format!(
        r#"{{"spec": {{"source": {{"targetRevision": "{revision}"}}}}}}"#
    ));
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
    scene.becomes("configmap", "a", "/data/value", "1");

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
    scene.becomes("configmap", "a", "/data/value", "1");

    // Nobody asks for a refresh: the ConfigMap and the project are watched.
    allow(&scene, &[&ann_line, &bob_line]);
    scene.operation("Succeeded", &third);
    scene.becomes("configmap", "a", "/data/value", "3");
    project(&scene, "ann@a.example");
    refused(
        &scene,
        "of bob@a.example, which project default does not list",
        &third,
    );
    scene.becomes("configmap", "a", "/data/value", "3");

    // A signed tag is enough for its commit, also while the sync of that commit runs.
    sign_with(&scene, None);
    let fourth = scene.commit(&[("app/a.yaml", &config_map("a", "4"))]);
    let git = |arguments: &[&str]| scene.repository.git(arguments);
    git(&["config", "user.signingKey", &ann.display().to_string()]);
    git(&["tag", "--sign", "--message", "Release", "v1"]);
    git(&["push", "--quiet", "origin", "v1"]);
    follow(&scene, "v1");
    scene.operation("Succeeded", &fourth);
    scene.becomes("configmap", "a", "/data/value", "4");
}

#[test]
fn openpgp_keys_of_a_policy_count_and_so_does_the_tag_that_a_range_chooses() {
    let scene = Scene::new("openpgp");
    let key = OpenPgp::create();
    install(&key, &scene);
    policy(&scene, "head", &key.id);
    let id = &key.id;
    let _controller = scene.controller();
    let git = |arguments: &[&str]| scene.repository.git(arguments);
    let sign = |sign: &str| git(&["config", "commit.gpgSign", sign]);
    let commit = |value: &str| {
        let file = config_map("a", value);
        scene.repository.commit(&[("app/a.yaml", &file)], "Change")
    };
    sign("true");
    let first = commit("1");
    scene.application(AUTOMATED);
    scene.operation("Succeeded", &first);
    scene.becomes("configmap", "a", "/data/value", "1");

    sign("false");
    let second = commit("2");
    scene.refresh();
    let text = format!("commit {second} is not signed, expected a signature by OpenPGP key {id}");
    refused(&scene, &text, &first);

    git(&["tag", "--sign", "--message", "Release", "v1.0.0"]);
    git(&["push", "--quiet", "origin", "v1.0.0"]);
    follow(&scene, "1.*");
    scene.operation("Succeeded", &second);
    scene.becomes("configmap", "a", "/data/value", "2");

    sign("true");
    let third = commit("3");
    git(&[
        "tag",
        "--annotate",
        "--no-sign",
        "--message",
        "Release",
        "v1.1.0",
    ]);
    git(&["push", "--quiet", "origin", "v1.1.0"]);
    scene.refresh();
    let tag = git(&["rev-parse", "v1.1.0"]);
    refused(
        &scene,
        &format!("tag {tag} of commit {third} is not signed"),
        &second,
    );
    scene.becomes("configmap", "a", "/data/value", "2");
}

#[test]
fn a_history_with_a_commit_that_nobody_signed_stays_out_until_it_is_sealed() {
    let scene = Scene::new("strict");
    let key = OpenPgp::create();
    install(&key, &scene);
    policy(&scene, "strict", &key.id);
    let _controller = scene.controller();
    let git = |arguments: &[&str]| scene.repository.git(arguments);
    let sign = |sign: &str| git(&["config", "commit.gpgSign", sign]);
    sign("true");
    let first = scene
        .repository
        .commit(&[("app/a.yaml", &config_map("a", "1"))], "Add");
    scene.application(AUTOMATED);
    scene.says(
        "ComparisonError",
        "set uploadpack.allowFilter at the server",
    );
    let config = format!("{}/config", git(&["remote", "get-url", "origin"]));
    git(&[
        "config",
        "--file",
        &config,
        "uploadpack.allowFilter",
        "true",
    ]);
    scene.refresh();
    scene.operation("Succeeded", &first);
    scene.becomes("configmap", "a", "/data/value", "1");

    sign("false");
    let unsigned = scene.commit(&[("app/a.yaml", &config_map("a", "2"))]);
    sign("true");
    let signed = scene.commit(&[("app/a.yaml", &config_map("a", "3"))]);
    let text = format!(
        "commit {unsigned} is not signed, expected a signature by OpenPGP key {}; commit {signed} builds on it",
        key.id
    );
    refused(&scene, &text, &first);
    scene.becomes("configmap", "a", "/data/value", "1");

    let trailer = "--trailer=Argocd-gpg-seal: reviewed";
    git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "--gpg-sign",
        trailer,
        "--message=Seal",
    ]);
    git(&["push", "--quiet", "origin", "main"]);
    let seal = git(&["rev-parse", "HEAD"]);
    scene.refresh();
    scene.operation("Succeeded", &seal);
    scene.becomes("configmap", "a", "/data/value", "3");
}
