//! One GET: limits on time and size, and redirects followed one by one, so that credentials go to no other host.
//! It knows neither indexes nor registries.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION},
};
use tokio::time::timeout;

use super::{
    Access, ChartError, Tls,
    limits::{REDIRECTS, shown},
};
use crate::{
    git::why_no_connection,
    repositories::{self, guard::LocalAddress, http_client},
};

/// A whole answer may take longer than its beginning, by about this factor.
const BODY_FACTOR: u32 = 5;

/// A client for one repository.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    /// For other hosts: what is said of the repository's own certificates is not said of theirs.
    elsewhere: Client,
    home: Url,
    access: Access,
    timeout: Duration,
}

/// What to get.
#[derive(Debug)]
pub(super) struct Get<'a> {
    /// The repository and chart, for messages.
    pub(super) at: &'a str,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) authorization: Option<&'a HeaderValue>,
    /// URLs whose hosts may see `authorization`.
    pub(super) known_to: &'a [Url],
    pub(super) redirects: Redirects,
}

/// Which redirects are followed; over TLS never to a URL without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Redirects {
    OwnHost,
    /// To other hosts too, over TLS: for content that is checked by its digest or lies with a CDN as a rule.
    Anywhere,
}

/// The beginning of an answer.
#[derive(Debug)]
pub(super) struct Answer {
    response: Response,
    at: String,
    timeout: Duration,
    deadline: Instant,
}

impl Http {
    /// A client for the repository that is below `home`.
    pub(super) fn new(
        home: Url,
        access: &Access,
        at: &str,
        timeout: Duration,
    ) -> Result<Self, ChartError> {
        let client = |access| {
            // Redirects are ours to follow.
            http_client(access, repositories::Redirects::Refused).map_err(|_| {
                ChartError::NotSupported {
                    at: at.to_owned(),
                    what: "the TLS settings or proxy of its repository Secret",
                }
            })
        };
        let tls = Tls {
            insecure: access.tls.insecure,
            ..Tls::default()
        };
        let elsewhere = Access {
            tls,
            ..access.clone()
        };
        Ok(Self {
            client: client(access)?,
            elsewhere: client(&elsewhere)?,
            home,
            access: access.clone(),
            timeout,
        })
    }

