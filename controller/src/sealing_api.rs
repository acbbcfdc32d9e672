//! The HTTP API that kubeseal and `signet` use: health, certificate, verify, rotate.
//! It must not render a template for a caller, take the scope from anywhere but the object, or say why an opening failed.

mod body;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzzing/bodies.rs"]
pub mod fuzz_bodies;
mod turn;

use std::num::NonZero;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::sync::Semaphore;

use self::body::{Documents, Problem, Sealed, Text};
use self::turn::Turn;
use crate::context::Context;
use crate::http_server::limit::{self, Limiter};
use crate::http_server::room::Room;
use crate::http_server::{TEXT, not_found, refusal, timeouts};
use crate::keys::Standing;
use crate::metrics::{HttpDurationLabels, HttpRequestLabels};
use crate::run::Error;

const PEM: &str = "application/x-pem-file";
const JSON: &str = "application/json";

/// What the handlers share.
struct Api {
    context: Arc<Context>,
    limiter: Limiter,
    room: Room,
    turns: Arc<Semaphore>,
}

/// Serves the API until shutdown; requests in hand are answered.
pub async fn run(context: Arc<Context>) -> Result<(), Error> {
    let settings = &context.settings.api;
    let address = &settings.listen_addr;
    let listener = address.bind().await.map_err(|source| Error::Listen {
        address: address.to_string(),
        source,
    })?;
    let listener = timeouts::Listener::new(listener, settings.read_timeout, settings.write_timeout);
    tracing::info!(addr = %address, "HTTP server serving");
    let shutdown = context.shutdown.clone().cancelled_owned();
    axum::serve(listener, router(Arc::clone(&context)))
        .with_graceful_shutdown(shutdown)
        .await
        .map_err(Error::Serve)
}

/// All paths; any method will do, as it does upstream.
fn router(context: Arc<Context>) -> Router {
    let settings = &context.settings.api;
    let limiter = Limiter::new(settings.rate_limit, settings.rate_limit_burst);
    // More requests at once than cores would only slow each other down.
    let turns = std::thread::available_parallelism().map_or(1, NonZero::get);
    let api = Arc::new(Api {
        context,
        limiter,
        room: Room::new(body::HELD, body::LARGEST),
        turns: Arc::new(Semaphore::new(turns)),
    });
    let limited = Router::new()
        .route("/v1/verify", any(verify))
        .route("/v1/rotate", any(rotate))
        .layer(from_fn_with_state(Arc::clone(&api), limit));
    Router::new()
        .route("/v1/cert.pem", any(certificate))
        .merge(limited)
        .layer(from_fn_with_state(Arc::clone(&api), measure))
        .route("/healthz", any(async || text(StatusCode::OK, "ok\n")))
        .route("/readyz", any(ready))
        .fallback(not_found)
        .with_state(api)
}

async fn ready(State(api): State<Arc<Api>>) -> Response {
    match *api.context.keys.standing().borrow() {
        Standing::Serving => text(StatusCode::OK, "ok\n"),
        Standing::Starting | Standing::Observing => {
            text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    }
}

async fn certificate(State(api): State<Arc<Api>>) -> Response {
    match api.context.keyring.current() {
        Some(key) => ([(CONTENT_TYPE, PEM)], key.certificate.pem().to_owned()).into_response(),
        None => refusal(
            StatusCode::INTERNAL_SERVER_ERROR,
            "cannot get certificate\n",
        ),
    }
}

/// 200 when every item can be opened, 409 when not, and nothing else to learn.
async fn verify(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (turn, Sealed { sealed, .. }) = match api.take(request, Documents::One).await {
        Ok(taken) => taken,
        Err(problem) => return problem.into_response(),
    };
    match turn.opens(sealed, &api.context.keyring).await {
        true => StatusCode::OK.into_response(),
        false => StatusCode::CONFLICT.into_response(),
    }
}

/// The same object, its items sealed with the current key; those that are already stay to the byte.
async fn rotate(State(api): State<Arc<Api>>, request: Request) -> Response {
    let (turn, Sealed { mut object, sealed }) = match api.take(request, Documents::First).await {
        Ok(taken) => taken,
        Err(problem) => return problem.into_response(),
    };
    let keyring = &api.context.keyring;
    let Some(current) = keyring.current() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let Some(items) = turn.reseal(sealed, keyring, &current.certificate).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if let Some(spec) = object.get_mut("spec").and_then(|spec| spec.as_object_mut()) {
        spec.insert("encryptedData".to_owned(), serde_json::json!(items));
    }
    ([(CONTENT_TYPE, JSON)], format!("{object}\n")).into_response()
}

impl Api {
    /// Reads a request and waits for its turn; nothing of it is understood before.
    async fn take(
        &self,
        request: Request,
        documents: Documents,
    ) -> Result<(Turn, Sealed), Problem> {
        let time = self.context.settings.api.read_timeout;
        let text = Text(self.room.read(request.into_body(), time).await?);
        let turn = Turn::wait(&self.turns).await;
        let sealed = turn.run(move || text.parse(documents)).await?;
        Ok((turn, sealed))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Busy => refusal(self.status(), limit::EXCEEDED),
            _ => self.status().into_response(),
        };
        if self == Self::Busy {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Lets a caller through, or tells when to come again.
async fn limit(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let caller = request
        .headers()
        .get("x-forwarded-for")
        .map_or(&[][..], HeaderValue::as_bytes);
    let verdict = api
        .limiter
        .check(request.uri().path(), caller, Instant::now());
    let mut response = match verdict.allowed {
        true => next.run(request).await,
        false => refusal(StatusCode::TOO_MANY_REQUESTS, limit::EXCEEDED),
    };
    limit::write_headers(&verdict, api.limiter.limit(), response.headers_mut());
    response
}

/// The methods there are; a caller who makes up others makes no new series.
fn method_label(method: &Method) -> String {
    match method.as_str() {
        "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => {
            method.as_str().to_ascii_lowercase()
        }
        _ => "other".to_owned(),
    }
}

/// Counts the request and its time.
async fn measure(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let method = method_label(request.method());
    let begin = Instant::now();
    let response = next.run(request).await;
    let metrics = &api.context.metrics;
    let duration = HttpDurationLabels {
        path: path.clone(),
        method: method.clone(),
    };
    metrics
        .http_request_duration
        .get_or_create(&duration)
        .observe(begin.elapsed().as_secs_f64());
    let code = response.status().as_u16();
    metrics
        .http_requests
        .get_or_create(&HttpRequestLabels { path, code, method })
        .inc();
    response
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, TEXT)], text).into_response()
}
