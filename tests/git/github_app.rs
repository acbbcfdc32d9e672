//! GitHub Apps, against a small API that checks the claim and hands out the token that the Git server takes.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{
    bench::{Bench, message, with_secret},
    sshd::keygen,
};

/// The API of one GitHub: each request as `METHOD /path`, and the last claim.
struct Api {
    url: String,
    log: Arc<Mutex<Vec<String>>>,
    claim: Arc<Mutex<String>>,
}

impl Api {
    /// Knows the organisation `private`, whose installation is 7, and gives tokens that end at `expires_at`.
    fn start(expires_at: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (log, claim) = (Arc::new(Mutex::new(Vec::new())), Arc::default());
        let api = Self {
            url,
            log: Arc::clone(&log),
            claim: Arc::clone(&claim),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &log, &claim, expires_at);
            }
        });
        api
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn answer(stream: TcpStream, log: &Mutex<Vec<String>>, claim: &Mutex<String>, expires_at: &str) {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let asked = lines[0].trim_end_matches(" HTTP/1.1").to_owned();
    for line in &lines {
        if let Some(value) = line
            .to_ascii_lowercase()
            .strip_prefix("authorization: bearer ")
        {
            let start = line.len() - value.len();
            line[start..].clone_into(&mut claim.lock().unwrap());
        }
    }
    let (status, body) = match asked.as_str() {
        "GET /orgs/private/installation" => ("200 OK", r#"{"id": 7, "account": {}}"#.to_owned()),
        "POST /app/installations/7/access_tokens" => (
            "201 Created",
            format!(r#"{{"token": "testbed", "expires_at": "{expires_at}"}}"#),
        ),
        "POST /app/installations/8/access_tokens" => ("403 Forbidden", "hunter2".to_owned()),
        _ => ("404 Not Found", "hunter2".to_owned()),
    };
    log.lock().unwrap().push(asked);
    let reply = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = reader.into_inner();
    stream.write_all(reply.as_bytes()).unwrap();
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let _ = stream.read(&mut [0]);
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
            ("githubAppEnterpriseBaseUrl", &format!("{}/", api.url)),
        ],
    );
    for _ in 0..2 {
        assert_eq!(
            bench.read(&repository, "main", "a.yaml").await.unwrap(),
            "x"
        );
    }
    let looked_up = [
        "GET /orgs/private/installation",
        "POST /app/installations/7/access_tokens",
    ];
    assert_eq!(api.log(), looked_up);
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
            ("githubAppEnterpriseBaseUrl", &api.url),
        ],
    );
    for round in 1..3 {
        bench.latest(&repository, "main").await.unwrap();
        assert_eq!(api.log().len(), round);
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
                ("githubAppEnterpriseBaseUrl", &api.url),
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
