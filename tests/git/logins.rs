//! Logins over HTTP: who gets in, what a login is sent to, and what a new one changes.

use controller::{
    git::{Freshness, GitError},
    repositories::Known,
};

use crate::{
    bench::{Bench, known, labelled, message, open, secret, with_password, with_secret},
    server::GitServer,
};

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
    let stranger = bench.mirrors.tree(&open(&url), &commit, "").await;
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
    let here = format!("{}/renamed/app.git", server.url);
    assert_eq!(
        message(bench.latest(&with_password(&here, "testbed"), "main").await),
        format!("{here}: the server redirects to another URL")
    );
}

#[tokio::test]
async fn a_new_password_is_told_and_used() {
    let bench = Bench::new();
    let sha = bench.origin("private/app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let url = server.url_of("private/app");
    let with = |password: &str| {
        known(secret(
            &url,
            &[("username", "signet"), ("password", password)],
        ))
    };
    let resolved = async || {
        let repository = bench.mirrors.repository(&url, "default").await?;
        let commit = bench
            .mirrors
            .resolve(&repository, "main", Freshness::Cached)
            .await?;
        Ok::<_, GitError>(commit.to_string())
    };
    bench.mirrors.learn(with("wrong"));
    assert!(resolved().await.is_err());
    let mut changed = bench.mirrors.changed();
    bench.mirrors.learn(with("testbed"));
    assert_eq!(changed.recv().await.unwrap().url.as_str(), url);
    assert_eq!(resolved().await, Ok(sha));
    bench.mirrors.learn(Known::default());
    assert!(changed.recv().await.is_ok());
    assert!(resolved().await.is_err());
}

#[tokio::test]
async fn a_template_opens_what_is_below_it_and_its_change_is_told_of_all_that() {
    let bench = Bench::new();
    let sha = bench.origin("private/app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let (url, above) = (
        server.url_of("private/app"),
        format!("{}/private", server.url),
    );
    let mut changed = bench.mirrors.changed();
    let values = [("username", "signet"), ("password", "testbed")];
    bench
        .mirrors
        .learn(known(labelled("repo-creds", &above, &values)));
    assert!(changed.recv().await.unwrap().concerns(&open(&url).url));
    let repository = bench.mirrors.repository(&url, "default").await.unwrap();
    assert_eq!(bench.latest(&repository, "main").await, Ok(sha));
}

#[tokio::test]
async fn a_bearer_token_goes_with_each_request() {
    let bench = Bench::new();
    bench.origin("bearer/app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let url = server.url_of("bearer/app");
    let right = with_secret(&url, &[("bearerToken", "testbed\n")]);
    assert_eq!(bench.read(&right, "main", "a.yaml").await.unwrap(), "x");
    let wrong = with_secret(&url, &[("bearerToken", "hunter2")]);
    assert_eq!(
        message(bench.latest(&wrong, "main").await),
        format!(
            "{url}: authentication failed with the credentials of Secret signet/config-repository"
        )
    );
}
