//! OCI registries: tokens, tags and blobs, and what such servers do wrong.

use base64::{Engine, engine::general_purpose::STANDARD};
use controller::{
    charts::{Fetch, Recipients},
    git::Freshness,
    repositories::{Access, Confidential, Login},
};

use crate::{
    bench::{ALLOWED, Bench, anybody, message, text_of, with_password},
    http_server::{HttpServer, Reply, Request},
    packed::{chart, entry, index, sha256},
};

pub(crate) const CHART_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

pub(crate) fn manifest(config: &str, archive: &[u8]) -> Vec<u8> {
    let layer = serde_json::json!({
        "mediaType": CHART_LAYER, "digest": format!("sha256:{}", sha256(archive)), "size": archive.len(),
    });
    let config = serde_json::json!({"mediaType": config, "digest": format!("sha256:{}", sha256(b"{}")), "size": 2});
    serde_json::json!({"schemaVersion": 2, "config": config, "layers": [layer]})
        .to_string()
        .into_bytes()
}

/// `charts/nginx` in a registry for everybody, with versions 1.0.0, 1.2.3+build.7 and 2.0.0-rc.1.
fn registry(request: &Request) -> Reply {
    let archive = |version: &str| chart("nginx", version, version);
    let Some(below) = request.target.strip_prefix("/v2/charts/nginx/") else {
        return Reply::status(404);
    };
    match below {
        "tags/list?n=1000" => page(
            &["1.0.0", "latest"],
            Some("/v2/charts/nginx/tags/list?n=1000&last=latest"),
        ),
        "tags/list?n=1000&last=latest" => page(&["1.2.3_build.7", "2.0.0-rc.1"], None),
        "manifests/1.0.0" | "manifests/latest" => {
            Reply::ok(manifest(CHART_CONFIG, &archive("1.0.0")))
        }
        "manifests/1.2.3_build.7" => {
            let text = manifest(CHART_CONFIG, &archive("1.2.3+build.7"));
            let digest = format!("sha256:{}", sha256(&text));
            Reply::with(text, vec![("Docker-Content-Digest", digest)])
        }
        "manifests/2.0.0-rc.1" => Reply::ok(manifest(
            "application/vnd.oci.image.config.v1+json",
            &archive("2"),
        )),
        blob => match ["1.0.0", "1.2.3+build.7"]
            .map(archive)
            .into_iter()
            .find(|archive| blob == blob_path(archive))
        {
            Some(archive) => Reply::ok(archive),
            None => Reply::status(404),
        },
    }
}

fn blob_path(archive: &[u8]) -> String {
    format!("blobs/sha256:{}", sha256(archive))
}

fn page(tags: &[&str], next: Option<&str>) -> Reply {
    let body = serde_json::json!({"name": "charts/nginx", "tags": tags}).to_string();
    let link = |next: &str| ("Link", format!("<{next}>; rel=\"next\""));
    Reply::with(body, next.map(link).into_iter().collect())
}

/// `oci://…/charts` of a server.
pub(crate) fn url_of(server: &HttpServer) -> String {
    format!("oci://{}/charts", server.authority())
}

#[tokio::test]
async fn a_chart_is_found_by_its_tags_and_pulled() {
    let bench = Bench::new();
    let server = HttpServer::start(registry);
    for url in [url_of(&server), format!("{}/charts", server.authority())] {
        for (wanted, version) in [
            ("", "1.2.3+build.7"),
            ("1.x", "1.2.3+build.7"),
            (">1-0", "2.0.0-rc.1"),
            ("<1.2", "1.0.0"),
            ("1.0.0", "1.0.0"),
        ] {
            assert_eq!(
                bench.version(&url, &anybody(), wanted).await.unwrap(),
                version,
                "{wanted}"
            );
        }
        let fetched = bench
            .fetch(&url, &anybody(), "1.2.3+build.7")
            .await
            .unwrap();
        assert_eq!(
            fetched.digest,
            sha256(&chart("nginx", "1.2.3+build.7", "1.2.3+build.7"))
        );
        assert_eq!(text_of(&fetched), "1.2.3+build.7");
        let whole = bench
            .charts
            .fetch(
                &format!("{url}/nginx"),
                &anybody(),
                "",
                "1.0.0",
                Fetch::default(),
            )
            .await;
        assert_eq!(whole.unwrap().version, "1.0.0");
    }
}

