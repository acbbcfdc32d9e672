//! Webhooks as each Git server sends them: what is answered, which repositories are looked at, and what is logged and counted.
//! `webhooks/` holds a request a file and the answer beside it; `TRYCMD=overwrite` writes the answers anew. Signatures are made
//! with `openssl dgst -sha256 -hmac SECRET` over the body, which is without the file's last line end.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::read_to_string;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use controller::git::RepositoryUrl;
use controller::metrics::Metrics;
use controller::web::{Concerned, Push, Secrets, Webhooks, channel, router};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use snapbox::{Assert, Data};
use tokio::sync::watch;
use tower::Service as _;

/// What Secret `argocd-secret` holds unless a case says otherwise.
const SECRETS: [(&str, &str); 8] = [
    ("webhook.github.secret", "a-secret-of-github"),
    ("webhook.gitlab.secret", "a-token-of-gitlab"),
    ("webhook.gitea.secret", "a-secret-of-gitea"),
    ("webhook.gogs.secret", "a-secret-of-gogs"),
    (
        "webhook.bitbucket.uuid",
        "c7f1a2d4-0b5e-4c8e-9f13-1d2e3f4a5b6c",
    ),
    (
        "webhook.bitbucketserver.secret",
        "a-secret-of-bitbucket-server",
    ),
    ("webhook.azuredevops.username", "signet"),
    ("webhook.azuredevops.password", "a-password-of-azure"),
];

/// Texts of payloads that nobody may see in an answer or in the log.
const NEVER_SHOWN: [&str; 6] = [
    "mira",
    "newer image",
    "evil",
    "sha256=",
    "a-secret",
    "a-token",
];

/// A server, and what it knows.
struct Served {
    server: axum::Router,
    metrics: Metrics,
    known: watch::Sender<Option<Secrets>>,
}

impl Served {
    /// One that believes who knows the `secrets`, or nobody yet.
    fn start(secrets: Option<&BTreeMap<String, String>>, allow_unsigned: bool) -> Self {
        let (pushes, mut told) = channel();
        let repositories = repositories();
        tokio::spawn(async move {
            while let Some(push) = told.pushes.recv().await {
                let concerned = concerned(&repositories, &push);
                push.answer(concerned);
            }
        });
        let (known, secrets) = watch::channel(secrets.map(decoded));
        let metrics = Metrics::default();
        let webhooks = Webhooks::new(allow_unsigned, secrets, pushes, &metrics);
        Self {
            server: router(webhooks),
            metrics,
            known,
        }
    }

    async fn ask(&mut self, request: Request<Body>) -> Response<Body> {
        self.server
            .call(request)
            .await
            .unwrap_or_else(|never| match never {})
    }

    async fn status(&mut self, request: Request<Body>) -> u16 {
        self.ask(request).await.status().as_u16()
    }

    fn counted(&self) -> String {
        let text = self.metrics.text();
        let lines = text
            .lines()
            .filter(|line| line.starts_with("signet_webhook_requests_total"));
        lines.map(|line| format!("{line}\n")).collect()
    }
}

fn concerned(repositories: &[RepositoryUrl], push: &Push) -> Concerned {
    let urls = repositories.iter().filter(|url| push.concerns(url));
    urls.cloned().collect()
}

fn repositories() -> Vec<RepositoryUrl> {
    let text = read_to_string(folder().join("repositories.txt")).unwrap();
    text.lines()
        .map(|line| RepositoryUrl::parse(line).unwrap())
        .collect()
}

fn decoded(secrets: &BTreeMap<String, String>) -> Secrets {
    let data = secrets
        .iter()
        .map(|(key, value)| (key.clone(), ByteString(value.clone().into_bytes())));
    Secrets::decode(&Secret {
        data: Some(data.collect()),
        ..Secret::default()
    })
}

fn usual() -> BTreeMap<String, String> {
    let secrets = SECRETS.map(|(key, value)| (key.to_owned(), value.to_owned()));
    secrets.into()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .join("tests/webhooks")
}

/// A request as a file has it: `# ` lines with what is set, the request's line, headers, an empty line, the body.
struct Case {
    secrets: BTreeMap<String, String>,
    allow_unsigned: bool,
    request: Request<Body>,
}

impl Case {
    fn read(text: &str) -> Self {
        let (mut secrets, mut allow_unsigned) = (usual(), false);
        let (head, body) = text.split_once("\n\n").unwrap();
        let mut lines = head.lines().peekable();
        while let Some(note) = lines.next_if(|line| line.starts_with("# ")) {
            match note.trim_start_matches("# ").split_once(": ") {
                Some(("without", key)) => drop(secrets.remove(key)),
                Some(("with", entry)) => {
                    let (key, value) = entry.split_once('=').unwrap();
                    secrets.insert(key.to_owned(), value.to_owned());
                }
                _ => allow_unsigned = note == "# --webhook-allow-unsigned",
            }
        }
        let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in lines.map(|line| line.split_once(": ").unwrap()) {
            request = request.header(name, value);
        }
        let body = body.strip_suffix('\n').unwrap().to_owned();
        Self {
            secrets,
            allow_unsigned,
            request: request.body(Body::from(body)).unwrap(),
        }
    }
}

