//! Histories that real git and gpg made, under `mode: strict`: which commits have to be signed, what is fetched to find out, and
//! what is said of one that is not. What single signatures are worth is the business of `tests/signatures.rs`.

use std::{cell::Cell, fs, path::PathBuf, sync::Arc};

use controller::{
    access::{Judged, Project, SignatureDemand},
    git::{GitError, MirrorOptions, Repository, signature::Trust},
};
use serde_json::json;

use crate::{
    bench::{Bench, known, message, open, reached, secret},
    openpgp::OpenPgp,
    repository::Origin,
    sshd::Sshd,
};
use controller::repositories::Known;

const SEAL: &str = "Argocd-gpg-seal: reviewed";

/// A repository, the key that its project lists, and one that it does not.
struct History {
    bench: Bench,
    origin: Origin,
    listed: OpenPgp,
    foreign: OpenPgp,
    demand: SignatureDemand,
    judged: Judged,
    signed: Cell<u32>,
}

impl History {
    fn new() -> Self {
        let bench = Bench::new();
        let origin = bench.origin("app");
        for setting in ["allowFilter", "allowReachableSHA1InWant"] {
            serve_with(
                &origin,
                &["--add", &format!("uploadpack.{setting}"), "true"],
            );
        }
        let (listed, foreign) = (OpenPgp::create(), OpenPgp::create());
        let keys = [&listed, &foreign].map(|key| (key.id.clone(), key.public()));
        let trust = Arc::new(Trust::read(&keys.into(), ""));
        Self {
            bench,
            origin,
            demand: demand(&listed),
            judged: Judged::new(trust),
            listed,
            foreign,
            signed: Cell::new(0),
        }
    }

    /// A commit with this message, signed with this key, on what is checked out.
    fn commit(&self, key: Option<&OpenPgp>, message: &str) -> String {
        self.signing(key, &["commit", "--allow-empty", "-m", message])
    }

    fn signed(&self) -> String {
        // Two of one second, on one commit, must not be the same.
        self.signed.set(self.signed.get() + 1);
        let message = format!("signed {}", self.signed.get());
        self.commit(Some(&self.listed), &message)
    }

    /// A signed merge of a branch into what is checked out.
    fn merge(&self, branch: &str) -> String {
        let key = Some(&self.listed);
        self.signing(key, &["merge", "--no-ff", "-m", "merge", branch])
    }

    /// What a command leaves checked out, which it signs with this key.
    fn signing(&self, key: Option<&OpenPgp>, command: &[&str]) -> String {
        let mut command = command.to_vec();
        if let Some(key) = key {
            self.origin.git(&["config", "gpg.program", &key.program()]);
            self.origin.git(&["config", "user.signingKey", &key.id]);
            command.insert(1, "-S");
        }
        self.origin.git(&command);
        self.origin.git(&["push", "-q", "-f", "origin", "HEAD"]);
        self.origin.git(&["rev-parse", "HEAD"])
    }

    fn on(&self, branch: &str, from: &str) {
        self.origin.git(&["checkout", "-q", "-b", branch, from]);
    }

    async fn check(&self, commit: &str) -> Result<(), String> {
        self.check_at(&open(&self.origin.file_url()), commit).await
    }

    async fn check_at(&self, repository: &Repository, commit: &str) -> Result<(), String> {
        let ancestors = self
            .bench
            .mirrors
            .ancestors(repository, commit.parse().unwrap());
        let ancestors = ancestors.await.map_err(|error| error.to_string())?;
        let checked = self.demand.check_history(&ancestors, &self.judged, 0);
        let until = checked.unwrap().map_err(|error| error.to_string())?;
        assert_eq!(until, None, "no key expires");
        Ok(())
    }

    fn expected(&self) -> String {
        format!("expected a signature by OpenPGP key {}", self.listed.id)
    }

    /// How many objects came with each fetch of history, the smallest number first.
    fn fetched(&self) -> Vec<u32> {
        let below = |folder: PathBuf| {
            fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path())
        };
        let histories = below(self.bench.mirrors.directory().to_owned());
        let histories =
            histories.filter(|folder| folder.display().to_string().contains("/history-"));
        let packs = histories.flat_map(|folder| below(folder.join("objects/pack")));
        let packs = packs.filter(|file| file.extension().is_some_and(|ending| ending == "pack"));
        let count = |pack| {
            u32::from_be_bytes(
                fs::read::<PathBuf>(pack).unwrap()[8..12]
                    .try_into()
                    .unwrap(),
            )
        };
        let mut counts: Vec<_> = packs.map(count).collect();
        counts.sort_unstable();
        counts
    }
}

