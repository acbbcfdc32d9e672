//! The web server: `/api/webhook`, by which Git servers tell of pushes, and `/api/diff`, by which `signet` asks what a sync would do.
//! A webhook is a hint and nothing more: it must not bring in a URL, a revision or a text that anybody acts on.

mod diff;
#[cfg(any(test, fuzzing))]
#[path = "../../../tests/fuzzing/webhooks.rs"]
pub mod fuzz_webhooks;
mod location;
mod outcome;
mod payload;
mod provider;
mod push;
mod secrets;
mod signature;
mod tell;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::serve::IncomingStream;
use tokio::sync::{mpsc, watch};

use self::diff::Questions;
pub(crate) use self::diff::{Answer, NoAnswer};
pub use self::diff::{Caller, Question};
pub(crate) use self::location::Location;
use self::outcome::Outcome;
use self::payload::Event;
use self::provider::Provider;
pub use self::push::{Concerned, Push};
pub use self::secrets::Secrets;
use self::tell::Teller;
use crate::context::Context;
use crate::http_server::limit::Limiter;
use crate::http_server::room::Room;
use crate::http_server::{not_found, timeouts};
use crate::metrics::Metrics;
use crate::rate::Verdict;
use crate::run::Error;

/// The path, which Argo CD's users have configured already.
const PATH: &str = "/api/webhook";
/// Largest body. A push of many commits has some hundred kilobytes; GitHub leaves commits out beyond 2,048.
const LARGEST: usize = 1 << 20;
/// Bytes of bodies that are held at once, for all callers together.
const HELD: usize = 8 << 20;
/// How long a request may take to arrive, and its sender to take the answer. Senders themselves give up after 10 to 30 seconds.
const TIME: Duration = Duration::from_secs(10);
/// Callers, and questions, that may wait for the sync engine.
const QUESTIONS: usize = 8;
/// Webhooks per second and caller. Each costs a hash of its body, and a listing only once it is believed.
const RATE: u32 = 10;
/// Further ones at once: an organisation that pushes to a hundred repositories in one go.
const BURST: u32 = 100;

/// The ways to the sync engine.
#[derive(Clone, Debug)]
pub struct ToSync {
    pushes: mpsc::Sender<Push>,
    callers: mpsc::Sender<Caller>,
    questions: mpsc::Sender<Question>,
}

/// Their other ends.
#[derive(Debug)]
pub struct FromWeb {
    /// Somebody pushed.
    pub pushes: mpsc::Receiver<Push>,
    /// Somebody wants to ask.
    pub callers: mpsc::Receiver<Caller>,
    /// Somebody asks what a sync would change.
    pub questions: mpsc::Receiver<Question>,
}

/// The ways from the web server to the sync engine.
#[must_use]
pub fn channel() -> (ToSync, FromWeb) {
    let (pushes, pushed) = mpsc::channel(push::WAITING);
    let (callers, called) = mpsc::channel(QUESTIONS);
    let (questions, asked) = mpsc::channel(QUESTIONS);
    let from_web = FromWeb {
        pushes: pushed,
        callers: called,
        questions: asked,
    };
    let to_sync = ToSync {
        pushes,
        callers,
        questions,
    };
    (to_sync, from_web)
}

/// What is served, and on whose word.
#[derive(Debug)]
pub struct Webhooks {
    allow_unsigned: bool,
    secrets: watch::Receiver<Option<Secrets>>,
    pushes: mpsc::Sender<Push>,
    questions: Questions,
    limiter: Limiter,
    room: Room,
    teller: Teller,
}

/// Who is at the other end of a connection, and how long it may be silent.
#[derive(Clone, Debug)]
struct Peer {
    address: SocketAddr,
    patience: timeouts::Patience,
}

impl Connected<IncomingStream<'_, timeouts::Listener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, timeouts::Listener>) -> Self {
        Self {
            address: *stream.remote_addr(),
            patience: stream.io().patience().clone(),
        }
    }
}

