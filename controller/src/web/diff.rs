//! `/api/diff`: what a sync of an Application would change, for who may ask for that sync.
//! It must not answer by itself: the sync engine knows whether somebody may ask, and what the answer is.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{Peer, Webhooks};
use crate::http_server::limit::EXCEEDED;
use crate::http_server::refusal;
use crate::http_server::room::{Held, Room, Unread};

/// The path.
pub(super) const PATH: &str = "/api/diff";
/// The Application, as `namespace/name`, and the proof that the caller may ask about it: headers, so that no body is read before.
const APPLICATION: &str = "signet-application";
const PROOF: &str = "signet-proof";
/// Bytes of a proof, as `signet` makes it.
const PROVES: usize = 64;
/// Longest name of an object.
const NAME: usize = 253;
/// Largest body: files of 16 MiB, as base64.
pub(super) const LARGEST: usize = 24 << 20;
/// Bytes of bodies that are held at once, for all callers together.
pub(super) const HELD: usize = 2 * LARGEST;
/// How long one may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(60);
/// How long the connection may be silent meanwhile: longer than an answer takes.
const SILENCE: Duration = Duration::from_secs(180);
const JSON: &str = "application/json";

/// Somebody who wants to ask about an Application.
pub struct Caller {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Its digest stands on the Application, where only who may write there puts it.
    pub(crate) proof: String,
    /// Takes the Application, for who may ask about it.
    pub(crate) answer: oneshot::Sender<Result<Value, NoAnswer>>,
}

/// What somebody who may ask wants to know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    /// The sync in question, as `operation.sync` of the Application would ask for it.
    sync: Value,
    /// Which Secrets there are as well, and who has to do with them.
    #[serde(default)]
    secrets: bool,
    /// A tar archive, in base64, of files to look at in place of the repository's.
    files: Option<String>,
}

/// A question of somebody who may ask it.
pub struct Question {
    /// The Application, as it was when they proved that they may.
    pub(crate) application: Value,
    /// The sync in question, as `operation.sync` would ask for it.
    pub(crate) sync: Value,
    /// Whether Secrets are told of as well.
    pub(crate) secrets: bool,
    /// A tar archive of files to look at in place of the repository's.
    pub(crate) files: Option<Arc<[u8]>>,
    pub(crate) answer: oneshot::Sender<Answer>,
}

/// The answer, as JSON.
pub(crate) type Answer = Result<Vec<u8>, NoAnswer>;

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswer {
    /// There is no such Application, or it does not say that this caller asks.
    NotAsked,
    /// It took longer than anybody waits.
    TooLong,
    /// The API server is away, or we are about to end.
    Unavailable,
}

/// Without the proof.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({}/{})", self.namespace, self.name)
    }
}

/// Without what was sent.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Question({})", self.sync)
    }
}

/// Why a caller gets no answer.
enum Refused {
    NotPost,
    NoProof,
    Unread(Unread),
    Malformed,
    Limited,
    Busy,
    NoAnswer(NoAnswer),
}

/// Where callers and questions go.
#[derive(Debug)]
pub(super) struct Questions {
    pub(super) callers: mpsc::Sender<Caller>,
    pub(super) questions: mpsc::Sender<Question>,
    pub(super) room: Room,
}

pub(super) async fn diff(State(web): State<Arc<Webhooks>>, request: Request) -> Response {
    match asked(&web, request).await {
        Ok(answer) => ([(CONTENT_TYPE, JSON)], answer).into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn asked(web: &Webhooks, request: Request) -> Result<Vec<u8>, Refused> {
    // What stands in a header tells nobody apart who wants to seem many.
    let verdict = web.limit(PATH, &request, &[]);
    verdict.map_err(|_| Refused::Limited)?;
    if request.method() != Method::POST {
        return Err(Refused::NotPost);
    }
    let Questions {
        callers,
        questions,
        room,
    } = &web.questions;
    let (answer, answered) = oneshot::channel();
    let caller = caller(request.headers(), answer).ok_or(Refused::NoProof)?;
    callers.try_send(caller).map_err(|_| Refused::Busy)?;
    let application = answered.await.unwrap_or(Err(NoAnswer::Unavailable));
    let application = application.map_err(Refused::NoAnswer)?;
    let (head, body) = request.into_parts();
    if let Some(ConnectInfo(peer)) = head.extensions.get::<ConnectInfo<Peer>>() {
        peer.patience.be(SILENCE);
    }
    let body = room.read(body, ARRIVAL).await.map_err(Refused::Unread)?;
    let (Body { sync, secrets, .. }, files) = Body::read(&body).ok_or(Refused::Malformed)?;
    drop(body);
    let (answer, answered) = oneshot::channel();
    let question = Question {
        application,
        sync,
        secrets,
        files,
        answer,
    };
    questions.try_send(question).map_err(|_| Refused::Busy)?;
    let answer = answered.await.unwrap_or(Err(NoAnswer::Unavailable));
    answer.map_err(Refused::NoAnswer)
}

/// Who asks, where the headers say it in its form.
fn caller(headers: &HeaderMap, answer: oneshot::Sender<Result<Value, NoAnswer>>) -> Option<Caller> {
    let header = |name| headers.get(name)?.to_str().ok();
    let (namespace, name) = header(APPLICATION)?.split_once('/')?;
    let proof = header(PROOF).filter(|proof| proof.len() == PROVES)?;
    let is_name = |name: &str| {
        let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        !name.is_empty() && name.len() <= NAME && name.bytes().all(fits)
    };
    let caller = || Caller {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        proof: proof.to_owned(),
        answer,
    };
    (is_name(namespace) && is_name(name)).then(caller)
}

impl Body {
    fn read(held: &Held) -> Option<(Self, Option<Arc<[u8]>>)> {
        let body: Self = serde_json::from_slice(&held.bytes).ok()?;
        let files = body
            .files
            .as_ref()
            .map(|files| BASE64_STANDARD.decode(files));
        let files = files.transpose().ok()?;
        Some((body, files.map(Arc::from)))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::NotPost => (StatusCode::METHOD_NOT_ALLOWED, "expected POST\n"),
            Self::NoProof => (
                StatusCode::BAD_REQUEST,
                "expected the headers signet-application and signet-proof\n",
            ),
            Self::Unread(Unread::TooLarge) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large\n")
            }
            Self::Unread(Unread::Broken) => (StatusCode::BAD_REQUEST, "the body did not arrive\n"),
            Self::Malformed => (StatusCode::BAD_REQUEST, "expected sync, as JSON\n"),
            Self::Limited => (StatusCode::TOO_MANY_REQUESTS, EXCEEDED),
            Self::NoAnswer(NoAnswer::NotAsked) => (
                StatusCode::CONFLICT,
                "the Application does not say that you ask\n",
            ),
            Self::NoAnswer(NoAnswer::TooLong) => {
                (StatusCode::GATEWAY_TIMEOUT, "it took too long\n")
            }
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
