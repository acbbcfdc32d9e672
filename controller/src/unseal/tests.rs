//! What the Unsealer does between its plan and the API server, which is simulated here.

use std::sync::{Arc, Mutex};

use clap::Parser as _;
use http::{Method, Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tower::service_fn;

use super::*;

/// Requests as `METHOD path`, and the bodies that came with them.
type Requests = Arc<Mutex<Vec<(String, Value)>>>;

/// An Unsealer whose API server is `answer`: status and body by `METHOD path`.
fn unsealer(
    answer: impl Fn(&str, usize) -> (u16, Value) + Clone + Send + 'static,
) -> (Unsealer, Requests) {
    unsealer_with(&[], answer)
}

/// The same with flags.
fn unsealer_with(
    flags: &[&str],
    answer: impl Fn(&str, usize) -> (u16, Value) + Clone + Send + 'static,
) -> (Unsealer, Requests) {
    let requests = Requests::default();
    let seen = Arc::clone(&requests);
    let service = service_fn(move |request: Request<Body>| {
        let (answer, seen) = (answer.clone(), Arc::clone(&seen));
        async move {
            let line = format!("{} {}", request.method(), request.uri().path());
            let is_write = request.method() != Method::GET;
            let bytes = request.into_body().collect_bytes().await?;
            let body = match is_write {
                true => serde_json::from_slice(&bytes).unwrap(),
                false => Value::Null,
            };
            let nth = {
                let mut seen = seen.lock().unwrap();
                seen.push((line.clone(), body));
                seen.iter().filter(|(other, _)| *other == line).count()
            };
            let (code, body) = answer(&line, nth);
            let response = Response::builder().status(code);
            Ok::<_, kube::Error>(
                response
                    .body(Body::from(serde_json::to_vec(&body).unwrap()))
                    .unwrap(),
            )
        }
    });
    let client = Client::new(service, "ns");
    let line = [&["signet-controller"], flags].concat();
    let settings = Arc::new(Settings::parse_from(line));
    let keys = Arc::new(Keys::new(Arc::default()));
    let events = Arc::new(Recorder::new(client.clone()));
    let unsealer = Unsealer::new(client, settings, keys, events, Arc::default());
    (unsealer, requests)
}

const STATUS: &str = "PUT /apis/bitnami.com/v1alpha1/namespaces/ns/sealedsecrets/db/status";
const SEALED_SECRET: &str = "GET /apis/bitnami.com/v1alpha1/namespaces/ns/sealedsecrets/db";

fn sealed(version: &str, generation: i64, status: &Value, by: &str) -> Value {
    let managers = json!([{ "manager": by, "operation": "Update", "subresource": "status", "time": "2026-01-01T00:00:00Z" }]);
    json!({
        "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
        "metadata": {
            "namespace": "ns", "name": "db", "uid": "1", "resourceVersion": version, "generation": generation,
            "labels": { "app.kubernetes.io/instance": "shop" }, "managedFields": managers
        },
        "spec": { "encryptedData": { "password": "AAAA" } },
        "status": status
    })
}

fn condition(generation: i64, status: &str) -> Value {
    json!({ "observedGeneration": generation, "conditions": [{ "type": "Synced", "status": status }] })
}

/// Tries a SealedSecret that no key opens, while its status can't be written because the object is `live` by now.
/// Returns the conditions that were sent, with the version they were sent for.
async fn told_meanwhile(live: Value) -> Vec<(String, String)> {
    let (unsealer, requests) = unsealer(move |line, nth| match (line, nth) {
        (STATUS, 1) => (
            409,
            json!({ "code": 409, "reason": "Conflict", "message": "the object has been modified" }),
        ),
        (STATUS, _) => (200, live.clone()),
        (SEALED_SECRET, _) => (200, live.clone()),
        (line, _) if line.starts_with("POST /api/v1/namespaces/ns/events") => {
            (201, json!({ "metadata": {}, "involvedObject": {} }))
        }
        (line, _) => panic!("unexpected request: {line}"),
    });
    let seen = serde_json::from_value(sealed("1", 1, &Value::Null, "nobody")).unwrap();
    let outcome = unsealer.unseal(&seen).await.unwrap();
    assert!(matches!(outcome, UnsealOutcome::Refused(_)), "{outcome:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let requests = requests.lock().unwrap();
    let sent = requests.iter().filter(|(line, _)| line == STATUS);
    sent.map(|(_, body)| {
        let condition = text(&body["status"]["conditions"][0]["status"]);
        (condition, text(&body["metadata"]["resourceVersion"]))
    })
    .collect()
}

#[tokio::test]
async fn a_true_that_another_controller_wrote_meanwhile_is_not_overwritten() {
    let sent = told_meanwhile(sealed("2", 1, &condition(1, "True"), "controller")).await;
    assert_eq!(
        sent,
        [("False".to_owned(), "1".to_owned())],
        "refused with a conflict, and not again"
    );
}

#[tokio::test]
async fn our_own_status_of_before_is_no_obstacle() {
    let sent = told_meanwhile(sealed("2", 1, &condition(1, "True"), "signet")).await;
    assert_eq!(sent.last(), Some(&("False".to_owned(), "2".to_owned())));
}

#[tokio::test]
async fn a_version_that_was_not_tried_is_not_reported_on() {
    let sent = told_meanwhile(sealed("2", 2, &condition(1, "True"), "signet")).await;
    assert_eq!(sent, [("False".to_owned(), "1".to_owned())]);
}

#[tokio::test]
async fn a_sealed_secret_that_waits_for_its_end_writes_nothing() {
    let (unsealer, requests) = unsealer(|line, _| panic!("unexpected request: {line}"));
    let mut ending = sealed("1", 1, &Value::Null, "nobody");
    ending["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let outcome = unsealer
        .unseal(&serde_json::from_value(ending).unwrap())
        .await;
    assert_eq!(outcome.unwrap(), UnsealOutcome::Unchanged);
    assert!(requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn failures_are_counted_by_reason_and_what_could_not_be_read_without_a_namespace() {
    let (unsealer, _) = unsealer(|line, _| match line {
        STATUS => (200, sealed("2", 1, &Value::Null, "signet")),
        SEALED_SECRET => (503, json!({ "code": 503, "message": "away" })),
        _ => (201, json!({ "metadata": {}, "involvedObject": {} })),
    });
    let seen: SealedSecret = serde_json::from_value(sealed("1", 1, &Value::Null, "")).unwrap();
    unsealer.unseal(&seen).await.unwrap();
    let mut queue = queue::Queue::new(queue::Policy {
        quick_retries: 5,
        self_heal: true,
    });
    queue.exists(&ObjectName::of(&seen), 1);
    queue.want(&ObjectName::of(&seen), None, queue::Place::Fresh);
    let job = queue.take(std::time::Instant::now()).unwrap();
    let unsealer = Arc::new(unsealer);
    let how = jobs::work(Arc::clone(&unsealer), job).await;
    assert_eq!(how, queue::Ended::Unreachable);
    let text = unsealer.metrics.text();
    for series in [
        "unseal_requests_total 1",
        "unseal_errors_total{reason=\"unseal\",namespace=\"ns\"} 1",
        "unseal_errors_total{reason=\"fetch\",namespace=\"\"} 1",
        "condition_info{namespace=\"ns\",name=\"db\",condition=\"Synced\",ss_app_kubernetes_io_instance=\"shop\"} -1",
    ] {
        let series = format!("sealed_secrets_controller_{series}\n");
        assert!(text.contains(&series), "{series} not in {text}");
    }
    unsealer.forget(&ObjectName::of(&seen));
    assert!(!unsealer.metrics.text().contains("condition_info{"));
}

#[tokio::test]
async fn metrics_that_may_not_name_objects_count_their_failures_only() {
    let flags = ["--metrics-omit-secret-labels"];
    let (unsealer, _) = unsealer_with(&flags, |line, _| match line {
        STATUS => (200, sealed("2", 1, &Value::Null, "signet")),
        _ => (201, json!({ "metadata": {}, "involvedObject": {} })),
    });
    let seen = serde_json::from_value(sealed("1", 1, &Value::Null, "nobody")).unwrap();
    unsealer.unseal(&seen).await.unwrap();
    let text = unsealer.metrics.text();
    let counted = r#"unseal_errors_total{reason="unseal",namespace="ns"} 1"#;
    assert!(text.contains(counted), "{text}");
    assert!(
        !text.contains("condition_info{") && !text.contains("db"),
        "{text}"
    );
}

const SECRET: &str = "GET /api/v1/namespaces/ns/secrets/db";
const SECRETS: &str = "POST /api/v1/namespaces/ns/secrets";

/// A SealedSecret that opens without a key.
fn sealed_without_items() -> SealedSecret {
    let mut sealed = sealed("1", 1, &Value::Null, "nobody");
    sealed["spec"] = json!({ "encryptedData": {} });
    serde_json::from_value(sealed).unwrap()
}

/// Conditions and events that were sent: status or type, and message.
fn told(requests: &Requests) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let requests = requests.lock().unwrap();
    let told = requests.iter().filter_map(|(line, body)| {
        let condition = &body["status"]["conditions"][0];
        match line.as_str() {
            STATUS => Some((text(&condition["status"]), text(&condition["message"]))),
            line if line.starts_with("POST /api/v1/namespaces/ns/events") => {
                Some((text(&body["type"]), text(&body["message"])))
            }
            _ => None,
        }
    });
    told.collect()
}

fn failure(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({ "status": "Failure", "code": code, "reason": reason, "message": message });
    (code, status)
}

/// What the API server answers beside the Secret: it takes every status and event.
fn takes_all(line: &str) -> (u16, Value) {
    match line {
        STATUS => (200, sealed("2", 1, &Value::Null, "signet")),
        _ => (201, json!({ "metadata": {}, "involvedObject": {} })),
    }
}

const MAY_NOT_GET: &str = "secrets \"db\" is forbidden: User \"me\" cannot get resource \"secrets\" in API group \"\" in the namespace \"ns\"";

#[tokio::test]
async fn a_secret_that_may_not_be_read_is_a_refusal_in_the_servers_words() {
    let (unsealer, requests) = unsealer(|line, _| match line {
        SECRET => failure(403, "Forbidden", MAY_NOT_GET),
        line => takes_all(line),
    });
    let outcome = unsealer.unseal(&sealed_without_items()).await.unwrap();
    let message = MAY_NOT_GET.to_owned();
    assert_eq!(
        outcome,
        UnsealOutcome::Refused(UnsealReason::WriteRefused { message })
    );
    let expected = ["False", "Warning"].map(|kind| (kind.to_owned(), MAY_NOT_GET.to_owned()));
    assert_eq!(told(&requests), expected);
}

#[tokio::test]
async fn a_server_that_fails_is_told_without_its_words_and_asked_again() {
    for failing in [SECRET, SECRETS] {
        let (unsealer, requests) = unsealer(move |line, _| match line {
            line if line == failing => failure(500, "InternalError", "hunter2"),
            SECRET => failure(404, "NotFound", "secrets \"db\" not found"),
            line => takes_all(line),
        });
        let sealed = sealed_without_items();
        let error = unsealer.unseal(&sealed).await.unwrap_err();
        assert!(matches!(error, kube::Error::Api(_)), "{error:?}");
        assert!(unsealer.was_tried(&sealed), "its status asks for nothing");
        let expected = ["False", "Warning"]
            .map(|kind| (kind.to_owned(), "Secret ns/db: InternalError".to_owned()));
        assert_eq!(told(&requests), expected, "{failing}");
        let text = unsealer.metrics.text();
        let counted = r#"unseal_errors_total{reason="update",namespace="ns"} 1"#;
        assert!(text.contains(counted), "{text}");
    }
}

#[tokio::test]
async fn a_secret_in_effect_that_may_not_be_looked_at_any_more_is_told() {
    let (unsealer, requests) = unsealer(|line, nth| match (line, nth) {
        (SECRET, 1) => failure(404, "NotFound", "secrets \"db\" not found"),
        (SECRET, _) => failure(403, "Forbidden", MAY_NOT_GET),
        (line, _) => takes_all(line),
    });
    let sealed = sealed_without_items();
    let outcome = unsealer.unseal(&sealed).await.unwrap();
    assert_eq!(outcome, UnsealOutcome::Created);
    let outcome = unsealer.unseal(&sealed).await.unwrap();
    assert!(matches!(outcome, UnsealOutcome::Refused(_)), "{outcome:?}");
    assert_eq!(
        told(&requests).last(),
        Some(&("Warning".to_owned(), MAY_NOT_GET.to_owned()))
    );
}
