//! Mirrors against the real git: over `file://`, and over HTTP from `git http-backend`.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "git/repository.rs"]
mod repository;
#[path = "git/server.rs"]
mod server;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use controller::git::{
    CommitId, Credentials, Freshness, GitError, MirrorOptions, Mirrors, Repository,
    RepositorySecret,
};
use k8s_openapi::{ByteString, api::core::v1::Secret};
use repository::Origin;
use server::GitServer;
use tempfile::TempDir;

struct Bench {
    mirrors: Arc<Mirrors>,
    root: PathBuf,
    _directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(MirrorOptions {
            allow_file: true,
            ..MirrorOptions::default()
        })
    }

    fn with(options: MirrorOptions) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("served");
        std::fs::create_dir(&root).unwrap();
        let mirrors = Arc::new(Mirrors::new(&directory.path().join("data"), options).unwrap());
        Self {
            mirrors,
            root,
            _directory: directory,
        }
    }

    fn origin(&self, name: &str) -> Origin {
        Origin::create(&self.root, name)
    }

    fn serve(&self) -> GitServer {
        GitServer::start(self.root.clone(), "http://127.0.0.1:1".to_owned())
    }

    async fn latest(&self, url: &str, revision: &str) -> Result<String, GitError> {
        let repository = Repository::public(url)?;
        self.mirrors
            .resolve(&repository, revision, Freshness::Latest)
            .await
            .map(|commit| commit.to_string())
    }

    /// The content of `file` at the root of what `revision` means now.
    async fn read(&self, url: &str, revision: &str, file: &str) -> Result<String, GitError> {
        let repository = Repository::public(url)?;
        let commit = self
            .mirrors
            .resolve(&repository, revision, Freshness::Latest)
            .await?;
        self.read_commit(&repository, &commit, file).await
    }

    async fn read_commit(
        &self,
        repository: &Repository,
        commit: &CommitId,
        file: &str,
    ) -> Result<String, GitError> {
        let tree = self.mirrors.tree(repository, commit, "").await?;
        let entries = tree.entries(true)?;
        let entry = entries
            .iter()
            .find(|entry| entry.path == file)
            .expect("the file is in the tree");
        Ok(String::from_utf8(tree.read(entry)?).unwrap())
    }
}

fn message(result: Result<String, GitError>) -> String {
    result.expect_err("an error was expected").to_string()
}

fn credentials(url: &str, password: &str) -> Repository {
    let values = [("url", url), ("username", "signet"), ("password", password)];
    let data = values.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
    let mut secret = Secret {
        data: Some(data.into()),
        ..Secret::default()
    };
    secret.metadata.name = Some("config-repository".to_owned());
    secret.metadata.namespace = Some("signet".to_owned());
    secret.metadata.labels = Some(BTreeMap::from([(
        "argocd.argoproj.io/secret-type".to_owned(),
        "repository".to_owned(),
    )]));
    let secret = RepositorySecret::decode(&secret).unwrap();
    controller::git::credentials::repository(url, "default", &[secret]).unwrap()
}

#[tokio::test]
async fn each_kind_of_revision_means_its_commit() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let first = origin.commit(&[("a.yaml", "one")]);
    origin.git(&["tag", "light"]);
    origin.git(&["tag", "-a", "-m", "release", "v1"]);
    origin.git(&["push", "-q", "origin", "--tags"]);
    origin.git(&["push", "-q", "origin", "HEAD:refs/pull/7/head"]);
    origin.git(&["checkout", "-q", "-b", "feature/x"]);
    let second = origin.commit(&[("a.yaml", "two")]);
    let url = origin.file_url();
    for revision in [
        "",
        "HEAD",
        "main",
        "refs/heads/main",
        "light",
        "v1",
        "refs/tags/v1",
        "refs/pull/7/head",
        &first,
        &first[..9],
    ] {
        assert_eq!(
            bench.latest(&url, revision).await.unwrap(),
            first,
            "{revision}"
        );
    }
    assert_eq!(bench.latest(&url, "feature/x").await.unwrap(), second);
    assert_eq!(bench.read(&url, "v1", "a.yaml").await.unwrap(), "one");
    assert_eq!(
        bench.read(&url, "feature/x", "a.yaml").await.unwrap(),
        "two"
    );
}

