//! Helm repositories: what their indexes mean, what is asked of them, and what they do wrong.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use controller::{
    charts::{ChartOptions, Fetch, Recipients},
    git::Freshness,
    repositories::Access,
};

use crate::{
    bench::{ALLOWED, Bench, anybody, message, text_of, with_password},
    http_server::{HttpServer, Reply, Request},
    packed::{chart, entry, gzip, index, sha256},
};

/// Serves one version of `nginx` below `/stable`; its archive is at `url`.
fn serve(url: &'static str) -> HttpServer {
    HttpServer::start(move |request| repository(request, url))
}

fn repository(request: &Request, url: &str) -> Reply {
    let archive = chart("nginx", "1.2.3", "text");
    match request.target.as_str() {
        "/stable/index.yaml" => {
            let newest = entry("1.2.3", url, &sha256(&archive));
            Reply::ok(index("nginx", &[newest, entry("1.1.0", "old.tgz", "")]))
        }
        "/stable/charts/nginx-1.2.3.tgz" | "/nginx-1.2.3.tgz" => Reply::ok(archive),
        "/stable/old.tgz" => Reply::ok(chart("nginx", "1.1.0", "old")),
        _ => Reply::status(404),
    }
}

#[tokio::test]
async fn a_chart_is_found_by_its_index_and_unpacked() {
    let bench = Bench::new();
    for place in ["charts/nginx-1.2.3.tgz", "/nginx-1.2.3.tgz"] {
        let server = serve(place);
        let url = format!("{}/stable", server.url);
        for (wanted, version) in [
            ("", "1.2.3"),
            ("~1.1", "1.1.0"),
            ("1.2.3", "1.2.3"),
            ("1.x", "1.2.3"),
        ] {
            assert_eq!(
                bench.version(&url, &anybody(), wanted).await.unwrap(),
                version,
                "{wanted}"
            );
        }
        let fetched = bench.fetch(&url, &anybody(), "1.2.3").await.unwrap();
        assert_eq!(
            (fetched.name.as_str(), fetched.version.as_str()),
            ("nginx", "1.2.3")
        );
        assert_eq!(fetched.digest, sha256(&chart("nginx", "1.2.3", "text")));
        assert_eq!(text_of(&fetched), "text");
        let without_digest = bench
            .fetch(&format!("{url}/"), &anybody(), "1.1.0")
            .await
            .unwrap();
        assert_eq!(text_of(&without_digest), "old");
    }
}

#[tokio::test]
async fn a_missing_chart_or_version_is_named_with_what_there_is() {
    let bench = Bench::new();
    let server = serve("charts/nginx-1.2.3.tgz");
    let url = format!("{}/stable", server.url);
    let ask = async |chart: &str, version: &str| {
        let access = anybody();
        let asked = bench
            .charts
            .resolve(&url, &access, chart, version, Freshness::Cached);
        message(asked.await)
    };
    assert_eq!(
        ask("ngnix", "").await,
        format!("{url}: chart \"ngnix\" not found (closest: nginx)")
    );
    assert_eq!(
        ask("nginx", "2.x").await,
        format!("{url} nginx: version \"2.x\" not found (newest: 1.2.3, 1.1.0)")
    );
    assert_eq!(
        ask("nginx", "main").await,
        format!("{url}: \"main\" is neither a version nor a range of versions")
    );
    assert_eq!(
        message(bench.version(&server.url, &anybody(), "").await),
        format!("{}: no chart repository found", server.url)
    );
}