#[tokio::test]
async fn a_version_is_pulled_without_asking_for_others_and_once() {
    let bench = Bench::new();
    let server = HttpServer::start(registry);
    let url = url_of(&server);
    assert_eq!(
        bench.version(&url, &anybody(), "1.0.0").await.unwrap(),
        "1.0.0"
    );
    for _ in 0..2 {
        bench.fetch(&url, &anybody(), "1.0.0").await.unwrap();
    }
    assert_eq!(server.log().len(), 2, "{:?}", server.log());
    let latest = Fetch {
        recipients: Recipients::OwnHost,
        freshness: Freshness::Latest,
    };
    bench
        .charts
        .fetch(&url, &anybody(), "nginx", "1.0.0", latest)
        .await
        .unwrap();
    assert_eq!(
        server.requests("blobs"),
        1,
        "the manifest names the same archive"
    );
    assert_eq!(server.requests("manifests"), 2);
}

#[tokio::test]
async fn a_missing_version_is_named_with_what_there_is() {
    let bench = Bench::new();
    let server = HttpServer::start(registry);
    let url = url_of(&server);
    assert_eq!(
        message(bench.fetch(&url, &anybody(), "3.0.0").await),
        format!(
            "{url}/nginx: version \"3.0.0\" not found (newest: 2.0.0-rc.1, 1.2.3+build.7, 1.0.0)"
        )
    );
    assert_eq!(
        message(bench.version(&url, &anybody(), "3.x").await),
        format!(
            "{url}/nginx: version \"3.x\" not found (newest: 2.0.0-rc.1, 1.2.3+build.7, 1.0.0)"
        )
    );
    let other = bench
        .charts
        .fetch(&url, &anybody(), "redis", "1.0.0", Fetch::default())
        .await;
    assert_eq!(
        message(other),
        format!("{url}/redis: chart \"redis\" not found")
    );
    assert_eq!(
        message(bench.fetch(&url, &anybody(), "2.0.0-rc.1").await),
        format!("{url}/nginx:2.0.0-rc.1: not a Helm chart: the tag names another kind of artifact")
    );
}