#[tokio::test]
async fn over_http_new_commits_are_fetched_one_after_the_other() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let server = bench.serve();
    let url = format!("{}/app.git", server.url);
    for round in ["one", "two", "three"] {
        origin.commit(&[("a.yaml", round)]);
        assert_eq!(bench.read(&url, "main", "a.yaml").await.unwrap(), round);
    }
    assert_eq!(server.requests("+auth"), 0);
}

#[tokio::test]
async fn more_commits_than_one_store_holds_are_read_all() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let url = origin.file_url();
    let first = origin.commit(&[("a.yaml", "first")]);
    assert_eq!(bench.read(&url, "main", "a.yaml").await.unwrap(), "first");
    for round in 0..40 {
        origin.commit(&[("a.yaml", &round.to_string())]);
        assert_eq!(
            bench.read(&url, "main", "a.yaml").await.unwrap(),
            round.to_string()
        );
    }
    assert_eq!(bench.read(&url, &first, "a.yaml").await.unwrap(), "first");
}

#[tokio::test]
async fn a_forced_push_a_deleted_branch_and_a_rewritten_tag_heal_by_themselves() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let url = origin.file_url();
    origin.commit(&[("a.yaml", "one")]);
    origin.git(&["tag", "v1"]);
    origin.git(&["push", "-q", "origin", "v1"]);
    assert_eq!(bench.read(&url, "main", "a.yaml").await.unwrap(), "one");

    origin.git(&["checkout", "-q", "--orphan", "other"]);
    origin.commit(&[("a.yaml", "rewritten")]);
    origin.git(&["push", "-q", "-f", "origin", "other:main"]);
    assert_eq!(
        bench.read(&url, "main", "a.yaml").await.unwrap(),
        "rewritten"
    );
    // The server forgets what the mirror still has, and must not stumble over it.
    let bare = origin.bare.to_str().unwrap();
    origin.git(&["-C", bare, "tag", "-d", "v1"]);
    origin.git(&["-C", bare, "gc", "-q", "--prune=now"]);
    origin.commit(&[("a.yaml", "after the server's spring cleaning")]);
    origin.git(&["push", "-q", "-f", "origin", "other:main"]);
    let cleaned = bench.read(&url, "main", "a.yaml").await.unwrap();
    assert_eq!(cleaned, "after the server's spring cleaning");

    origin.commit(&[("a.yaml", "rewritten")]);
    origin.git(&["tag", "-f", "v1"]);
    origin.git(&["push", "-q", "-f", "origin", "v1"]);
    assert_eq!(bench.read(&url, "v1", "a.yaml").await.unwrap(), "rewritten");

    origin.git(&["push", "-q", "origin", "--delete", "other"]);
    assert_eq!(
        message(bench.latest(&url, "other").await),
        format!("{url}: revision \"other\" not found")
    );
    origin.git(&["push", "-q", "origin", "other:other"]);
    assert_eq!(
        bench.read(&url, "other", "a.yaml").await.unwrap(),
        "rewritten"
    );
}

#[tokio::test]
async fn a_commit_that_no_branch_reaches_is_fetched_by_its_sha() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let server = bench.serve();
    let lost = origin.commit(&[("a.yaml", "lost")]);
    origin.git(&["checkout", "-q", "--orphan", "other"]);
    origin.commit(&[("a.yaml", "kept")]);
    origin.git(&["push", "-q", "-f", "origin", "other:main"]);
    for url in [origin.file_url(), format!("{}/app.git", server.url)] {
        assert_eq!(bench.read(&url, &lost, "a.yaml").await.unwrap(), "lost");
        let unknown = "0123456789012345678901234567890123456789";
        let error = bench.read(&url, unknown, "a.yaml").await;
        assert_eq!(
            message(error),
            format!("{url}: revision {unknown:?} not found")
        );
    }
}

#[tokio::test]
async fn a_missing_path_and_a_path_that_is_a_file_are_named() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let sha = origin.commit(&[("deploy/a.yaml", "x")]);
    let repository = Repository::public(&origin.file_url()).unwrap();
    let commit = sha.parse().unwrap();
    let url = origin.file_url();
    for (path, expected) in [
        (
            "no/such",
            format!("{url}: path \"no/such\" not found in commit {sha}"),
        ),
        (
            "deploy/a.yaml",
            format!("{url}: path \"deploy/a.yaml\" is a file, not a directory in commit {sha}"),
        ),
        (
            "../x",
            format!("{url}: path \"../x\" leaves the repository in commit {sha}"),
        ),
        (
            "/deploy",
            format!("{url}: path \"/deploy\" leaves the repository in commit {sha}"),
        ),
    ] {
        assert_eq!(
            bench
                .mirrors
                .tree(&repository, &commit, path)
                .await
                .unwrap_err()
                .to_string(),
            expected
        );
    }
    for path in ["deploy", "./deploy/", "deploy/../deploy"] {
        assert_eq!(
            bench
                .mirrors
                .tree(&repository, &commit, path)
                .await
                .unwrap()
                .path(),
            "deploy"
        );
    }
}

