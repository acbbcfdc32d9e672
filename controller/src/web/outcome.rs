//! What becomes of a webhook, and what its sender is told: a status and the same few words for all reasons of one kind.
//! It must not repeat anything that a sender wrote, nor tell it which repositories there are.

use axum::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::payload::Malformed;
use super::provider::Provider;
use super::push::Concerned;
use super::signature::Refusal;
use crate::http_server::limit;
use crate::http_server::refusal;
use crate::http_server::room::Unread;
use crate::rate::Verdict;

/// What became of a webhook.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Refs moved; these repositories are looked at.
    Told(Concerned),
    /// No ref moved.
    Ignored,
    Refused(Refusal),
    Malformed(Malformed),
    /// No header says whose webhook it is.
    UnknownSender,
    NotPost,
    TooLarge,
    /// The body did not arrive whole, or not in time.
    Broken,
    /// The caller has to wait.
    Limited(Verdict, u32),
    /// Bodies of other callers fill the room, or the sync engine is behind.
    Busy,
    /// The secrets are not read yet, or nobody takes pushes: we are about to end, or the API server is away.
    NotReady,
}

impl Outcome {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Told(_) | Self::Ignored => StatusCode::OK,
            Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::Malformed(_) | Self::UnknownSender | Self::Broken => StatusCode::BAD_REQUEST,
            Self::NotPost => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Limited(..) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Told(_) => "accepted\n",
            Self::Ignored => "ignored: no event that moves a branch or tag\n",
            Self::Refused(_) => "refused\n",
            Self::Malformed(_) => {
                "expected the body of a push webhook, with content type application/json\n"
            }
            Self::UnknownSender => "expected the headers of a webhook\n",
            Self::NotPost => "expected POST\n",
            Self::TooLarge => "the body is too large\n",
            Self::Broken => "the body did not arrive\n",
            Self::Limited(..) => limit::EXCEEDED,
            Self::Busy | Self::NotReady => "not now\n",
        }
    }

    /// Its name in metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Told(concerned) if concerned.is_empty() => "unmatched",
            Self::Told(_) => "accepted",
            Self::Ignored => "ignored",
            Self::Refused(_) => "refused",
            Self::Malformed(_) | Self::UnknownSender | Self::NotPost | Self::Broken => "malformed",
            Self::TooLarge => "too_large",
            Self::Limited(..) => "limited",
            Self::Busy | Self::NotReady => "unavailable",
        }
    }

    /// What went wrong, for our log; nothing where all is well.
    pub(super) fn problem(&self) -> Option<String> {
        Some(match self {
            Self::Told(_) | Self::Ignored => return None,
            Self::Refused(refusal) => refusal.to_string(),
            Self::Malformed(malformed) => malformed.to_string(),
            Self::UnknownSender => "no header says whose webhook it is".to_owned(),
            Self::NotPost => "it is no POST".to_owned(),
            Self::TooLarge => "its body is too large".to_owned(),
            Self::Broken => "its body did not arrive whole and in time".to_owned(),
            Self::Limited(..) => "its sender asks too often".to_owned(),
            Self::Busy => "too many at once".to_owned(),
            Self::NotReady => {
                "the webhook secrets are not read yet, or the process that syncs was not reached"
                    .to_owned()
            }
        })
    }

    /// What to do about it.
    pub(super) fn hint(&self, provider: Option<Provider>) -> Option<String> {
        let secret = crate::dialect::webhooks::SECRET;
        let key = provider.map(|provider| provider.keys()[0])?;
        match self {
            Self::Refused(Refusal::NoSecret) => Some(format!(
                "set key {key} of Secret {secret} in our namespace to the sender's secret, or start with --webhook-allow-unsigned"
            )),
            Self::Refused(Refusal::SecretElsewhere) => Some(format!(
                "put the secret itself into key {key} of Secret {secret}"
            )),
            Self::Refused(Refusal::Unsigned(_)) => Some(format!(
                "set the sender's secret to key {key} of Secret {secret}"
            )),
            Self::Refused(Refusal::Wrong(_)) => Some(format!(
                "compare the sender's secret with key {key} of Secret {secret}; if they are equal, somebody else sent it"
            )),
            Self::Malformed(Malformed::NotJson) => {
                Some("choose content type application/json".to_owned())
            }
            _ => None,
        }
    }
}

impl IntoResponse for Outcome {
    fn into_response(self) -> Response {
        let mut response = refusal(self.status(), self.text());
        self.write_headers(response.headers_mut());
        response
    }
}

impl Outcome {
    fn write_headers(&self, headers: &mut HeaderMap) {
        match self {
            Self::NotPost => drop(headers.insert(ALLOW, HeaderValue::from_static("POST"))),
            Self::Limited(verdict, limit) => limit::write_headers(verdict, *limit, headers),
            Self::Busy | Self::NotReady => {
                drop(headers.insert(RETRY_AFTER, HeaderValue::from_static("1")));
            }
            _ => {}
        }
    }
}

impl From<Unread> for Outcome {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => Self::TooLarge,
            Unread::Broken => Self::Broken,
            Unread::Busy => Self::Busy,
        }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Malformed> for Outcome {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