/// Everything that becomes of a request, as text.
fn answer(text: &str) -> String {
    let case = Case::read(text);
    let (told, log) = logged(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            let mut served = Served::start(Some(&case.secrets), case.allow_unsigned);
            let answer = served.ask(case.request).await;
            let (head, body) = answer.into_parts();
            let body = to_bytes(body, 1 << 10).await.unwrap();
            let mut told = format!("{}\n{}", head.status, String::from_utf8_lossy(&body));
            for name in ["allow", "retry-after"] {
                if let Some(value) = head.headers.get(name) {
                    writeln!(told, "{name}: {}", value.to_str().unwrap()).unwrap();
                }
            }
            told + "\n" + &served.counted()
        })
    });
    told + &log
}

thread_local! {
    static LOG: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes to the log of the thread.
struct ToThread;

impl io::Write for ToThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with_borrow_mut(|log| log.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What `work` gives, and what it logs. One subscriber serves all tests: with one for each of them, a line that two log at the
/// same time may get lost.
fn logged<T>(work: impl FnOnce() -> T) -> (T, String) {
    static LINES: Once = Once::new();
    LINES.call_once(|| {
        let lines = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .with_target(false)
            .with_writer(|| ToThread);
        tracing::subscriber::set_global_default(lines.finish()).unwrap();
    });
    LOG.take();
    let given = work();
    (given, String::from_utf8(LOG.take()).unwrap())
}

#[test]
fn each_webhook_is_answered_as_its_file_says() {
    let assert = Assert::new().action_env("TRYCMD");
    let entries = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let is_case = |path: &PathBuf| {
        path.extension()
            .is_some_and(|extension| extension == "http")
    };
    let mut cases: Vec<_> = entries.filter(is_case).collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let answer = answer(&read_to_string(&case).unwrap());
        for text in NEVER_SHOWN {
            assert!(!answer.contains(text), "{text:?} in {answer}");
        }
        assert.eq(
            answer,
            Data::read_from(&case.with_extension("txt"), None).raw(),
        );
    }
}

/// A webhook that is answered with 200 by a server that knows its secret.
fn sound() -> Request<Body> {
    Case::read(&read_to_string(folder().join("gitlab-push.http")).unwrap()).request
}

#[tokio::test]
async fn before_the_secrets_are_known_nobody_is_believed_and_a_change_counts_at_once() {
    let mut served = Served::start(None, true);
    assert_eq!(served.status(sound()).await, 503);
    served.known.send_replace(Some(decoded(&usual())));
    assert_eq!(served.status(sound()).await, 200);
    let mut secrets = usual();
    secrets.insert(
        "webhook.gitlab.secret".to_owned(),
        "a-newer-token".to_owned(),
    );
    served.known.send_replace(Some(decoded(&secrets)));
    assert_eq!(served.status(sound()).await, 403);
}

#[tokio::test]
async fn a_body_may_have_a_mebibyte() {
    for (padding, status) in [(0, 200), (1, 413)] {
        let mut served = Served::start(Some(&usual()), false);
        let (head, body) = sound().into_parts();
        let mut body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        body.resize((1 << 20) + padding, b' ');
        let request = Request::from_parts(head, Body::from(body));
        assert_eq!(served.status(request).await, status);
    }
}

#[tokio::test]
async fn each_caller_is_limited_by_itself() {
    let mut served = Served::start(Some(&usual()), false);
    let from = |caller: &str| {
        let mut request = sound();
        request
            .headers_mut()
            .insert("x-forwarded-for", caller.parse().unwrap());
        request
    };
    let mut answered = 0;
    while served.status(from("a")).await == 200 {
        answered += 1;
    }
    assert!(answered > 100, "{answered}");
    assert_eq!(served.status(from("a")).await, 429);
    assert_eq!(served.status(from("b")).await, 200);
}

#[tokio::test]
async fn when_nobody_takes_pushes_any_more_the_sender_is_told_to_come_again() {
    let (pushes, told) = channel();
    drop(told);
    let (_known, secrets) = watch::channel(Some(decoded(&usual())));
    let webhooks = Webhooks::new(false, secrets, pushes, &Metrics::default());
    let answer = router(webhooks).call(sound()).await;
    assert_eq!(answer.unwrap().status().as_u16(), 503);
}
