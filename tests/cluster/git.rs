//! Repository Secrets of a real cluster open private repositories of a real Git server, and close them again.
//! What mirrors do with a repository they may read is the business of `tests/git.rs`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "../testbed/harness.rs"]
mod harness;

use std::{path::Path, sync::Arc};

use controller::git::{self, Freshness, GitError, MirrorOptions, Mirrors};
use harness::{GitRepository, Testbed, eventually_async};
use tokio_util::sync::CancellationToken;

/// The mirrors as the controller runs them, for the Secrets of one namespace.
struct Running {
    mirrors: Arc<Mirrors>,
    namespace: String,
    testbed: Testbed,
    url: String,
    shutdown: CancellationToken,
    _data: tempfile::TempDir,
}

impl Running {
    async fn start(repository: &GitRepository) -> Self {
        let testbed = Testbed::get();
        let namespace = testbed.namespace("git");
        let data = tempfile::tempdir().unwrap();
        let mirrors =
            Arc::new(Mirrors::new(Path::new(data.path()), MirrorOptions::default()).unwrap());
        let shutdown = CancellationToken::new();
        let (running, client) = (Arc::clone(&mirrors), testbed.client().await);
        let (watched, stop) = (namespace.clone(), shutdown.clone());
        tokio::spawn(async move { git::run(running, client, &watched, stop).await });
        let url = repository.url().to_owned();
        Self {
            mirrors,
            namespace,
            testbed,
            url,
            shutdown,
            _data: data,
        }
    }

    fn apply_secret(&self, name: &str, project: &str, password: &str) {
        self.testbed.apply(&format!(
            "apiVersion: v1\nkind: Secret\n\
             metadata:\n  name: {name}\n  namespace: {}\n  labels: {{argocd.argoproj.io/secret-type: repository}}\n\
             stringData: {{type: git, url: {}, username: signet, password: {password}, project: '{project}'}}\n",
            self.namespace, self.url
        ));
    }

    /// The commit that `main` means to an Application of `project`.
    async fn main(&self, project: &str) -> Result<String, GitError> {
        let repository = self.mirrors.repository(&self.url, project).await?;
        let commit = self
            .mirrors
            .resolve(&repository, "main", Freshness::Latest)
            .await?;
        self.mirrors.tree(&repository, &commit, "").await?;
        Ok(commit.to_string())
    }

    async fn becomes(&self, what: &str, project: &str, expected: Result<&str, &str>) {
        let expected = expected
            .map(str::to_owned)
            .map_err(|problem| format!("{}: {problem}", self.url));
        eventually_async(what, async || {
            let found = self.main(project).await.map_err(|error| error.to_string());
            if found == expected {
                Ok(())
            } else {
                Err(format!("{found:?}"))
            }
        })
        .await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

const NO_CREDENTIALS: &str = "authentication required";

#[tokio::test]
async fn a_private_repository_opens_and_closes_with_its_secret() {
    let repository = GitRepository::create("private/opens-and-closes");
    let commit = repository.commit(&[("a.yaml", "a: 1")], "first");
    let running = Running::start(&repository).await;
    running
        .becomes("no Secret, no access", "default", Err(NO_CREDENTIALS))
        .await;

    running.apply_secret("config", "", "wrong");
    let refused = format!(
        "authentication failed with the credentials of Secret {}/config",
        running.namespace
    );
    running
        .becomes("a wrong password is refused", "default", Err(&refused))
        .await;

    running.apply_secret("config", "", "testbed");
    running
        .becomes("the right password opens it", "default", Ok(&commit))
        .await;

    running.testbed.kubectl(&[
        "delete",
        "secret",
        "config",
        "--namespace",
        &running.namespace,
    ]);
    running
        .becomes(
            "no Secret, no access any more",
            "default",
            Err(NO_CREDENTIALS),
        )
        .await;
}

#[tokio::test]
async fn the_secret_of_a_project_serves_no_other_project() {
    let repository = GitRepository::create("private/of-a-project");
    let commit = repository.commit(&[("a.yaml", "a: 1")], "first");
    let running = Running::start(&repository).await;
    running.apply_secret("team", "team", "testbed");
    running
        .becomes("the project's Secret opens it", "team", Ok(&commit))
        .await;
    assert_eq!(
        running.main("other").await.unwrap_err().to_string(),
        format!("{}: {NO_CREDENTIALS}", running.url)
    );
}

#[tokio::test]
async fn a_secret_that_appears_is_told_to_who_waits_for_it() {
    let repository = GitRepository::create("private/is-told");
    repository.commit(&[("a.yaml", "a: 1")], "first");
    let running = Running::start(&repository).await;
    running
        .becomes("no Secret, no access", "default", Err(NO_CREDENTIALS))
        .await;
    let mut changed = running.mirrors.changed();
    running.apply_secret("config", "", "testbed");
    assert_eq!(changed.recv().await.unwrap().url.as_str(), running.url);
}

#[tokio::test]
async fn a_credential_template_and_the_certificates_of_a_host_are_followed() {
    let repository = GitRepository::create("private/below-a-template");
    let commit = repository.commit(&[("a.yaml", "a: 1")], "first");
    let running = Running::start(&repository).await;
    let above = running.url.rsplit_once('/').unwrap().0.to_owned();
    let namespace = running.namespace.clone();
    running.testbed.apply(&format!(
        "apiVersion: v1\nkind: Secret\n\
         metadata:\n  name: template\n  namespace: {namespace}\n  labels: {{argocd.argoproj.io/secret-type: repo-creds}}\n\
         stringData: {{url: {above}, username: signet, password: testbed}}\n"
    ));
    running
        .becomes("the template opens it", "default", Ok(&commit))
        .await;

    let host = running.url.split(['/', ':']).nth(3).unwrap().to_owned();
    running.testbed.apply(&format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: argocd-tls-certs-cm, namespace: {namespace}}}\n\
         data: {{'{host}': nothing}}\n"
    ));
    let refused = format!("key {host} of ConfigMap argocd-tls-certs-cm holds no PEM certificate");
    running
        .becomes(
            "certificates that are none are told",
            "default",
            Err(&refused),
        )
        .await;
    running.testbed.kubectl(&[
        "delete",
        "configmap",
        "argocd-tls-certs-cm",
        "--namespace",
        &namespace,
    ]);
    running
        .becomes("without them it opens again", "default", Ok(&commit))
        .await;
}
