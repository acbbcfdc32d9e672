//! Git over ssh from the real `sshd`: with keys of each kind, from nobody but the server that is known.

use std::{path::Path, process::Command, time::Duration};

use controller::{
    git::{GitError, MirrorOptions, Repository},
    repositories::Known,
};

use crate::{
    bench::{Bench, known, message, reached, secret},
    sshd::Sshd,
};

/// The repository at `url`, with the key and what is known of hosts.
fn repository(url: &str, key: &str, host_keys: &str) -> Repository {
    with(url, &[("sshPrivateKey", key)], host_keys).unwrap()
}

fn with(url: &str, values: &[(&str, &str)], host_keys: &str) -> Result<Repository, GitError> {
    let known = Known {
        host_keys: host_keys.into(),
        ..known(secret(url, values))
    };
    reached(&known, url)
}

/// All files below `folder` that hold a part of a private key, and are not where `ssh-keygen` put it.
fn holds_private_key(folder: &Path) -> bool {
    let found = Command::new("grep")
        .args(["-rlE", "PRIVATE KEY", "--devices=skip"])
        .arg(folder)
        .output();
    !found.unwrap().stdout.is_empty()
}

#[tokio::test]
async fn keys_of_each_kind_open_a_repository() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    origin.commit(&[("a.yaml", "one")]);
    let sshd = Sshd::start();
    let url = sshd.url(&origin.bare);
    for args in [
        &["-t", "ed25519"][..],
        &["-t", "rsa", "-b", "2048"],
        &["-t", "rsa", "-b", "3072", "-m", "PEM"],
        &["-t", "ecdsa", "-b", "256"],
        &["-t", "ecdsa", "-b", "384", "-m", "PEM"],
        &["-t", "ecdsa", "-b", "521", "-m", "PKCS8"],
    ] {
        let bench = Bench::new();
        let repository = repository(&url, &sshd.key(args), &sshd.host_key());
        let read = bench.read(&repository, "main", "a.yaml").await;
        assert_eq!(read.as_deref(), Ok("one"), "{args:?} {}", sshd.log());
        assert!(!holds_private_key(bench.root.parent().unwrap()));
    }
}

#[tokio::test]
async fn new_commits_and_lost_ones_are_fetched_over_ssh_too() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    let lost = origin.commit(&[("a.yaml", "lost")]);
    let sshd = Sshd::start();
    let url = sshd.url(&origin.bare);
    let repository = repository(&url, &sshd.key(&["-t", "ed25519"]), &sshd.host_key());
    origin.git(&["checkout", "-q", "--orphan", "other"]);
    for round in ["one", "two"] {
        origin.commit(&[("a.yaml", round)]);
        origin.git(&["push", "-q", "-f", "origin", "other:main"]);
        assert_eq!(
            bench.read(&repository, "main", "a.yaml").await.unwrap(),
            round
        );
    }
    assert_eq!(
        bench.read(&repository, &lost, "a.yaml").await.unwrap(),
        "lost"
    );
}

#[tokio::test]
async fn a_server_with_an_unknown_or_another_key_is_refused() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    origin.commit(&[("a.yaml", "x")]);
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let url = sshd.url(&origin.bare);
    let key = sshd.key(&["-t", "ed25519"]);
    assert_eq!(
        message(bench.latest(&repository(&url, &key, ""), "main").await),
        format!("{url}: the host key of 127.0.0.1 is not known")
    );
    let wrong = other
        .host_key()
        .replace(&other.port.to_string(), &sshd.port.to_string());
    assert_eq!(
        message(bench.latest(&repository(&url, &key, &wrong), "main").await),
        format!("{url}: the host key of 127.0.0.1 is not the known one")
    );
    for ignoring in ["insecureIgnoreHostKey", "insecure"] {
        let values = [("sshPrivateKey", key.as_str()), (ignoring, "true")];
        let repository = with(&url, &values, &wrong).unwrap();
        assert_eq!(
            bench.read(&repository, "main", "a.yaml").await.unwrap(),
            "x"
        );
    }
}

#[tokio::test]
async fn a_key_that_the_server_does_not_know_and_a_repository_it_does_not_have_are_named() {
    let bench = Bench::new();
    let origin = bench.origin("app");
    origin.commit(&[("a.yaml", "x")]);
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let url = sshd.url(&origin.bare);
    let (key, strange) = (sshd.key(&["-t", "ed25519"]), other.key(&["-t", "ed25519"]));
    let refused = "authentication failed with the credentials of Secret signet/config-repository";
    assert_eq!(
        message(
            bench
                .latest(&repository(&url, &strange, &sshd.host_key()), "main")
                .await
        ),
        format!("{url}: {refused}")
    );
    let open = with(&url, &[], &sshd.host_key()).unwrap();
    assert_eq!(
        message(bench.latest(&open, "main").await),
        format!("{url}: authentication required")
    );
    let none = sshd.url(&origin.bare.with_file_name("none.git"));
    let absent = repository(&none, &key, &sshd.host_key());
    assert_eq!(
        message(bench.latest(&absent, "main").await),
        format!("{none}: repository not found")
    );
}

#[tokio::test]
async fn a_server_that_is_away_or_never_answers_is_named() {
    let bench = Bench::with(MirrorOptions {
        timeout: Duration::from_secs(1),
        ..MirrorOptions::default()
    });
    let key = Sshd::start().key(&["-t", "ed25519"]);
    let away = "ssh://git@127.0.0.1:1/a.git";
    assert_eq!(
        message(bench.latest(&repository(away, &key, ""), "main").await),
        format!("{away}: unreachable: connection refused")
    );
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("ssh://git@{}/a.git", silent.local_addr().unwrap());
    let error = message(bench.latest(&repository(&silent, &key, ""), "main").await);
    assert!(
        [
            " no answer within 1 s",
            " unreachable: the connection timed out"
        ]
        .iter()
        .any(|end| error.ends_with(end)),
        "{error}"
    );
}

#[tokio::test]
async fn over_ssh_too_local_addresses_are_refused_without_the_annotation() {
    let bench = Bench::new();
    for url in [
        "ssh://git@localhost/a.git",
        "git@127.0.0.1:a.git",
        "git@169.254.169.254:a.git",
    ] {
        let repository = Repository::public(url).unwrap();
        let error = message(bench.latest(&repository, "main").await);
        let host = repository.url.host();
        assert_eq!(
            error,
            format!("{url}: {host} is a loopback or link-local address")
        );
    }
}
