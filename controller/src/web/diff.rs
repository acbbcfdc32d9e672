//! `/api/diff`: what a sync of an Application would change, for who may ask for that sync.
//! It must not answer by itself: the sync engine knows whether somebody may ask, and what the answer is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::Webhooks;
use crate::http_server::limit::EXCEEDED;
use crate::http_server::refusal;
use crate::http_server::room::Unread;

/// The path.
pub(super) const PATH: &str = "/api/diff";
/// Largest body: files of 16 MiB, as base64.
pub(super) const LARGEST: usize = 24 << 20;
/// Bytes of bodies that are held at once, for all callers together: one of the largest.
pub(super) const HELD: usize = LARGEST;
/// How long one may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
const JSON: &str = "application/json";

/// Somebody asks what a sync would change.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    namespace: String,
    name: String,
    proof: String,
    /// The sync in question, as `operation.sync` of the Application would ask for it.
    sync: Value,
    /// Which Secrets there are as well, and who has to do with them.
    #[serde(default)]
    secrets: bool,
    /// A tar archive, in base64, of files to look at in place of the repository's.
    files: Option<String>,
}

/// A question on its way to the sync engine.
pub struct Question {
    /// Namespace of the Application.
    pub(crate) namespace: String,
    /// Its name.
    pub(crate) name: String,
    /// What the caller has proven itself by: its digest stands on the Application, where only who may write there puts it.
    pub(crate) proof: String,
    /// The sync in question, as `operation.sync` would ask for it.
    pub(crate) sync: Value,
    /// Whether Secrets are told of as well.
    pub(crate) secrets: bool,
    /// A tar archive of files to look at in place of the repository's.
    pub(crate) files: Option<Arc<[u8]>>,
    answer: oneshot::Sender<Answer>,
}

/// The answer, as JSON.
pub(crate) type Answer = Result<Vec<u8>, NoAnswer>;

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// There is no such Application, or it does not say that this caller asks.
    NotAsked,
    /// The API server is away, or we are about to end.
    Unavailable,
}

impl Question {
    /// Nobody waits for the answer any more.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.answer.is_closed()
    }

    pub(crate) fn answer(self, answer: Answer) {
        // The caller may have gone: then nobody wants to know.
        let _ = self.answer.send(answer);
    }
}

/// Without the proof.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({}/{})", self.namespace, self.name)
    }
}

/// Why a caller gets no answer.
enum Refused {
    NotPost,
    Unread(Unread),
    Malformed,
    Limited,
    Busy,
    NoAnswer(NoAnswer),
}

pub(super) async fn diff(State(web): State<Arc<Webhooks>>, request: Request) -> Response {
    match asked(&web, request).await {
        Ok(answer) => ([(CONTENT_TYPE, JSON)], answer).into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn asked(web: &Webhooks, request: Request) -> Result<Vec<u8>, Refused> {
    web.limit(PATH, &request).map_err(|_| Refused::Limited)?;
    if request.method() != Method::POST {
        return Err(Refused::NotPost);
    }
    let body = web.questions.room.read(request.into_body(), ARRIVAL).await;
    let body = body.map_err(Refused::Unread)?;
    let body: Body = serde_json::from_slice(&body.bytes).map_err(|_| Refused::Malformed)?;
    let files = body.files.map(|files| BASE64_STANDARD.decode(files));
    let files = files.transpose().map_err(|_| Refused::Malformed)?;
    let files = files.map(Arc::from);
    let (answer, answered) = oneshot::channel();
    let question = Question {
        namespace: body.namespace,
        name: body.name,
        proof: body.proof,
        sync: body.sync,
        secrets: body.secrets,
        files,
        answer,
    };
    let sent = web.questions.sender.try_send(question);
    sent.map_err(|_| Refused::Busy)?;
    let answer = answered.await.unwrap_or(Err(NoAnswer::Unavailable));
    answer.map_err(Refused::NoAnswer)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotPost => (StatusCode::METHOD_NOT_ALLOWED, "expected POST\n"),
            Self::Unread(Unread::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n")
            }
            Self::Unread(Unread::Broken) => (StatusCode::BAD_REQUEST, "the body did not arrive\n"),
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "expected namespace, name, proof and sync, as JSON\n",
            ),
            Self::Limited => (StatusCode::TOO_MANY_REQUESTS, EXCEEDED),
            Self::NoAnswer(NoAnswer::NotAsked) => (
                StatusCode::FORBIDDEN,
                "the Application does not say that you ask\n",
            ),
            Self::Busy | Self::Unread(Unread::Busy) | Self::NoAnswer(NoAnswer::Unavailable) => {
                (StatusCode::SERVICE_UNAVAILABLE, "not now\n")
            }
        };
        let mut response = refusal(status, text);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let post = HeaderValue::from_static("POST");
            response.headers_mut().insert(ALLOW, post);
        }
        response
    }
}

/// Where questions go.
#[derive(Debug)]
pub(super) struct Questions {
    pub(super) sender: mpsc::Sender<Question>,
    pub(super) room: crate::http_server::room::Room,
}
