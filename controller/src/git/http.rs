//! Git over HTTP, for gix: requests through a client that obeys the repository's access, from a thread that may block.
//! It follows a redirect only to the same server and only without a login, and says of a failure what it knows.

use std::{
    io::{self, BufReader, Cursor, Read, Write},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    time::{Duration, Instant},
};

use gix::protocol::transport::{
    Protocol,
    client::blocking_io::http::{self as gix_http, GetResponse, PostBodyDataKind, PostResponse},
};
use reqwest::{
    Client, RequestBuilder, Response, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION},
};
use tokio::{runtime::Handle, time::timeout};

use super::{
    GitError, Repository, failure,
    wire::{BoxedTransport, Limits, Trouble, Way},
};
use crate::repositories::{IDLE_CONNECTIONS, Redirects, same_host};

/// As git does: more redirects for one request are a loop.
const REDIRECTS: usize = 5;
/// What we ask for are names of refs and commits; this is some hundred thousand of them.
const QUESTION_LIMIT: usize = 32 << 20;

/// A transport to the repository of `way`; what goes wrong is noted in `trouble`.
pub(super) fn transport(way: &Way<'_>, trouble: &Trouble) -> Result<BoxedTransport, GitError> {
    let (url, access) = (&way.repository.url, &way.repository.access);
    access.admit(url.as_str())?;
    let runtime = Handle::current();
    let authorization = runtime.block_on(way.repositories.authorization(access, url))?;
    let authorization = authorization.map(|text| {
        HeaderValue::try_from(text.expose()).map(|mut value| {
            value.set_sensitive(true);
            value
        })
    });
    let http = Http {
        caller: Caller {
            repository: way.repository.clone(),
            limits: way.limits,
            deadline: Instant::now() + way.limits.whole,
            runtime,
            trouble: trouble.clone(),
        },
        client: way.repositories.client(access, Redirects::Refused)?,
        authorization: authorization
            .transpose()
            .map_err(|_| failure::authentication(way.repository))?,
        moved: None,
    };
    let url = gix::url::parse(url.as_str()).map_err(|_| way.not_understood())?;
    Ok(Box::new(gix_http::Transport::new_http(
        http,
        url,
        Protocol::V2,
        false,
    )))
}

struct Http {
    caller: Caller,
    client: Client,
    authorization: Option<HeaderValue>,
    /// The URL of the repository after a redirect.
    moved: Option<String>,
}

/// Waits for answers, within limits.
#[derive(Clone)]
struct Caller {
    repository: Repository,
    limits: Limits,
    deadline: Instant,
    runtime: Handle,
    trouble: Trouble,
}

impl Caller {
    /// Notes `error` and gives gix something to fail with.
    fn fail(&self, error: GitError) -> io::Error {
        self.trouble.note(error);
        io::Error::other("noted")
    }

    /// Waits for one step of an answer.
    fn wait<T: Send + 'static>(
        &self,
        step: impl Future<Output = reqwest::Result<T>> + Send + 'static,
    ) -> io::Result<T> {
        self.attempt(step)?.map_err(|error| self.broken(&error))
    }

    /// The same, with a failure for the caller to look at. The step is a task of its own: when the process ends, the task
    /// is dropped, where waiting here for time and network would panic.
    fn attempt<T: Send + 'static>(
        &self,
        step: impl Future<Output = reqwest::Result<T>> + Send + 'static,
    ) -> io::Result<reqwest::Result<T>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let limit = self.limits.idle.min(left);
        let (done, waiting) = mpsc::sync_channel(1);
        self.runtime
            .spawn(async move { drop(done.send(timeout(limit, step).await)) });
        match waiting.recv() {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) if limit < self.limits.idle => Err(self.timed_out(self.limits.whole)),
            Ok(Err(_)) => Err(self.timed_out(self.limits.idle)),
            Err(mpsc::RecvError) => {
                let ends = failure::unreachable(&self.repository, "the controller ends");
                Err(self.fail(ends))
            }
        }
    }

    fn broken(&self, error: &reqwest::Error) -> io::Error {
        self.fail(failure::of_http(&self.repository, self.limits.idle, error))
    }

    fn timed_out(&self, limit: Duration) -> io::Error {
        self.fail(failure::timed_out(&self.repository, limit))
    }

    /// Sends a question that changes nothing: again where a connection kept from before was gone already.
    fn send(&self, request: RequestBuilder) -> io::Result<Response> {
        for _ in 0..IDLE_CONNECTIONS {
            let Some(attempt) = request.try_clone() else {
                break;
            };
            match self.attempt(attempt.send())? {
                Err(error) if error.is_request() && !error.is_connect() && !error.is_timeout() => {}
                sent => return sent.map_err(|error| self.broken(&error)),
            }
        }
        self.wait(request.send())
    }

    /// The answer, when its status is good.
    fn accepted(&self, response: Response) -> io::Result<Response> {
        match failure::of_status(&self.repository, response.status().as_u16()) {
            Some(error) => Err(self.fail(error)),
            None => Ok(response),
        }
    }
}

