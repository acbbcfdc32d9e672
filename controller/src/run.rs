//! Wires the process: log, client, context, parts, and the orderly end on SIGTERM or SIGINT.
//! It must not decide anything about keys, Secrets or Applications.

mod client;
mod log;

use std::sync::Arc;
use std::time::Duration;

use sealing::Keyring;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::context::Context;
use crate::events::Recorder;
use crate::keys::{self, Keys};
use crate::leadership::{self, Leadership};
use crate::metrics::{self, Metrics};
use crate::restart::{self, Register};
use crate::sealing_api;
use crate::settings::{KeyOrder, Part, Settings};
use crate::sync;
use crate::unseal::{self, Unsealer};
use crate::web;

/// What ends the process with an error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("can't load the configuration of the cluster's API server")]
    LoadKubeconfig(#[source] kube::config::KubeconfigError),
    #[error(
        "can't load the service account's configuration, expected to run in a pod or with --kubeconfig or KUBECONFIG"
    )]
    LoadServiceAccount(#[source] kube::config::InClusterError),
    #[error("can't make a client for the API server")]
    MakeClient(#[source] kube::Error),
    #[error("can't start the runtime")]
    StartRuntime(#[source] std::io::Error),
    #[error("can't listen at {address}")]
    Listen {
        address: String,
        source: std::io::Error,
    },
    #[error("can't serve HTTP")]
    Serve(#[source] std::io::Error),
    #[error("can't write the folder for Git mirrors {}, expected a writable one with --data-dir", directory.display())]
    OpenDataDirectory {
        directory: std::path::PathBuf,
        source: std::io::Error,
    },
    #[error("can't keep other processes from reading our memory")]
    HideMemory(#[source] nix::errno::Errno),
    #[error("can't catch signals")]
    CatchSignals(#[source] std::io::Error),
    #[error("a part ended by itself")]
    PartEnded(#[source] tokio::task::JoinError),
}

/// How long parts may take to finish after the signal; below the 30 seconds that Kubernetes grants a pod.
const GRACE: Duration = Duration::from_secs(20);
/// How long giving the Lease back may take, after that.
const RESIGN: Duration = Duration::from_secs(3);
/// Openings and HTTP share these; more threads cost memory and win nothing on the two cores we are built for.
const WORKER_THREADS: usize = 2;
/// A manifest may nest deep, and without optimisation a level takes some 20 KB. What is not used costs address space only.
const STACK: usize = 8 << 20;

/// Runs the controller until it is told to end.
pub fn start(settings: Settings) -> Result<(), Error> {
    log::init(&settings.log);
    // No core dump, and no other process of the same user reads our memory: keys are in there.
    nix::sys::prctl::set_dumpable(false).map_err(Error::HideMemory)?;
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, "Starting signet-controller");
    if settings.runs(Part::Sealing) {
        // What scripts over upstream's log look for.
        tracing::info!(version, "Starting sealed-secrets controller");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(Error::StartRuntime)?;
    let result = runtime.block_on(run(settings));
    runtime.shutdown_timeout(GRACE);
    result
}

/// One error with its causes, on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Clients for requests that must not wait.
struct AtOnce {
    /// Renews the Lease.
    election: kube::Client,
    /// Asks which kinds there are, also of APIs that are away.
    discovery: kube::Client,
}

async fn run(settings: Settings) -> Result<(), Error> {
    let (context, clients) = connect(settings).await?;
    let context = Arc::new(context);
    let done = CancellationToken::new();
    let election = leadership::run(Arc::clone(&context), clients.election, done.clone());
    let election = tokio::spawn(election);
    let mut parts = parts(&context, clients.discovery);
    let first = tokio::select! {
        signal = ended_by_signal() => signal,
        Some(part) = parts.join_next() => part.map_err(Error::PartEnded).flatten(),
    };
    context.shutdown.cancel();
    let rest = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, rest).await.is_err() {
        tracing::warn!("some work did not finish in time");
    }
    done.cancel();
    if tokio::time::timeout(RESIGN, election).await.is_err() {
        tracing::warn!("the Lease was not given back in time");
    }
    first
}

/// Starts what `--only` names, and the metrics in any case.
fn parts(context: &Arc<Context>, discovery: kube::Client) -> JoinSet<Result<(), Error>> {
    let mut parts = JoinSet::new();
    parts.spawn(metrics::run(Arc::clone(context)));
    if context.settings.runs(Part::Sealing) {
        parts.spawn(keys::run(Arc::clone(context)));
        parts.spawn(unseal::run(Arc::clone(context)));
        parts.spawn(sealing_api::run(Arc::clone(context)));
    }
    if let Some(register) = &context.restarts {
        parts.spawn(restart::run(Arc::clone(context), Arc::clone(register)));
    }
    if context.settings.runs(Part::Sync) {
        let (tell, told) = web::channel();
        parts.spawn(sync::run(Arc::clone(context), discovery, told));
        parts.spawn(web::run(Arc::clone(context), tell));
    }
    parts
}

/// What all parts share, and the clients that some have for themselves.
async fn connect(settings: Settings) -> Result<(Context, AtOnce), Error> {
    let config = client::config(&settings).await?;
    let namespace = client::own_namespace(&settings, &config);
    let clients = AtOnce {
        election: client::connect_at_once(config.clone())?,
        discovery: client::connect_without_retries(config.clone())?,
    };
    let client = client::connect(config, &settings.client)?;
    tracing::info!(namespace, "own namespace");
    let keyring = Arc::new(Keyring::new(match settings.keys.key_order_priority {
        KeyOrder::CertNotBefore => sealing::KeyOrder::CertNotBefore,
        KeyOrder::SecretCreationTimestamp => sealing::KeyOrder::SecretCreationTimestamp,
    }));
    let keys = Arc::new(Keys::new(Arc::clone(&keyring)));
    let events = Arc::new(Recorder::new(client.clone()));
    let metrics = Arc::new(Metrics::default());
    let leadership = Arc::new(Leadership::new(settings.leader_election));
    let known_without_sync = (!settings.runs(Part::Sync)).then(Arc::default);
    let restarts = settings.restarts_workloads().then(|| {
        let namespaces = settings.unseal.namespaces(&namespace);
        Arc::new(Register::new(namespaces))
    });
    let settings = Arc::new(settings);
    let unsealer = Unsealer::new(
        client.clone(),
        Arc::clone(&settings),
        Arc::clone(&keys),
        Arc::clone(&events),
        Arc::clone(&metrics),
    );
    let context = Context {
        client,
        settings,
        namespace,
        keyring,
        keys,
        unsealer: Arc::new(unsealer),
        leadership,
        synced: watch::Sender::new(known_without_sync),
        restarts,
        events,
        metrics,
        shutdown: CancellationToken::new(),
    };
    Ok((context, clients))
}

async fn ended_by_signal() -> Result<(), Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::CatchSignals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::CatchSignals)?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: shutting down"),
        _ = interrupt.recv() => tracing::info!("SIGINT: shutting down"),
    }
    Ok(())
}