/// Serves until shutdown, and hands on what webhooks tell and callers ask.
///
/// # Errors
/// When the address is taken.
pub async fn run(context: Arc<Context>, to_sync: ToSync) -> Result<(), Error> {
    let settings = &context.settings.web;
    let address = &settings.web_addr;
    let listener = address.bind().await.map_err(|source| Error::Listen {
        address: address.to_string(),
        source,
    })?;
    tracing::info!(addr = %address, "HTTP webhook server serving");
    let (known, secrets) = watch::channel(None);
    let webhooks = Webhooks::new(
        settings.webhook_allow_unsigned,
        secrets,
        to_sync,
        &context.metrics,
    );
    let service = router(webhooks).into_make_service_with_connect_info::<Peer>();
    let shutdown = context.shutdown.clone().cancelled_owned();
    let listener = timeouts::Listener::new(listener, TIME, TIME);
    let serve = axum::serve(listener, service).with_graceful_shutdown(shutdown);
    tokio::select! {
        served = serve.into_future() => served.map_err(Error::Serve),
        never = secrets::follow(context.client.clone(), &context.namespace, known) => match never {},
    }
}

/// The paths there are.
pub fn router(webhooks: Webhooks) -> Router {
    Router::new()
        .route(PATH, any(webhook))
        .route(diff::PATH, any(diff::diff))
        .fallback(not_found)
        .with_state(Arc::new(webhooks))
}

async fn webhook(State(webhooks): State<Arc<Webhooks>>, request: Request) -> Response {
    let provider = Provider::of(request.headers());
    let outcome = webhooks.take(provider, request).await;
    let outcome = outcome.unwrap_or_else(|refused| refused);
    webhooks.teller.tell(provider, &outcome);
    outcome.into_response()
}

impl Webhooks {
    /// Believes who knows the `secrets`, and with `allow_unsigned` everybody for whom there is none.
    #[must_use]
    pub fn new(
        allow_unsigned: bool,
        secrets: watch::Receiver<Option<Secrets>>,
        to_sync: ToSync,
        metrics: &Metrics,
    ) -> Self {
        Self {
            allow_unsigned,
            secrets,
            pushes: to_sync.pushes,
            questions: Questions {
                callers: to_sync.callers,
                questions: to_sync.questions,
                room: Room::new(diff::HELD, diff::LARGEST),
            },
            limiter: Limiter::new(RATE, BURST),
            room: Room::new(HELD, LARGEST),
            teller: Teller::new(metrics),
        }
    }

    /// What becomes of a request. Nothing of its body is understood before its sender is believed.
    async fn take(&self, provider: Option<Provider>, request: Request) -> Result<Outcome, Outcome> {
        let forwarded = request.headers().get("x-forwarded-for");
        let forwarded = forwarded.map_or(&[][..], HeaderValue::as_bytes);
        let verdict = self.limit(PATH, &request, forwarded);
        verdict.map_err(|verdict| Outcome::Limited(verdict, self.limiter.limit()))?;
        if request.method() != Method::POST {
            return Err(Outcome::NotPost);
        }
        let provider = provider.ok_or(Outcome::UnknownSender)?;
        let (head, body) = request.into_parts();
        let body = self.room.read(body, TIME).await?;
        if payload::is_unsigned_ping(provider, &head.headers) {
            return Ok(Outcome::Ignored);
        }
        self.verify(provider, &head.headers, &body.bytes)?;
        match payload::read(provider, &head.headers, &body.bytes)? {
            Event::Push(locations) => self.tell(locations).await,
            Event::Other => Ok(Outcome::Ignored),
        }
    }

    /// Lets a caller through, or tells when to come again. Callers at one address are told apart by what is `further` known of them.
    fn limit(&self, path: &str, request: &Request, further: &[u8]) -> Result<(), Verdict> {
        let peer = request.extensions().get::<ConnectInfo<Peer>>();
        let peer = peer.map(|ConnectInfo(peer)| peer.address.ip().to_string());
        let caller = [peer.unwrap_or_default().as_bytes(), b" ", further].concat();
        let verdict = self.limiter.check(path, &caller, Instant::now());
        match verdict.allowed {
            true => Ok(()),
            false => Err(verdict),
        }
    }

    fn verify(&self, provider: Provider, headers: &HeaderMap, body: &[u8]) -> Result<(), Outcome> {
        let secrets = self.secrets.borrow();
        let secrets = secrets.as_ref().ok_or(Outcome::NotReady)?;
        signature::verify(provider, headers, body, secrets, self.allow_unsigned)?;
        Ok(())
    }

    /// Tells the sync engine, and waits until it knows which repositories these are.
    async fn tell(&self, locations: Vec<Location>) -> Result<Outcome, Outcome> {
        let (push, answered) = Push::new(locations);
        self.pushes.try_send(push).map_err(|_| Outcome::Busy)?;
        match tokio::time::timeout(TIME, answered).await {
            Ok(Ok(concerned)) => Ok(Outcome::Told(concerned)),
            _ => Err(Outcome::NotReady),
        }
    }
}