#[tokio::test]
async fn an_empty_repository_has_no_head() {
    let bench = Bench::new();
    let url = bench.origin("empty").file_url();
    assert_eq!(
        message(bench.latest(&url, "").await),
        format!("{url}: revision \"HEAD\" not found")
    );
}

#[tokio::test]
async fn a_repository_with_other_object_names_is_refused_by_name() {
    let bench = Bench::new();
    let bare = bench.root.join("sha256.git");
    let made = std::process::Command::new("git")
        .args(["init", "-q", "--bare", "--object-format=sha256"])
        .arg(&bare)
        .status();
    assert!(made.unwrap().success());
    let url = format!("{}/sha256.git", bench.serve().url);
    let expected = format!("{url}: not supported yet: repositories with SHA-256 object names");
    assert_eq!(message(bench.latest(&url, "").await), expected);
}

#[tokio::test]
async fn a_server_without_protocol_version_2_will_do_for_branches() {
    let bench = Bench::new();
    std::fs::create_dir(bench.root.join("old")).unwrap();
    let origin = bench.origin("old/app");
    let url = format!("{}/old/app.git", bench.serve().url);
    for round in ["one", "two", "three"] {
        origin.commit(&[("a.yaml", round)]);
        assert_eq!(bench.read(&url, "main", "a.yaml").await.unwrap(), round);
    }
}

#[tokio::test]
async fn file_repositories_need_the_flag() {
    let bench = Bench::with(MirrorOptions::default());
    let url = bench.origin("app").file_url();
    assert_eq!(
        message(bench.latest(&url, "").await),
        format!("{url}: file repositories are not allowed")
    );
}

#[tokio::test]
async fn a_private_repository_opens_with_the_password_of_its_secret_and_says_no_more_than_that() {
    let bench = Bench::new();
    std::fs::create_dir(bench.root.join("private")).unwrap();
    let origin = bench.origin("private/app");
    origin.commit(&[("a.yaml", "secret content")]);
    let server = bench.serve();
    let url = format!("{}/private/app.git", server.url);

    assert_eq!(
        message(bench.latest(&url, "").await),
        format!("{url}: authentication required")
    );
    let wrong = bench
        .mirrors
        .resolve(&credentials(&url, "hunter2"), "main", Freshness::Latest)
        .await;
    let text = wrong.unwrap_err().to_string();
    assert_eq!(
        text,
        format!(
            "{url}: authentication failed with the credentials of Secret signet/config-repository"
        )
    );

    let right = credentials(&url, "testbed");
    let commit = bench
        .mirrors
        .resolve(&right, "main", Freshness::Latest)
        .await
        .unwrap();
    assert_eq!(
        bench.read_commit(&right, &commit, "a.yaml").await.unwrap(),
        "secret content"
    );
    let stranger = bench
        .mirrors
        .tree(&Repository::public(&url).unwrap(), &commit, "")
        .await;
    assert_eq!(
        stranger.unwrap_err().to_string(),
        format!("{url}: authentication required")
    );
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let other = bench.serve();
    let server = GitServer::start(bench.root.clone(), other.url.clone());
    let url = format!("{}/moved/app.git", server.url);
    let redirected = bench
        .mirrors
        .resolve(&credentials(&url, "testbed"), "main", Freshness::Latest)
        .await;
    assert_eq!(
        redirected.unwrap_err().to_string(),
        format!("{url}: the server redirects to another URL")
    );
    assert!(other.log().is_empty());
    assert_eq!(bench.read(&url, "main", "a.yaml").await.unwrap(), "x");
    assert_eq!(other.requests("+auth"), 0);
}

