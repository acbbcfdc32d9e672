//! What revisions mean, and that the commits they mean are read, whatever became of branches.

use controller::git::{CommitId, MirrorOptions};

use crate::bench::{Bench, message, open};

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
            bench.latest(&open(&url), revision).await.unwrap(),
            first,
            "{revision}"
        );
    }
    assert_eq!(
        bench.latest(&open(&url), "feature/x").await.unwrap(),
        second
    );
    assert_eq!(
        bench.read(&open(&url), "v1", "a.yaml").await.unwrap(),
        "one"
    );
    assert_eq!(
        bench
            .read(&open(&url), "feature/x", "a.yaml")
            .await
            .unwrap(),
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
        assert_eq!(
            bench.read(&open(&url), "main", "a.yaml").await.unwrap(),
            round
        );
    }
    assert_eq!(server.requests("+auth"), 0);
}

#[tokio::test]
async fn more_commits_than_one_store_holds_are_read_all() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let url = origin.file_url();
    let first = origin.commit(&[("a.yaml", "first")]);
    assert_eq!(
        bench.read(&open(&url), "main", "a.yaml").await.unwrap(),
        "first"
    );
    for round in 0..40 {
        origin.commit(&[("a.yaml", &round.to_string())]);
        assert_eq!(
            bench.read(&open(&url), "main", "a.yaml").await.unwrap(),
            round.to_string()
        );
    }
    assert_eq!(
        bench.read(&open(&url), &first, "a.yaml").await.unwrap(),
        "first"
    );
}

#[tokio::test]
async fn a_forced_push_a_deleted_branch_and_a_rewritten_tag_heal_by_themselves() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let url = origin.file_url();
    origin.commit(&[("a.yaml", "one")]);
    origin.git(&["tag", "v1"]);
    origin.git(&["push", "-q", "origin", "v1"]);
    assert_eq!(
        bench.read(&open(&url), "main", "a.yaml").await.unwrap(),
        "one"
    );

    origin.git(&["checkout", "-q", "--orphan", "other"]);
    origin.commit(&[("a.yaml", "rewritten")]);
    origin.git(&["push", "-q", "-f", "origin", "other:main"]);
    assert_eq!(
        bench.read(&open(&url), "main", "a.yaml").await.unwrap(),
        "rewritten"
    );
    // The server forgets what the mirror still has, and must not stumble over it.
    let bare = origin.bare.to_str().unwrap();
    origin.git(&["-C", bare, "tag", "-d", "v1"]);
    origin.git(&["-C", bare, "gc", "-q", "--prune=now"]);
    origin.commit(&[("a.yaml", "after the server's spring cleaning")]);
    origin.git(&["push", "-q", "-f", "origin", "other:main"]);
    let cleaned = bench.read(&open(&url), "main", "a.yaml").await.unwrap();
    assert_eq!(cleaned, "after the server's spring cleaning");

    origin.commit(&[("a.yaml", "rewritten")]);
    origin.git(&["tag", "-f", "v1"]);
    origin.git(&["push", "-q", "-f", "origin", "v1"]);
    assert_eq!(
        bench.read(&open(&url), "v1", "a.yaml").await.unwrap(),
        "rewritten"
    );

    origin.git(&["push", "-q", "origin", "--delete", "other"]);
    assert_eq!(
        message(bench.latest(&open(&url), "other").await),
        format!("{url}: revision \"other\" not found")
    );
    origin.git(&["push", "-q", "origin", "other:other"]);
    assert_eq!(
        bench.read(&open(&url), "other", "a.yaml").await.unwrap(),
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
    let over_http = format!("{}/app.git", server.url);
    for url in [&origin.file_url(), &over_http] {
        assert_eq!(
            bench.read(&open(url), &lost, "a.yaml").await.unwrap(),
            "lost"
        );
    }
    // Over a pipe git may be gone before it heard all that was asked: then what it said is lost.
    let unknown = "0123456789012345678901234567890123456789";
    let error = bench.read(&open(&over_http), unknown, "a.yaml").await;
    assert_eq!(
        message(error),
        format!("{over_http}: revision {unknown:?} not found")
    );
}

#[tokio::test]
async fn a_missing_path_and_a_path_that_is_a_file_are_named() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let sha = origin.commit(&[("deploy/a.yaml", "x")]);
    let repository = open(&origin.file_url());
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
        message(bench.latest(&open(&url), "").await),
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
    assert_eq!(message(bench.latest(&open(&url), "").await), expected);
}

#[tokio::test]
async fn a_server_without_protocol_version_2_will_do_for_branches() {
    let bench = Bench::new();
    let origin = bench.origin("old/app");
    let url = format!("{}/old/app.git", bench.serve().url);
    for round in ["one", "two", "three"] {
        origin.commit(&[("a.yaml", round)]);
        assert_eq!(
            bench.read(&open(&url), "main", "a.yaml").await.unwrap(),
            round
        );
    }
}

#[tokio::test]
async fn file_repositories_need_the_flag() {
    let bench = Bench::with(MirrorOptions::default());
    let url = bench.origin("app").file_url();
    assert_eq!(
        message(bench.latest(&open(&url), "").await),
        format!("{url}: file repositories are not allowed")
    );
}

#[tokio::test]
async fn a_range_of_versions_follows_the_tags() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let url = origin.file_url();
    let tagged = |tag: &str| {
        let sha = origin.commit(&[("a.yaml", tag)]);
        origin.git(&["tag", "-a", "-m", "release", tag]);
        origin.git(&["push", "-q", "origin", tag]);
        sha
    };
    tagged("v1.0.0");
    let first = tagged("1.1.0");
    assert_eq!(bench.latest(&open(&url), "1.*").await, Ok(first));
    let second = tagged("v1.10.0");
    tagged("v2.0.0-rc.1");
    assert_eq!(bench.latest(&open(&url), "^1").await, Ok(second));
    assert_eq!(
        message(bench.latest(&open(&url), ">=2").await),
        format!("{url}: no tag is a version within \">=2\"")
    );
}

#[tokio::test]
async fn an_annotated_tag_carries_the_signature_where_the_revision_names_it() {
    let bench = Bench::new();
    let origin = bench.origin("config");
    let commit: CommitId = origin.commit(&[("a", "1")]).parse().unwrap();
    origin.git(&["tag", "light"]);
    origin.git(&["tag", "-a", "-m", "release", "v1"]);
    origin.git(&["tag", "-a", "-m", "tag of a tag", "v2", "v1"]);
    origin.git(&["push", "-q", "origin", "--tags"]);
    let repository = open(&origin.file_url());
    let payload = async |revision: &str| {
        let object = bench
            .mirrors
            .signed_object(
                &repository,
                &[commit.to_string().as_str().into(), revision.into()],
                commit,
            )
            .await
            .unwrap();
        let signed = bench.mirrors.signed(&repository, object).await.unwrap();
        signed.map(|signed| String::from_utf8(signed.payload).unwrap())
    };
    for revision in ["main", "HEAD", "light", &commit.to_string()] {
        let payload = payload(revision).await.unwrap();
        assert!(payload.starts_with("tree "), "{revision}: {payload}");
    }
    for revision in ["v1", "refs/tags/v1", "tags/v1", "1.*"] {
        let payload = payload(revision).await.unwrap();
        assert!(
            payload.starts_with(&format!("object {commit}\ntype commit\ntag v1\n")),
            "{revision}: {payload}"
        );
    }
    assert_eq!(
        payload("v2").await,
        Err("the tag does not lead to the commit")
    );
}
