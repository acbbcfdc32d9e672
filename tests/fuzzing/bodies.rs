//! Fuzz target: what callers send to the sealing API, through the router as it is served.
//! The first byte of an input picks the path, the rest is the body.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, Response, StatusCode};
use clap::Parser as _;
use sealing::{Certificate, Keyring, PrivateKey, SealingKey};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::router;
use crate::context::Context;
use crate::events::Recorder;
use crate::keys::Keys;
use crate::leadership::Leadership;
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::unseal::Unsealer;

/// Sealed in values of the corpus with the key that is served here.
const PLAINTEXT: &str = "canary-7f3a";
/// More than the largest body becomes in any answer.
const LARGEST_ANSWER: usize = 64 << 20;

struct Server {
    runtime: Runtime,
    router: Router,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let router = runtime.block_on(async { router(Arc::new(context())) });
    Server { runtime, router }
});

pub fn target(data: &[u8]) {
    let Some((path, body)) = data.split_first() else {
        return;
    };
    match path {
        b'v' => {
            let (status, answer) = ask("/v1/verify", body);
            assert!(answer.is_empty() || status == StatusCode::TOO_MANY_REQUESTS);
            assert!(
                is_documented(status) && status != StatusCode::BAD_REQUEST,
                "{status}"
            );
        }
        b'r' => {
            let (status, answer) = ask("/v1/rotate", body);
            assert!(
                is_documented(status) && status != StatusCode::CONFLICT,
                "{status}"
            );
            if status == StatusCode::OK {
                is_the_same_object_and_opens(body, &answer);
            }
        }
        _ => {}
    }
}

/// The statuses of docs/sealed-secrets.md.
fn is_documented(status: StatusCode) -> bool {
    [200, 400, 409, 413, 429, 500].contains(&status.as_u16())
}

fn ask(path: &str, body: &[u8]) -> (StatusCode, Bytes) {
    let Server { runtime, router } = &*SERVER;
    let request = Request::post(path).body(Body::from(body.to_vec()));
    let answer = router.clone().oneshot(request.expect("a request"));
    runtime.block_on(async {
        let answer = answer.await.unwrap_or_else(|never| match never {});
        let status = answer.status();
        let body = to_bytes(answer.into_body(), LARGEST_ANSWER).await;
        let body = body.expect("an answer of bounded size");
        let plain = body
            .windows(PLAINTEXT.len())
            .any(|part| part == PLAINTEXT.as_bytes());
        assert!(!plain, "plaintext in an answer");
        (status, body)
    })
}

/// Nothing but the sealed values is new, and a second rotation finds them current and changes nothing.
fn is_the_same_object_and_opens(body: &[u8], answer: &[u8]) {
    let rotated: Value = serde_json::from_slice(answer).expect("an answer in JSON");
    assert_eq!(rotated["kind"], "SealedSecret");
    if let Ok(mut sent) = serde_json::from_slice::<Value>(body) {
        let mut rotated = rotated;
        for object in [&mut sent, &mut rotated] {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                spec.remove("encryptedData");
            }
        }
        assert_eq!(sent, rotated);
    }
    assert_eq!(ask("/v1/verify", answer).0, StatusCode::OK);
    assert_eq!(
        ask("/v1/rotate", answer),
        (StatusCode::OK, Bytes::copy_from_slice(answer))
    );
}

/// One key, no limit on requests, and no cluster behind.
fn context() -> Context {
    let no_limit = u32::MAX.to_string();
    let settings = Settings::parse_from([
        "signet-controller",
        &format!("--rate-limit={no_limit}"),
        &format!("--rate-limit-burst={no_limit}"),
    ]);
    let settings = Arc::new(settings);
    let nobody = tower::service_fn(async |_: Request<kube::client::Body>| {
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let client = kube::Client::new(nobody, "signet");
    let keyring = Arc::new(Keyring::default());
    keyring.insert(sealing_key());
    let keys = Arc::new(Keys::new(Arc::clone(&keyring)));
    let events = Arc::new(Recorder::new(client.clone()));
    let metrics = Arc::new(Metrics::default());
    let unsealer = Unsealer::new(
        client.clone(),
        Arc::clone(&settings),
        Arc::clone(&keys),
        Arc::clone(&events),
        Arc::clone(&metrics),
    );
    Context {
        client,
        settings,
        namespace: "signet".to_owned(),
        keyring,
        keys,
        unsealer: Arc::new(unsealer),
        leadership: Arc::new(Leadership::new(false)),
        synced: watch::Sender::new(None),
        restarts: None,
        events,
        metrics,
        shutdown: CancellationToken::new(),
    }
}

fn sealing_key() -> SealingKey {
    let private = include_bytes!("../vectors/sealed-secrets/test-key.pem");
    let certificate = include_bytes!("../vectors/sealed-secrets/test-cert.pem");
    SealingKey {
        name: "test".to_owned(),
        private: PrivateKey::from_pem(private).expect("the test key"),
        certificate: Certificate::from_pem(certificate).expect("the test certificate"),
        created: None,
    }
}

#[cfg(test)]
#[test]
fn the_corpus_keeps_the_properties() {
    crate::fuzz_replay::replay("bodies", target);
}
