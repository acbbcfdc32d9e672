//! GitHub Apps, against a small API that checks the claim and hands out the token that the Git server takes.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    bench::{Bench, message, with_secret},
    http_server::{HttpServer, Reply, Request},
    sshd::keygen,
};

/// The API of one GitHub, and the last claim that it was shown.
struct Api {
    server: HttpServer,
    claim: Arc<Mutex<String>>,
}

impl Api {
    /// Knows the organisation `private`, whose installation is 7, and gives tokens that end at `expires_at`.
    fn start(expires_at: &'static str) -> Self {
        let claim = Arc::new(Mutex::default());
        let shown = Arc::clone(&claim);
        let server = HttpServer::start(move |request| {
            let bearer = request.header("authorization");
            if let Some(bearer) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
                bearer.clone_into(&mut shown.lock().unwrap());
            }
            answer(request, expires_at)
        });
        Self { server, claim }
    }
}

fn answer(request: &Request, expires_at: &str) -> Reply {
    match (request.method.as_str(), request.target.as_str()) {
        ("GET", "/orgs/private/installation") => Reply::ok(r#"{"id": 7, "account": {}}"#),
        ("POST", "/app/installations/7/access_tokens") => Reply::Answer {
            status: 201,
            headers: Vec::new(),
            body: format!(r#"{{"token": "testbed", "expires_at": "{expires_at}"}}"#).into(),
        },
        ("POST", "/app/installations/8/access_tokens") => Reply::status(403),
        _ => Reply::status(404),
    }
}

fn rsa_key() -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = keygen(
        folder.path(),
        "key",
        &["-t", "rsa", "-b", "2048", "-m", "PEM"],
    );
    std::fs::read_to_string(path).unwrap()
}

/// Far enough ahead for any test.
const LATER: &str = "2999-01-01T00:00:00Z";
const EARLIER: &str = "2001-01-01T00:00:00Z";

#[tokio::test]
async fn an_app_reads_with_a_token_that_is_asked_for_once() {
    let bench = Bench::new();
    bench.origin("private/app").commit(&[("a.yaml", "x")]);
    let (server, api) = (bench.serve(), Api::start(LATER));
    let repository = with_secret(
        &server.url_of("private/app"),
        &[
            ("githubAppID", "42"),
            ("githubAppPrivateKey", &rsa_key()),
            (
                "githubAppEnterpriseBaseUrl",
                &format!("{}/", api.server.url),
            ),
        ],
    );
    for _ in 0..2 {
        assert_eq!(
            bench.read(&repository, "main", "a.yaml").await.unwrap(),
            "x"
        );
    }
    let looked_up = [
        "GET /orgs/private/installation +auth",
        "POST /app/installations/7/access_tokens +auth",
    ];
    assert_eq!(api.server.log(), looked_up);
    let claim = api.claim.lock().unwrap().clone();
    let parts: Vec<&str> = claim.split('.').collect();
    let read = |part: &str| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    assert_eq!(read(parts[0])["alg"], "RS256");
    let claims = read(parts[1]);
    assert_eq!(claims["iss"], "42");
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lasts, 600);
}

#[tokio::test]
async fn a_token_near_its_end_is_asked_for_again() {
    let bench = Bench::new();
    bench.origin("private/app").commit(&[("a.yaml", "x")]);
    let (server, api) = (bench.serve(), Api::start(EARLIER));
    let repository = with_secret(
        &server.url_of("private/app"),
        &[
            ("githubAppID", "42"),
            ("githubAppInstallationID", "7"),
            ("githubAppPrivateKey", &rsa_key()),
            ("githubAppEnterpriseBaseUrl", &api.server.url),
        ],
    );
    for round in 1..3 {
        bench.latest(&repository, "main").await.unwrap();
        assert_eq!(api.server.log().len(), round);
    }
}

#[tokio::test]
async fn what_github_refuses_is_named_and_not_repeated() {
    let bench = Bench::new();
    let (server, api) = (bench.serve(), Api::start(LATER));
    let key = rsa_key();
    for (installation, repository, cause) in [
        ("8", "private/app", "its API answers with status 403"),
        ("9", "private/app", "the App has no installation 9"),
        ("", "stranger/app", "the App is not installed for stranger"),
    ] {
        let url = server.url_of(repository);
        let repository = with_secret(
            &url,
            &[
                ("githubAppID", "42"),
                ("githubAppInstallationID", installation),
                ("githubAppPrivateKey", &key),
                ("githubAppEnterpriseBaseUrl", &api.server.url),
            ],
        );
        assert_eq!(
            message(bench.latest(&repository, "main").await),
            format!(
                "{url}: no token for the GitHub App of Secret signet/config-repository: {cause}"
            )
        );
    }
}
