//! Loopback and link-local addresses are refused, by name and by number, unless the Secret's annotation allows them.

use controller::git::{GitError, Repository};

use crate::{
    bench::{Bench, message, open},
    server::GitServer,
};

#[tokio::test]
async fn without_the_annotation_no_local_address_is_connected_to() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    let port = server.url.rsplit(':').next().unwrap();
    for (host, shown) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("[::1]", "[::1]"),
        ("[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
        ("169.254.169.254", "169.254.169.254"),
        ("localhost", "localhost"),
    ] {
        let url = format!("http://{host}:{port}/app.git");
        let error = message(
            bench
                .latest(&Repository::public(&url).unwrap(), "main")
                .await,
        );
        assert_eq!(
            error,
            format!("{url}: {shown} is a loopback or link-local address")
        );
    }
    assert!(server.log().is_empty());
    let hint = bench
        .latest(&Repository::public(&server.url_of("app")).unwrap(), "main")
        .await
        .unwrap_err();
    assert!(
        hint.hint()
            .unwrap()
            .contains("signet.dev/allow-local-addresses")
    );
}

#[tokio::test]
async fn with_the_annotation_they_are_reached() {
    let bench = Bench::new();
    let sha = bench.origin("app").commit(&[("a.yaml", "x")]);
    let server = bench.serve();
    for url in [
        server.url_of("app"),
        server.url_of("app").replace("127.0.0.1", "localhost"),
    ] {
        assert_eq!(bench.latest(&open(&url), "main").await, Ok(sha.clone()));
    }
}

#[tokio::test]
async fn a_redirect_to_another_server_is_not_followed_and_one_on_the_same_is_without_a_login() {
    let bench = Bench::new();
    bench.origin("app").commit(&[("a.yaml", "x")]);
    let other = bench.serve();
    let server = GitServer::start(bench.root.clone(), other.url.clone());
    let away = format!("{}/moved/app.git", server.url);
    let redirected = |url: &str| {
        Err::<String, _>(GitError::Redirected {
            url: url.to_owned(),
        })
    };
    assert_eq!(bench.latest(&open(&away), "main").await, redirected(&away));
    assert!(other.log().is_empty());
    let here = format!("{}/renamed/app.git", server.url);
    assert_eq!(
        bench.read(&open(&here), "main", "a.yaml").await.unwrap(),
        "x"
    );
    let round = format!("{}/round/app.git", server.url);
    assert_eq!(
        bench.latest(&open(&round), "main").await,
        redirected(&round)
    );
}