#[tokio::test]
async fn what_a_server_does_wrong_is_named_and_its_words_are_not_repeated() {
    let bench = Bench::with(MirrorOptions {
        timeout: Duration::from_secs(1),
        ..MirrorOptions::default()
    });
    std::fs::create_dir(bench.root.join("half")).unwrap();
    bench.origin("half/a").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    for (path, problem) in [
        ("/none.git", "repository not found"),
        ("/status/403/a.git", "access denied"),
        ("/status/503/a.git", "unreachable: HTTP status 503"),
        ("/status/429/a.git", "unreachable: HTTP status 429"),
        ("/status/418/a.git", "not a Git server: HTTP status 418"),
        (
            "/page/a.git",
            "not a Git server: it does not speak Git's smart protocol",
        ),
        ("/half/a.git", "authentication required"),
        ("/hang/a.git", "no answer within 1 s"),
        ("/drip/a.git", "no answer within 1 s"),
    ] {
        let url = format!("{}{path}", server.url);
        assert_eq!(
            message(bench.latest(&url, "main").await),
            format!("{url}: {problem}")
        );
    }
    let refused = "http://127.0.0.1:1/a.git";
    let text = message(bench.latest(refused, "main").await);
    assert!(
        text.starts_with("http://127.0.0.1:1/a.git: unreachable: ") && text.contains("refused"),
        "{text}"
    );
}

/// Which certificates are trusted is fixed at the first connection of a process, so this one needs a process of its own.
const TRUSTING: &str = "SIGNET_TEST_TRUSTING";

#[tokio::test]
async fn over_https_only_a_trusted_certificate_will_do() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let (server, certificate) = GitServer::start_tls(bench.root.clone());
    let url = format!("{}/app.git", server.url);
    let refused = message(bench.latest(&url, "main").await);
    assert!(
        refused.starts_with(&format!(
            "{url}: unreachable: TLS: invalid peer certificate: "
        )),
        "{refused}"
    );

    let file = bench.root.join("trusted.pem");
    std::fs::write(&file, certificate).unwrap();
    let trusting = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "in_a_process_that_trusts_the_certificate",
        ])
        .env("SSL_CERT_FILE", &file)
        .env(TRUSTING, &url)
        .output()
        .unwrap();
    assert!(
        trusting.status.success(),
        "{}",
        String::from_utf8_lossy(&trusting.stdout)
    );
    assert!(server.requests("POST /app.git/git-upload-pack") > 1);
}

#[tokio::test]
#[ignore = "over_https_only_a_trusted_certificate_will_do runs it"]
async fn in_a_process_that_trusts_the_certificate() {
    let url = std::env::var(TRUSTING).unwrap();
    let content = Bench::new().read(&url, "main", "a.yaml").await;
    assert_eq!(content.unwrap(), "x");
}