#[tokio::test]
async fn a_login_goes_to_the_repository_and_to_no_other_host() {
    let bench = Bench::new();
    let elsewhere =
        HttpServer::start_tls(None, |_| Reply::ok(chart("nginx", "1.0.0", "elsewhere"))).0;
    let archive_url = format!("{}/nginx.tgz", elsewhere.url);
    let server = HttpServer::start(move |request| match request.target.as_str() {
        _ if request.header("authorization") != Some(ALLOWED) => {
            Reply::challenge("Basic realm=\"charts\"".to_owned())
        }
        "/index.yaml" => {
            let here = entry("1.1.0", "here.tgz", "");
            let moved = entry("1.2.0", "moved.tgz", "");
            Reply::ok(index(
                "nginx",
                &[here, moved, entry("1.0.0", &archive_url, "")],
            ))
        }
        "/moved.tgz" => Reply::redirect(archive_url.clone()),
        _ => Reply::ok(chart("nginx", "1.1.0", "here")),
    });
    let url = &server.url;
    assert_eq!(
        message(bench.version(url, &anybody(), "").await),
        format!("{url}: authentication required")
    );
    assert_eq!(
        message(bench.version(url, &with_password("hunter2"), "").await),
        format!("{url}: authentication failed with the credentials of Secret signet/charts")
    );
    let access = with_password("testbed");
    for (version, text) in [
        ("1.0.0", "elsewhere"),
        ("1.1.0", "here"),
        ("1.2.0", "elsewhere"),
    ] {
        let fetched = bench.fetch(url, &access, version).await.unwrap();
        assert_eq!(text_of(&fetched), text);
    }
    assert_eq!(elsewhere.log(), ["GET /nginx.tgz", "GET /nginx.tgz"]);

    let passing = Fetch {
        recipients: Recipients::ChartHost,
        freshness: Freshness::Latest,
    };
    for version in ["1.0.0", "1.2.0"] {
        bench
            .charts
            .fetch(url, &access, "nginx", version, passing)
            .await
            .unwrap();
    }
    // The host that the index names sees the login, one that is only redirected to does not.
    assert_eq!(
        elsewhere.log()[2..],
        ["GET /nginx.tgz +auth", "GET /nginx.tgz"]
    );
}

#[tokio::test]
async fn redirects_are_followed_where_nothing_is_given_away() {
    let bench = Bench::new();
    let other = serve("charts/nginx-1.2.3.tgz");
    let to = other.url.clone();
    let server = HttpServer::start(move |request| match request.target.as_str() {
        "/elsewhere/index.yaml" => Reply::redirect(format!("{to}/stable/index.yaml")),
        "/here/index.yaml" => Reply::redirect("/stable/index.yaml".to_owned()),
        "/here/charts/nginx-1.2.3.tgz" => Reply::redirect(format!("{to}/nginx-1.2.3.tgz")),
        "/here/old.tgz" => Reply::redirect("../stable/old.tgz".to_owned()),
        "/loop/index.yaml" => Reply::redirect("index.yaml".to_owned()),
        "/file/index.yaml" => Reply::redirect("file:///etc/passwd".to_owned()),
        "/nowhere/index.yaml" => Reply::status(302),
        _ => repository(request, "charts/nginx-1.2.3.tgz"),
    });
    for (path, whither) in [
        ("elsewhere", "the server redirects to another host"),
        ("loop", "the server redirects again and again"),
        ("file", "the server redirects to a URL that is not https"),
        ("nowhere", "not a Helm repository: HTTP status 302"),
    ] {
        let url = format!("{}/{path}", server.url);
        assert_eq!(
            message(bench.version(&url, &anybody(), "").await),
            format!("{url}: {whither}")
        );
    }
    assert!(other.log().is_empty());
    let url = format!("{}/here", server.url);
    assert_eq!(
        text_of(&bench.fetch(&url, &anybody(), "1.1.0").await.unwrap()),
        "old"
    );
    let refused = message(bench.fetch(&url, &anybody(), "1.2.3").await);
    assert_eq!(
        refused,
        format!("{url} nginx 1.2.3: the server redirects to a URL that is not https")
    );
    assert!(other.log().is_empty());
}

#[tokio::test]
async fn an_index_that_did_not_change_is_not_sent_again() {
    let bench = Bench::new();
    let text = Arc::new(Mutex::new(index("nginx", &[entry("1.0.0", "a.tgz", "")])));
    let served = Arc::clone(&text);
    let server = HttpServer::start(move |request| {
        let text = served.lock().unwrap().clone();
        let tag = format!("\"{}\"", sha256(text.as_bytes()));
        if request.header("if-none-match") == Some(&tag)
            && request.header("if-modified-since") == Some("yesterday")
        {
            return Reply::status(304);
        }
        let headers = vec![
            ("ETag", tag),
            ("Last-Modified", "yesterday".to_owned()),
            ("Content-Encoding", "gzip".to_owned()),
        ];
        assert_eq!(request.header("accept-encoding"), Some("gzip"));
        Reply::with(gzip(text.as_bytes()), headers)
    });
    for _ in 0..3 {
        assert_eq!(
            bench.version(&server.url, &anybody(), "").await.unwrap(),
            "1.0.0"
        );
    }
    *text.lock().unwrap() = index("nginx", &[entry("1.1.0", "a.tgz", "")]);
    assert_eq!(
        bench.version(&server.url, &anybody(), "").await.unwrap(),
        "1.1.0"
    );
    assert_eq!(server.requests("/index.yaml"), 4);
}

