//! Questions to the controller about what a sync would do. Must not know what the answers are for.

use std::time::Duration;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use crds::names::DIFF;
use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Error, ask_again};
use crate::application::Applications;
use crate::cluster::Cluster;

/// Where the controller answers.
const PATH: &str = "/api/diff";
/// Bytes of the proof: nobody guesses it.
const PROOF: usize = 32;

/// What to ask of an Application.
pub(super) struct Question<'a> {
    pub(super) name: &'a str,
    /// The sync in question, as a request for it would say.
    pub(super) sync: Map<String, Value>,
    /// Whether to tell of its Secrets as well.
    pub(super) secrets: bool,
    /// A tar archive of files to look at in place of the repository's.
    pub(super) files: Option<Vec<u8>>,
    pub(super) timeout: Duration,
}

impl Question<'_> {
    /// Asks. Others who ask about the same Application at this very moment are in the way.
    pub(super) fn ask(
        &self,
        cluster: &Cluster,
        applications: &Applications<'_>,
    ) -> Result<Value, Error> {
        let files = self.files.as_ref();
        let files = files.map(|files| BASE64_STANDARD.encode(files));
        let body = json!({ "sync": self.sync, "secrets": self.secrets, "files": files });
        ask_again(|| self.ask_once(cluster, applications, &body))
    }

    /// That we may ask for a sync is proven by a write: the digest of a secret of ours on the Application.
    fn ask_once(
        &self,
        cluster: &Cluster,
        applications: &Applications<'_>,
        body: &Value,
    ) -> Result<Value, Error> {
        let name = self.name;
        let mut secret = [0; PROOF];
        SysRng
            .try_fill_bytes(&mut secret)
            .expect("invariant: the system has random numbers");
        let proof = hex(&secret);
        let digest = hex(&Sha256::digest(&proof));
        let patch = json!({ "metadata": { "annotations": { DIFF: digest } } });
        let action = format!("ask the controller about Application {name}");
        applications.merge(name, &action, patch)?;
        let application = format!("{}/{name}", applications.namespace());
        let headers = [
            ("signet-application", &*application),
            ("signet-proof", &*proof),
        ];
        Ok(cluster.post(PATH, &action, &headers, body, self.timeout)?)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
