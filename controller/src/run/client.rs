//! The client of the API server: which cluster, which namespace is ours, and how fast.
//! It must not look into a kubeconfig that nobody named: a controller on a laptop would act on the user's cluster.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use http::{HeaderValue, header};
use kube::Config;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use tokio::time::Sleep;
use tower::{Layer, Service};

use super::Error;
use crate::rate::{Bucket, Rate};
use crate::settings::{Client, Settings};

/// The cluster named by `--kubeconfig`, else by `KUBECONFIG`, else the one we run in.
pub(super) async fn config(settings: &Settings) -> Result<Config, Error> {
    let options = KubeConfigOptions::default();
    let kubeconfig = match &settings.kubeconfig {
        Some(file) => Some(Kubeconfig::read_from(file).map_err(Error::LoadKubeconfig)?),
        None => Kubeconfig::from_env().map_err(Error::LoadKubeconfig)?,
    };
    match kubeconfig {
        Some(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .map_err(Error::LoadKubeconfig),
        None => Config::incluster().map_err(Error::LoadServiceAccount),
    }
}

/// `--namespace`, else `POD_NAMESPACE`, else what service account or kubeconfig context say.
pub(super) fn own_namespace(settings: &Settings, config: &Config) -> String {
    let pod = std::env::var("POD_NAMESPACE")
        .ok()
        .filter(|namespace| !namespace.is_empty());
    settings
        .namespace
        .clone()
        .or(pod)
        .unwrap_or_else(|| config.default_namespace.clone())
}

/// How we present ourselves, in the API server's audit log.
const USER_AGENT: &str = concat!("signet-controller/", env!("CARGO_PKG_VERSION"));

/// A client that keeps to `--kubeclient-qps`. What the API server turns away for a moment (429, 503, 504) it sends again itself,
/// which spares events, steps of a sync and Secrets a failure; for an API that stays away that takes minutes.
pub(super) fn connect(config: Config, settings: &Client) -> Result<kube::Client, Error> {
    let builder = ClientBuilder::try_from(named(config)).map_err(Error::MakeClient)?;
    match settings.kubeclient_qps.filter(|qps| *qps > 0.0) {
        Some(qps) => Ok(builder
            .with_layer(&Throttle::new(qps, settings.kubeclient_burst))
            .build()),
        None => Ok(builder.build()),
    }
}

/// A client with a connection of its own, for what must not wait behind other requests.
pub(super) fn connect_at_once(config: Config) -> Result<kube::Client, Error> {
    let builder = ClientBuilder::try_from(named(config)).map_err(Error::MakeClient)?;
    Ok(builder.build())
}

/// The same for who must not wait for an API that is away either: nothing is sent again.
pub(super) fn connect_without_retries(mut config: Config) -> Result<kube::Client, Error> {
    config.default_retry = false;
    connect_at_once(config)
}

fn named(mut config: Config) -> Config {
    let agent = HeaderValue::from_static(USER_AGENT);
    config.headers.push((header::USER_AGENT, agent));
    config
}

/// Lets requests wait their turn.
#[derive(Clone, Copy)]
struct Throttle(Rate);

impl Throttle {
    fn new(qps: f32, burst: u32) -> Self {
        Self(Rate::new(f64::from(qps), burst.saturating_sub(1)))
    }
}

impl<S> Layer<S> for Throttle {
    type Service = Throttled<S>;

    fn layer(&self, inner: S) -> Throttled<S> {
        Throttled {
            inner,
            rate: self.0,
            bucket: Bucket::new(Instant::now()),
            turn: None,
        }
    }
}

struct Throttled<S> {
    inner: S,
    rate: Rate,
    bucket: Bucket,
    /// The wait of the request that comes next; the client asks for readiness in turn, one request at a time.
    turn: Option<Pin<Box<Sleep>>>,
}

impl<S: Service<R>, R> Service<R> for Throttled<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let Self {
            rate, bucket, turn, ..
        } = self;
        let sleep = turn.get_or_insert_with(|| {
            Box::pin(tokio::time::sleep(rate.reserve(bucket, Instant::now())))
        });
        ready!(sleep.as_mut().poll(cx));
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        self.turn = None;
        self.inner.call(request)
    }
}