#[tokio::test]
async fn a_hundred_applications_share_one_index_and_one_archive() {
    let bench = Bench::new();
    let server = serve("charts/nginx-1.2.3.tgz");
    let callers = (0..100).map(|_| {
        let (charts, url) = (Arc::clone(&bench.charts), format!("{}/stable", server.url));
        tokio::spawn(async move {
            let access = anybody();
            let version = charts
                .resolve(&url, &access, "nginx", "1.x", Freshness::Cached)
                .await
                .unwrap();
            charts
                .fetch(&url, &access, "nginx", &version, Fetch::default())
                .await
                .unwrap()
                .digest
                .clone()
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        assert_eq!(
            caller.await.unwrap(),
            sha256(&chart("nginx", "1.2.3", "text"))
        );
    }
    assert_eq!(
        server.log(),
        [
            "GET /stable/index.yaml",
            "GET /stable/charts/nginx-1.2.3.tgz"
        ]
    );
}

#[tokio::test]
async fn who_asks_with_other_credentials_finds_nothing_that_was_fetched_before() {
    let bench = Bench::new();
    let server = serve("charts/nginx-1.2.3.tgz");
    let url = format!("{}/stable", server.url);
    for access in [
        anybody(),
        with_password("a"),
        with_password("b"),
        with_password("b"),
    ] {
        bench.fetch(&url, &access, "1.2.3").await.unwrap();
    }
    // A new password in the same Secret finds nothing either.
    assert_eq!(server.requests("index.yaml"), 3);
    assert_eq!(server.requests("nginx-1.2.3.tgz"), 3);
}

#[tokio::test]
async fn our_own_machine_is_asked_only_where_that_is_allowed() {
    let bench = Bench::new();
    let server = serve("charts/nginx-1.2.3.tgz");
    let port = server.authority().split_once(':').unwrap().1;
    for host in [
        "127.0.0.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "2130706433",
        "169.254.169.254",
        "0.0.0.0",
    ] {
        let url = format!("http://{host}:{port}/stable");
        let refused = message(bench.version(&url, &Access::default(), "").await);
        assert!(
            refused.ends_with(": a loopback or link-local address is not allowed"),
            "{refused}"
        );
    }
    assert!(server.log().is_empty());
}

#[tokio::test]
async fn a_short_outage_is_no_news_and_polling_tells_what_changed() {
    let bench = Bench::with(ChartOptions {
        poll_interval: Duration::from_millis(50),
        poll_jitter: Duration::from_millis(10),
        ..ChartOptions::default()
    });
    let state = Arc::new(Mutex::new("1.0.0"));
    let served = Arc::clone(&state);
    let server = HttpServer::start(move |_| match *served.lock().unwrap() {
        "down" => Reply::status(503),
        version => Reply::ok(index("nginx", &[entry(version, "a.tgz", "")])),
    });
    let mut changed = bench.charts.changed();
    assert_eq!(
        bench.version(&server.url, &anybody(), "").await.unwrap(),
        "1.0.0"
    );
    *state.lock().unwrap() = "down";
    assert!(bench.version(&server.url, &anybody(), "").await.is_err());
    let cached = bench
        .charts
        .resolve(&server.url, &anybody(), "nginx", "", Freshness::Cached)
        .await;
    assert_eq!(cached.unwrap(), "1.0.0");

    let polled = Arc::clone(&bench.charts);
    let polling = tokio::spawn(async move { controller::charts::poll(&polled).await });
    *state.lock().unwrap() = "1.1.0";
    assert_eq!(changed.recv().await.unwrap().url, server.url);
    let cached = bench
        .charts
        .resolve(&server.url, &anybody(), "nginx", "", Freshness::Cached)
        .await;
    assert_eq!(cached.unwrap(), "1.1.0");
    polling.abort();

    bench.charts.retain(|_| false);
    *state.lock().unwrap() = "1.2.0";
    let anew = bench
        .charts
        .resolve(&server.url, &anybody(), "nginx", "", Freshness::Cached)
        .await;
    assert_eq!(anew.unwrap(), "1.2.0");
}

#[test]
fn a_password_is_in_no_debug_text() {
    let access = with_password("hunter2");
    assert!(!format!("{access:?}").contains("hunter2"));
    let bench = Bench::new();
    assert!(!format!("{:?}", bench.charts).contains("hunter2"));
}