/// A registry that wants a token, and gives one to everybody or to who has a password.
fn guarded(is_public: bool) -> HttpServer {
    HttpServer::start(move |request| {
        if let Some(query) = request.target.strip_prefix("/token?") {
            assert_eq!(
                query,
                "service=test&scope=repository%3Acharts%2Fnginx%3Apull"
            );
            return match request.header("authorization") {
                None if is_public => Reply::ok(r#"{"access_token":"open"}"#),
                Some(ALLOWED) => Reply::ok(r#"{"token":"open","expires_in":60}"#),
                _ => Reply::status(401),
            };
        }
        match request.header("authorization") {
            Some("Bearer open") => registry(request),
            _ => Reply::challenge(format!(
                "Bearer realm=\"http://{}/token\",service=\"test\"",
                request.header("host").unwrap()
            )),
        }
    })
}

#[tokio::test]
async fn a_token_is_had_for_everybody_or_with_the_password() {
    let bench = Bench::new();
    let public = guarded(true);
    assert_eq!(
        bench
            .version(&url_of(&public), &anybody(), "")
            .await
            .unwrap(),
        "1.2.3+build.7"
    );
    bench
        .fetch(&url_of(&public), &anybody(), "1.0.0")
        .await
        .unwrap();
    assert_eq!(public.requests("/token"), 2, "one for each visit");

    let private = guarded(false);
    let url = url_of(&private);
    assert_eq!(
        message(bench.version(&url, &anybody(), "").await),
        format!("{url}/nginx: authentication required")
    );
    assert_eq!(
        message(bench.fetch(&url, &with_password("hunter2"), "1.0.0").await),
        format!(
            "{url}/nginx:1.0.0: authentication failed with the credentials of Secret signet/charts"
        )
    );
    let fetched = bench
        .fetch(&url, &with_password("testbed"), "1.0.0")
        .await
        .unwrap();
    assert_eq!(text_of(&fetched), "1.0.0");
}

#[tokio::test]
async fn a_registry_without_tokens_sees_the_password_when_it_asks() {
    let bench = Bench::new();
    let server = HttpServer::start(|request| match request.header("authorization") {
        Some(ALLOWED | "Bearer mine") => registry(request),
        _ => Reply::challenge("Basic realm=\"registry\"".to_owned()),
    });
    let url = url_of(&server);
    bench
        .fetch(&url, &with_password("testbed"), "1.0.0")
        .await
        .unwrap();
    assert!(
        message(bench.fetch(&url, &with_password("hunter2"), "1.0.0").await)
            .contains("authentication failed")
    );
    let bearer = Access {
        secret: Some("signet/bearer".to_owned()),
        login: Login::Bearer(Confidential::of("mine".to_owned())),
        ..anybody()
    };
    bench.fetch(&url, &bearer, "1.0.0").await.unwrap();
    assert_eq!(
        STANDARD.decode(ALLOWED.split_once(' ').unwrap().1).unwrap(),
        b"signet:testbed"
    );
}

#[tokio::test]
async fn a_password_goes_to_no_realm_without_tls_when_the_registry_has_it() {
    let bench = Bench::new();
    let realm = HttpServer::start(|_| Reply::ok(r#"{"token":"open"}"#));
    let to = realm.url.clone();
    let server = HttpServer::start_tls(None, move |_| {
        Reply::challenge(format!("Bearer realm=\"{to}/token\""))
    })
    .0;
    let url = url_of(&server);
    let access = Access {
        plain_http: false,
        ..with_password("testbed")
    };
    assert_eq!(
        message(bench.version(&url, &access, "").await),
        format!("{url}/nginx: not an OCI registry: it wants a token from a URL that is not https")
    );
    assert!(realm.log().is_empty());
}

#[tokio::test]
async fn a_blob_may_lie_with_another_host_that_learns_no_token() {
    let bench = Bench::new();
    let archive = chart("nginx", "1.0.0", "1.0.0");
    let cdn = HttpServer::start_tls(None, move |_| Reply::ok(archive.clone())).0;
    let to = cdn.url.clone();
    let server = HttpServer::start(move |request| match request.header("authorization") {
        Some(ALLOWED) if request.target.contains("/blobs/") => {
            Reply::redirect(format!("{to}/blob?signature=x"))
        }
        Some(ALLOWED) => registry(request),
        _ => Reply::challenge("Basic".to_owned()),
    });
    let fetched = bench
        .fetch(&url_of(&server), &with_password("testbed"), "1.0.0")
        .await
        .unwrap();
    assert_eq!(text_of(&fetched), "1.0.0");
    assert_eq!(cdn.log(), ["GET /blob?signature=x"]);

    let strict = Access {
        tls: Default::default(),
        secret: Some("signet/strict".to_owned()),
        ..with_password("testbed")
    };
    let refused = message(bench.fetch(&url_of(&server), &strict, "1.0.0").await);
    assert!(refused.contains(": unreachable: TLS: "), "{refused}");
}

#[tokio::test]
async fn an_index_may_name_archives_in_a_registry() {
    let bench = Bench::new();
    let registry = HttpServer::start_tls(None, registry).0;
    let archive_url = format!("{}/nginx", url_of(&registry));
    let server = HttpServer::start(move |_| {
        let good = sha256(&chart("nginx", "1.0.0", "1.0.0"));
        let entries = [
            entry("1.0.0", &format!("{archive_url}:1.0.0"), &good),
            entry("1.2.3", &format!("{archive_url}:1.2.3_build.7"), &good),
            entry("3.0.0", &format!("{archive_url}:3.0.0"), ""),
        ];
        Reply::ok(index("nginx", &entries))
    });
    let access = Access {
        plain_http: false,
        ..with_password("testbed")
    };
    let fetched = bench.fetch(&server.url, &access, "1.0.0").await.unwrap();
    assert_eq!(text_of(&fetched), "1.0.0");
    assert_eq!(registry.requests("+auth"), 0);
    for (version, problem) in [
        (
            "1.2.3",
            "the archive has another SHA-256 digest than the repository lists",
        ),
        (
            "3.0.0",
            "the archive is not there, though the repository lists it",
        ),
    ] {
        let refused = message(bench.fetch(&server.url, &access, version).await);
        assert_eq!(
            refused,
            format!("{} nginx {version}: {problem}", server.url)
        );
    }
}