/// What a project demands that lists this key.
fn demand(key: &OpenPgp) -> SignatureDemand {
    let policy = json!({"repos": [{"url": "*"}], "gpg": {"mode": "strict", "keys": [key.id]}});
    let integrity = json!({"git": {"policies": [policy]}});
    let project = json!({"metadata": {"name": "shop"}, "spec": {"sourceIntegrity": integrity}});
    let project = Project::new(&serde_json::from_value(project).unwrap()).unwrap();
    let demand = project.demanded_signature("https://git.example/shop");
    demand.unwrap().unwrap()
}

/// Changes the settings of the repository that is served.
fn serve_with(origin: &Origin, change: &[&str]) {
    let config = origin.bare.join("config").display().to_string();
    origin.git(&[&["config", "--file", &config], change].concat());
}

#[tokio::test]
async fn a_history_in_which_all_is_signed_counts_and_only_new_commits_are_fetched_for_the_next() {
    let history = History::new();
    fs::write(history.origin.work.join("large"), "x".repeat(10_000)).unwrap();
    history.origin.git(&["add", "large"]);
    let first = history.signed();
    history.on("side", &first);
    history.signed();
    history.origin.git(&["checkout", "-q", "main"]);
    let merged = {
        history.signed();
        history.merge("side")
    };
    assert_eq!(history.check(&merged).await, Ok(()));
    // Four commits, and none of their trees and files.
    assert_eq!(history.fetched(), [4]);
    let next = history.signed();
    assert_eq!(history.check(&next).await, Ok(()));
    assert_eq!(history.fetched(), [1, 4]);
    assert_eq!(history.check(&merged).await, Ok(()));
    assert_eq!(history.fetched(), [1, 4]);
}

#[tokio::test]
async fn a_commit_is_judged_once() {
    let history = History::new();
    let first = history.signed();
    assert_eq!(history.check(&first).await, Ok(()));
    // Who would refuse it is not asked.
    let other = demand(&history.foreign);
    let repository = open(&history.origin.file_url());
    let check = async |judged: &Judged, commit: &str| {
        let ancestors = history
            .bench
            .mirrors
            .ancestors(&repository, commit.parse().unwrap());
        let ancestors = ancestors.await.unwrap();
        other.check_history(&ancestors, judged, 0).unwrap()
    };
    assert_eq!(check(&history.judged, &first).await, Ok(None));
    let anew = Judged::new(Arc::clone(history.judged.trust()));
    assert!(check(&anew, &first).await.is_err());
    let second = history.signed();
    let refused = check(&history.judged, &second).await.unwrap_err();
    assert!(!refused.to_string().contains(&first), "{refused}");
}

#[tokio::test]
async fn a_commit_that_is_not_signed_is_found_behind_the_second_parent_of_a_merge() {
    let history = History::new();
    let first = history.signed();
    history.on("side", &first);
    let unsigned = history.commit(None, "unsigned");
    let foreign = history.commit(Some(&history.foreign), "foreign");
    history.signed();
    history.origin.git(&["checkout", "-q", "main"]);
    let before = history.signed();
    let merged = history.merge("side");
    let after = history.signed();
    assert_eq!(history.check(&before).await, Ok(()));
    let expected = history.expected();
    let key = &history.foreign.id;
    assert_eq!(
        history.check(&after).await,
        Err(format!(
            "commit {foreign} is signed by OpenPGP key {key}, which project shop does not list; commit {after} builds on it, \
             and on 1 more that are not signed as demanded"
        ))
    );
    assert!(history.check(&merged).await.unwrap_err().contains(&foreign));
    assert_eq!(
        history.check(&unsigned).await,
        Err(format!("commit {unsigned} is not signed, {expected}"))
    );
}

