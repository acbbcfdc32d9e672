//! The sealing keys: found, loaded, generated, renewed and rotated in time, and the current certificate published.
//! It must not open a SealedSecret, and never deletes a key.

mod apply;
mod changes;
pub mod observe;
mod pass;
pub mod plan;
mod report;

use std::sync::Arc;
use std::time::Duration;

use sealing::Keyring;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};

use self::changes::Changes;
use self::pass::Pass;
use crate::context::Context;
use crate::run;

/// Whether SealedSecrets are opened here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The keys were not read yet.
    Starting,
    /// Another controller was here before, and we hold no key: nothing is made and nothing written.
    Observing,
    /// There is a key.
    Serving,
}

/// What the other rooms see of the keys.
#[derive(Debug)]
pub struct Keys {
    /// All keys in use.
    pub keyring: Arc<Keyring>,
    standing: watch::Sender<Standing>,
    changes: watch::Sender<u64>,
    reload: Notify,
}

impl Keys {
    pub fn new(keyring: Arc<Keyring>) -> Self {
        Self {
            keyring,
            standing: watch::Sender::new(Standing::Starting),
            changes: watch::Sender::new(0),
            reload: Notify::new(),
        }
    }

    /// Whether SealedSecrets are opened here, now and whenever that changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// A number that grows whenever a key comes or goes.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Something could not be opened: look for new keys, where they can't be watched.
    pub fn look_again(&self) {
        self.reload.notify_one();
    }
}

/// How long to wait after a failure, at first and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Keeps the keys until shutdown.
pub async fn run(context: Arc<Context>) -> Result<(), run::Error> {
    let mut user_signal = signal(SignalKind::user_defined1()).map_err(run::Error::CatchSignals)?;
    let keys = &context.settings.keys;
    let mut changes = Changes::new(
        context.client.clone(),
        context.namespace.clone(),
        &keys.key_prefix,
        keys.watch_for_secrets,
    );
    let mut pass = Pass::new(Arc::clone(&context));
    let mut retry = RETRY.0;
    tracing::info!("Searching for existing private keys");
    loop {
        let next = match pass.run().await {
            Ok(next) => {
                retry = RETRY.0;
                next
            }
            Err(error) => {
                tracing::warn!(
                    error = run::chain(&error),
                    "keys are not up to date, will retry"
                );
                retry = (retry * 2).min(RETRY.1);
                Some(retry)
            }
        };
        let polls = changes.polls();
        tokio::select! {
            () = context.shutdown.cancelled() => return Ok(()),
            () = changes.next() => {}
            () = context.keys.reload.notified(), if polls => {}
            _ = user_signal.recv() => pass.signalled = true,
            () = tokio::time::sleep(next.unwrap_or(Duration::MAX)) => {}
        }
    }
}