    pub(super) fn home(&self) -> &Url {
        &self.home
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// The login as a header; `None` without one, and where it is no header's text.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let text = self.access.authorization()?;
        let mut value = HeaderValue::from_str(text.expose()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// The answer to a GET, whatever its status.
    pub(super) async fn get(&self, get: Get<'_>) -> Result<Answer, ChartError> {
        let deadline = Instant::now() + self.timeout * BODY_FACTOR;
        let mut url = without_user(get.url.clone());
        for _ in 0..=REDIRECTS {
            let response = self.send(&get, &url).await?;
            let Some(next) = redirection(&response, &url) else {
                return Ok(Answer {
                    response,
                    at: get.at.to_owned(),
                    timeout: self.timeout,
                    deadline,
                });
            };
            get.follow(&url, &next)?;
            url = next;
        }
        Err(get.redirected("again and again"))
    }

    async fn send(&self, get: &Get<'_>, url: &Url) -> Result<Response, ChartError> {
        if self.access.admit(url.as_str()).is_err() {
            return Err(not_allowed(get.at));
        }
        let client = if is_same_host(&self.home, url) {
            &self.client
        } else {
            &self.elsewhere
        };
        let mut request = client.get(url.clone()).headers(get.headers.clone());
        let known = || get.known_to.iter().any(|known| is_same_host(known, url));
        if let Some(authorization) = get.authorization.filter(|_| known()) {
            request = request.header(AUTHORIZATION, authorization);
        }
        match timeout(self.timeout, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(failure(get.at, self.timeout, &error)),
            Err(_) => Err(overdue(get.at, self.timeout)),
        }
    }

    /// Why an answer with this status is none, where every server means the same by it.
    pub(super) fn refusal(&self, at: &str, status: StatusCode) -> Option<ChartError> {
        let at = at.to_owned();
        match status.as_u16() {
            401 => Some(match &self.access.secret {
                Some(secret) => ChartError::AuthenticationFailed {
                    at,
                    secret: secret.clone(),
                },
                None => ChartError::AuthenticationRequired { at },
            }),
            403 => Some(ChartError::Forbidden { at }),
            status @ (429 | 500..) => Some(ChartError::Unreachable {
                at,
                cause: format!("HTTP status {status}"),
            }),
            _ => None,
        }
    }
}

impl Get<'_> {
    /// Whether the redirect from `url` to `next` is one to follow.
    fn follow(&self, url: &Url, next: &Url) -> Result<(), ChartError> {
        let secure = next.scheme() == "https";
        if !secure && (url.scheme() == "https" || next.scheme() != "http") {
            return Err(self.redirected("to a URL that is not https"));
        }
        if is_same_host(url, next) {
            return Ok(());
        }
        match self.redirects {
            Redirects::Anywhere if secure => Ok(()),
            Redirects::Anywhere => Err(self.redirected("to a URL that is not https")),
            Redirects::OwnHost => Err(self.redirected("to another host")),
        }
    }

    fn redirected(&self, whither: &'static str) -> ChartError {
        ChartError::Redirected {
            at: self.at.to_owned(),
            whither,
        }
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The values of a header that are text.
    pub(super) fn headers(&self, name: HeaderName) -> impl Iterator<Item = &str> {
        let values = self.response.headers().get_all(name).into_iter();
        values.filter_map(|value| value.to_str().ok())
    }

    /// The URL that answered.
    pub(super) fn url(&self) -> &Url {
        self.response.url()
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Vec<u8>>, ChartError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let limit = left.min(self.timeout);
        match timeout(limit, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece.map(|piece| piece.to_vec())),
            Ok(Err(error)) => Err(failure(&self.at, self.timeout, &error)),
            Err(_) if left < self.timeout => Err(overdue(&self.at, self.timeout * BODY_FACTOR)),
            Err(_) => Err(overdue(&self.at, self.timeout)),
        }
    }

    /// The whole body, of `limit` bytes at most.
    pub(super) async fn body(
        mut self,
        limit: usize,
        what: &'static str,
    ) -> Result<Vec<u8>, ChartError> {
        let too_large = |at: &str| ChartError::TooLarge {
            at: at.to_owned(),
            what,
            limit: shown(limit),
        };
        let length = self.response.content_length().unwrap_or(0);
        if usize::try_from(length).is_ok_and(|length| length > limit) {
            return Err(too_large(&self.at));
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece().await? {
            if body.len() + piece.len() > limit {
                return Err(too_large(&self.at));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }
}

/// Whether both URLs lead to one server. TLS where there was none before makes no other server of it.
pub(super) fn is_same_host(one: &Url, other: &Url) -> bool {
    let ports = (one.port_or_known_default(), other.port_or_known_default());
    let same_server = one.scheme() == other.scheme() && ports.0 == ports.1;
    let upgraded = one.scheme() == "http" && ports == (Some(80), Some(443));
    one.host_str() == other.host_str() && (same_server || upgraded && other.scheme() == "https")
}

/// Where a redirect leads; `None` when the answer is none.
fn redirection(response: &Response, url: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    url.join(location).ok().map(without_user)
}

/// The client would make credentials of what stands before the host.
fn without_user(mut url: Url) -> Url {
    // Only URLs without a host refuse this, and they have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn not_allowed(at: &str) -> ChartError {
    ChartError::AddressNotAllowed { at: at.to_owned() }
}

fn overdue(at: &str, limit: Duration) -> ChartError {
    ChartError::TimedOut {
        at: at.to_owned(),
        seconds: limit.as_secs(),
    }
}

fn failure(at: &str, limit: Duration, error: &reqwest::Error) -> ChartError {
    if error.is_timeout() {
        return overdue(at, limit);
    }
    let causes = || {
        std::iter::successors(error.source(), |cause: &&(dyn Error + 'static)| {
            (*cause).source()
        })
    };
    if causes().any(|cause| cause.is::<LocalAddress>()) {
        return not_allowed(at);
    }
    let cause = if error.is_body() || error.is_decode() {
        BROKEN_OFF.to_owned()
    } else {
        why_no_connection(&causes().map(ToString::to_string).collect::<Vec<_>>())
    };
    ChartError::Unreachable {
        at: at.to_owned(),
        cause,
    }
}

/// What a body without an end is called.
pub(super) const BROKEN_OFF: &str = "the answer broke off";

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        is_same_host(&one.parse().unwrap(), &other.parse().unwrap())
    }

    #[test]
    fn a_host_is_the_same_with_its_port_and_with_tls_added() {
        assert!(same("https://h/a", "https://h:443/b"));
        assert!(same("http://h/a", "https://h/b"));
        for (one, other) in [
            ("https://h", "http://h"),
            ("https://h", "https://h:8443"),
            ("http://h:8080", "https://h"),
            ("https://h", "https://x.h"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
