//! What all parts share, made once at start.
//! It must not hold behaviour: each field belongs to the room whose type it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::events::Recorder;
use crate::keys::Keys;
use crate::leadership::Leadership;
use crate::metrics::Metrics;
use crate::restart::Register;
use crate::settings::Settings;
use crate::unseal::Unsealer;

/// What all parts share.
pub struct Context {
    /// Client of the API server, the one connection pool of the process.
    pub client: kube::Client,
    /// What was set by flags and environment.
    pub settings: Arc<Settings>,
    /// Our own namespace: of the sealing keys, the certificate's ConfigMap, and Applications by default.
    pub namespace: String,
    /// The sealing keys in use, the same as in `keys`: opens values in any thread.
    pub keyring: Arc<sealing::Keyring>,
    /// What other rooms see of the sealing keys: whether we open here, and when keys come and go.
    pub keys: Arc<Keys>,
    /// The one engine that turns SealedSecrets into Secrets of the cluster.
    pub unsealer: Arc<Unsealer>,
    /// Whether this process is the one that writes.
    pub leadership: Arc<Leadership>,
    /// Names in tracking ids of the Applications that are synced here; `None` until they are known.
    pub synced: watch::Sender<Option<Arc<BTreeSet<String>>>>,
    /// Workloads outside Applications that ask to be started anew; `None` where nobody does that.
    pub restarts: Option<Arc<Register>>,
    /// Writes Events.
    pub events: Arc<Recorder>,
    /// Counters and gauges of all parts.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the process is to end: each part finishes the write in hand and returns.
    pub shutdown: CancellationToken,
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context")
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