#[tokio::test]
async fn a_seal_ends_the_history_where_a_listed_key_signed_it_and_nowhere_else() {
    let history = History::new();
    let unsigned = history.commit(None, "unsigned");
    let message = format!("seal\n\n{SEAL}\n");
    let not_signed = history.commit(None, &message);
    let after = history.signed();
    assert!(
        history
            .check(&after)
            .await
            .unwrap_err()
            .contains(&not_signed)
    );
    let foreign = history.commit(Some(&history.foreign), &message);
    let after = history.signed();
    let problem = history.check(&after).await.unwrap_err();
    assert!(
        problem.starts_with(&format!("commit {foreign} is signed by")),
        "{problem}"
    );
    assert!(
        problem.ends_with("and on 2 more that are not signed as demanded"),
        "{problem}"
    );

    let seal = history.commit(Some(&history.listed), &message);
    assert_eq!(history.check(&seal).await, Ok(()));
    let after = history.signed();
    assert_eq!(history.check(&after).await, Ok(()));

    // A line that left the history before the seal leads past it.
    history.on("early", &unsigned);
    history.signed();
    history.origin.git(&["checkout", "-q", "main"]);
    let merged = history.merge("early");
    let problem = history.check(&merged).await.unwrap_err();
    assert!(
        problem.starts_with(&format!("commit {unsigned} is not signed")),
        "{problem}"
    );
    history.commit(Some(&history.listed), &message);
    let after = history.signed();
    assert_eq!(history.check(&after).await, Ok(()));
}

#[tokio::test]
async fn a_history_comes_over_http_and_ssh_and_from_old_servers_too() {
    let history = History::new();
    let first = history.signed();
    let second = history.signed();
    let server = history.bench.serve();
    let sshd = Sshd::start();
    let url = sshd.url(&history.origin.bare);
    let key = sshd.key(&["-t", "ed25519"]);
    let by_ssh = Known {
        host_keys: sshd.host_key().as_str().into(),
        ..known(secret(&url, &[("sshPrivateKey", &key)]))
    };
    fs::create_dir(history.bench.root.join("old")).unwrap();
    let link = history.bench.root.join("old/app.git");
    std::os::unix::fs::symlink(&history.origin.bare, link).unwrap();
    for repository in [
        open(&server.url_of("app")),
        open(&server.url_of("old/app")),
        reached(&by_ssh, &url).unwrap(),
    ] {
        for commit in [&first, &second] {
            let checked = history.check_at(&repository, commit).await;
            assert_eq!(checked, Ok(()), "{}", repository.url);
        }
    }
    assert_eq!(history.fetched(), [1; 6]);
}

#[tokio::test]
async fn a_server_that_sends_files_with_all_commits_is_named_with_the_remedy() {
    let history = History::new();
    serve_with(&history.origin, &["--unset", "uploadpack.allowFilter"]);
    let commit = history.signed();
    let url = history.origin.file_url();
    let repository = open(&url);
    let commit = commit.parse().unwrap();
    let ancestors = history.bench.mirrors.ancestors(&repository, commit);
    let error = ancestors.await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{url}: the server gives no commits without their files, which mode strict of sourceIntegrity asks for"
        )
    );
    assert!(error.hint().unwrap().contains("uploadpack.allowFilter"));
    assert_eq!(history.fetched(), [0_u32; 0]);
}

#[tokio::test]
async fn a_history_that_is_cut_off_at_the_server_is_no_history() {
    let history = History::new();
    history.signed();
    let commit = history.signed();
    let cut = history.bench.root.join("cut.git");
    let (from, to) = (history.origin.file_url(), cut.display().to_string());
    history
        .origin
        .git(&["clone", "-q", "--bare", "--depth=1", &from, &to]);
    let config = cut.join("config").display().to_string();
    history.origin.git(&[
        "config",
        "--file",
        &config,
        "uploadpack.allowFilter",
        "true",
    ]);
    let url = format!("file://{to}");
    assert_eq!(
        history.check_at(&open(&url), &commit).await,
        Err(format!(
            "{url}: not supported yet: a history that ends at the server before its beginning"
        ))
    );
}

#[tokio::test]
async fn a_history_needs_a_repository_that_may_be_read() {
    let bench = Bench::with(MirrorOptions::default());
    let repository = open("file:///srv/app.git");
    let commit = "0123456789012345678901234567890123456789".parse().unwrap();
    let refused: Result<_, GitError> = bench.mirrors.ancestors(&repository, commit).await;
    assert_eq!(
        message(refused),
        "file:///srv/app.git: file repositories are not allowed"
    );
}