impl Http {
    fn headers(&self, lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            let Some((name, value)) = line.as_ref().split_once(':') else {
                continue;
            };
            if let (Ok(name), Ok(value)) = (
                HeaderName::try_from(name),
                HeaderValue::try_from(value.trim()),
            ) {
                headers.append(name, value);
            }
        }
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        headers
    }

    /// Asks for `url`, and for where it is now on the same server.
    fn find(&mut self, url: &str, base_url: &str, headers: &HeaderMap) -> io::Result<Response> {
        let mut asked = url.to_owned();
        for _ in 0..=REDIRECTS {
            let response = self
                .caller
                .send(self.client.get(&asked).headers(headers.clone()))?;
            if !response.status().is_redirection() {
                if asked != url {
                    self.moved = Some(self.base_after(&asked, url, base_url)?);
                }
                return self.caller.accepted(response);
            }
            asked = self.next(&response).ok_or_else(|| self.redirected())?;
        }
        Err(self.redirected())
    }

    /// Where a redirect leads, when it may be followed.
    fn next(&self, response: &Response) -> Option<String> {
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let next: Url = response.url().join(location).ok()?;
        (self.authorization.is_none() && same_host(response.url(), &next)).then(|| next.to_string())
    }

    /// The URL of the repository, from that of a request that ends as the first one did.
    fn base_after(&self, asked: &str, url: &str, base_url: &str) -> io::Result<String> {
        let tail = url.strip_prefix(base_url).unwrap_or(url);
        let base = asked.strip_suffix(tail).ok_or_else(|| self.redirected())?;
        Ok(base.to_owned())
    }

    fn redirected(&self) -> io::Error {
        self.caller
            .fail(failure::redirected(&self.caller.repository))
    }
}

impl gix_http::Http for Http {
    type Headers = BufReader<Head>;
    type ResponseBody = BufReader<Body>;
    type PostBody = Question;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let headers = self.headers(headers);
        let found = self.find(url, base_url, &headers);
        let response = found.map_err(gix::Error::from_error)?;
        let exchange = Exchange::new(self.caller.clone(), Step::answered(response));
        Ok(GetResponse {
            headers: BufReader::new(Head(exchange.clone())),
            body: BufReader::new(Body(exchange)),
        })
    }

    fn post(
        &mut self,
        url: &str,
        _base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _body: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let request = self.client.post(url).headers(self.headers(headers));
        let step = Step::Asking {
            request,
            body: Vec::new(),
        };
        let exchange = Exchange::new(self.caller.clone(), step);
        Ok(PostResponse {
            post_body: Question(exchange.clone()),
            headers: BufReader::new(Head(exchange.clone())),
            body: BufReader::new(Body(exchange)),
        })
    }

    fn configure(&mut self, _config: &dyn std::any::Any) -> gix::Result<()> {
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.moved.clone()
    }
}

/// One request and its answer: sent when the answer is first looked at, since gix writes the question before.
#[derive(Clone)]
struct Exchange(Arc<(Caller, Mutex<Step>)>);

enum Step {
    Asking {
        request: RequestBuilder,
        body: Vec<u8>,
    },
    Answered(Answer),
    Failed,
}

struct Answer {
    head: Cursor<Vec<u8>>,
    /// Gone once a part of it did not come.
    response: Option<Response>,
    part: Cursor<Vec<u8>>,
    /// Bytes of the body so far.
    read: u64,
}

impl Step {
    fn answered(response: Response) -> Self {
        let mut head = Vec::new();
        for (name, value) in response.headers() {
            head.extend_from_slice(name.as_str().as_bytes());
            head.push(b':');
            head.extend_from_slice(value.as_bytes());
            head.push(b'\n');
        }
        Self::Answered(Answer {
            head: Cursor::new(head),
            response: Some(response),
            part: Cursor::default(),
            read: 0,
        })
    }
}

impl Exchange {
    fn new(caller: Caller, step: Step) -> Self {
        Self(Arc::new((caller, Mutex::new(step))))
    }

    fn step(&self) -> MutexGuard<'_, Step> {
        self.0.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads from the answer, sending the question before when that has not happened.
    fn read(
        &self,
        read: impl FnOnce(&Caller, &mut Answer) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let caller = &self.0.0;
        let mut step = self.step();
        if matches!(*step, Step::Asking { .. })
            && let Step::Asking { request, body } = mem::replace(&mut *step, Step::Failed)
        {
            let response = caller.send(request.body(body))?;
            if response.status().is_redirection() {
                return Err(caller.fail(failure::redirected(&caller.repository)));
            }
            *step = Step::answered(caller.accepted(response)?);
        }
        match &mut *step {
            Step::Answered(answer) => read(caller, answer),
            Step::Asking { .. } | Step::Failed => Err(io::Error::other("noted")),
        }
    }
}

struct Head(Exchange);

impl Read for Head {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(|_, answer| answer.head.read(buffer))
    }
}

struct Body(Exchange);

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(|caller, answer| {
            loop {
                let count = answer.part.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                let Some(mut response) = answer.response.take() else {
                    return Err(io::Error::other("noted"));
                };
                let (part, response) = caller.wait(async move {
                    let part = response.chunk().await?;
                    Ok((part, response))
                })?;
                answer.response = Some(response);
                let Some(part) = part else {
                    return Ok(0);
                };
                answer.read += part.len() as u64;
                if answer.read > caller.limits.bytes {
                    return Err(caller.fail(failure::too_much(&caller.repository)));
                }
                answer.part = Cursor::new(part.into());
            }
        })
    }
}

struct Question(Exchange);

impl Write for Question {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut *self.0.step() {
            Step::Asking { body, .. } if body.len() + buffer.len() <= QUESTION_LIMIT => {
                body.extend_from_slice(buffer);
                Ok(buffer.len())
            }
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
