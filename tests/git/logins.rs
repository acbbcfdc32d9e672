//! Logins over HTTP: who gets in, what a login is sent to, and what a new one changes.

use controller::git::Freshness;

use crate::{bench::{Bench, known, message, open, secret, with_password}, server::GitServer};

#[tokio::test]
async fn a_private_repository_opens_with_the_password_of_its_secret_and_says_no_more_than_that() {
    let bench = Bench::new();
    let origin = bench.origin("private/app");
    origin.commit(&[("a.yaml", "secret content")]);
    let server = bench.serve();
    let url = format!("{}/private/app.git", server.url);

    assert_eq!(
        message(bench.latest(&open(&url), "").await),
        format!("{url}: authentication required")
    );
    let wrong = bench
        .mirrors
        .resolve(&with_password(&url, "hunter2"), "main", Freshness::Latest)
        .await;
    let text = wrong.unwrap_err().to_string();
    assert_eq!(
        text,
        format!(
            "{url}: authentication failed with the credentials of Secret signet/config-repository"
        )
    );

    let right = with_password(&url, "testbed");
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
        .tree(&open(&url), &commit, "")
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
        .resolve(&with_password(&url, "testbed"), "main", Freshness::Latest)
        .await;
    assert_eq!(
        redirected.unwrap_err().to_string(),
        format!("{url}: the server redirects to another URL")
    );
    assert!(other.log().is_empty());
    assert_eq!(bench.read(&open(&url), "main", "a.yaml").await.unwrap(), "x");
    assert_eq!(other.requests("+auth"), 0);
}

#[tokio::test]
async fn a_new_password_is_told_and_used() {
    let bench = Bench::new();
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