#[tokio::test]
async fn a_hundred_applications_share_one_listing_and_one_fetch() {
    let bench = Bench::new();
    let sha = bench.origin("app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let repository = Repository::public(&format!("{}/app.git", server.url)).unwrap();
    let callers = (0..100).map(|_| {
        let (mirrors, repository) = (Arc::clone(&bench.mirrors), repository.clone());
        tokio::spawn(async move {
            let commit = mirrors
                .resolve(&repository, "main", Freshness::Cached)
                .await
                .unwrap();
            mirrors
                .tree(&repository, &commit, "")
                .await
                .unwrap()
                .commit()
                .to_string()
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(caller.await.unwrap(), sha);
    }
    // One for the listing, and one for the fetch.
    assert_eq!(
        server.requests("GET /app.git/info/refs"),
        2,
        "{:?}",
        server.log()
    );
}

#[tokio::test]
async fn callers_who_want_the_latest_at_once_share_listings() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let repository = Repository::public(&format!("{}/app.git", server.url)).unwrap();
    let callers = (0..100).map(|_| {
        let (mirrors, repository) = (Arc::clone(&bench.mirrors), repository.clone());
        tokio::spawn(async move {
            mirrors
                .resolve(&repository, "main", Freshness::Latest)
                .await
                .unwrap()
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap();
    }
    let listings = server.requests("GET /app.git/info/refs");
    assert!(
        listings <= 2,
        "who asked while the first listing ran needs a newer one, and shares it: {listings}"
    );
}

#[tokio::test]
async fn polling_tells_which_repository_moved() {
    let options = MirrorOptions {
        allow_file: true,
        poll_interval: Duration::from_millis(50),
        poll_jitter: Duration::from_millis(10),
        ..MirrorOptions::default()
    };
    let bench = Bench::with(options);
    let (still, moving) = (bench.origin("still"), bench.origin("moving"));
    let mut changed = bench.mirrors.changed();
    for origin in [&still, &moving] {
        origin.commit(&[("a.yaml", "one")]);
        bench.latest(&origin.file_url(), "main").await.unwrap();
    }
    let second = moving.commit(&[("a.yaml", "two")]);
    let polled = Arc::clone(&bench.mirrors);
    let polling = tokio::spawn(async move { controller::git::poll(&polled).await });
    assert_eq!(
        changed.recv().await.unwrap().url.as_str(),
        moving.file_url()
    );
    let repository = Repository::public(&moving.file_url()).unwrap();
    let cached = bench
        .mirrors
        .resolve(&repository, "main", Freshness::Cached)
        .await
        .unwrap();
    assert_eq!(cached.to_string(), second);
    polling.abort();
}

#[tokio::test]
async fn what_is_due_now_is_listed_at_once_though_nothing_is_polled() {
    let bench = Bench::with(MirrorOptions {
        poll_interval: Duration::ZERO,
        ..MirrorOptions::default()
    });
    let (told, quiet) = (bench.origin("told"), bench.origin("quiet"));
    let server = bench.serve();
    let url = |name: &str| format!("{}/{name}.git", server.url);
    for (name, origin) in [("told", &told), ("quiet", &quiet)] {
        origin.commit(&[("a.yaml", "one")]);
        bench.latest(&url(name), "main").await.unwrap();
    }
    let mut changed = bench.mirrors.changed();
    let polled = Arc::clone(&bench.mirrors);
    let polling = tokio::spawn(async move { controller::git::poll(&polled).await });
    for origin in [&told, &quiet] {
        origin.commit(&[("a.yaml", "two")]);
    }
    let due = || {
        let due = bench.mirrors.due_now(|known| known.as_str() == url("told"));
        due.into_iter()
            .map(|known| known.to_string())
            .collect::<Vec<_>>()
    };
    for _ in 0..100 {
        assert_eq!(due(), [url("told")]);
    }
    assert_eq!(changed.recv().await.unwrap().url.as_str(), url("told"));
    assert!(server.requests("GET /told.git/info/refs") <= 1 + 2);
    assert_eq!(server.requests("GET /quiet.git/info/refs"), 1);
    polling.abort();
}

#[tokio::test]
async fn a_new_password_is_told_and_used() {
    let bench = Bench::new();
    std::fs::create_dir(bench.root.join("private")).unwrap();
    let sha = bench.origin("private/app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let url = format!("{}/private/app.git", server.url);
    let with = |password: &str| {
        let values = [
            ("url", url.as_str()),
            ("username", "signet"),
            ("password", password),
        ];
        let data =
            values.map(|(key, value)| (key.to_owned(), ByteString(value.as_bytes().to_vec())));
        let mut secret = Secret {
            data: Some(data.into()),
            ..Secret::default()
        };
        secret.metadata.name = Some("r".to_owned());
        secret.metadata.namespace = Some("signet".to_owned());
        let label = (
            "argocd.argoproj.io/secret-type".to_owned(),
            "repository".to_owned(),
        );
        secret.metadata.labels = Some(BTreeMap::from([label]));
        vec![RepositorySecret::decode(&secret).unwrap()]
    };
    bench.mirrors.set_secrets(&with("wrong"));
    let repository = bench.mirrors.repository(&url, "default").await.unwrap();
    assert!(
        bench
            .mirrors
            .resolve(&repository, "main", Freshness::Cached)
            .await
            .is_err()
    );
    let mut changed = bench.mirrors.changed();
    bench.mirrors.set_secrets(&with("testbed"));
    assert_eq!(changed.recv().await.unwrap().url.as_str(), url);
    let repository = bench.mirrors.repository(&url, "default").await.unwrap();
    let commit = bench
        .mirrors
        .resolve(&repository, "main", Freshness::Cached)
        .await
        .unwrap();
    assert_eq!(commit.to_string(), sha);
}

#[test]
fn credentials_are_in_no_debug_text() {
    let repository = credentials("https://git.example/a", "hunter2");
    assert!(!format!("{repository:?}").contains("hunter2"));
    let _: Option<Credentials> = repository.credentials;
}
