//! A mutating admission webhook that the API server asks over HTTPS.
//! Its other half is `testbed webhook`; here is only where it is, and what it was asked.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;

use super::get;

/// A running webhook. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct AdmissionWebhook {
    child: Child,
    place: Place,
}

/// What it says of itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    url: String,
    ca_bundle: String,
    asked: String,
}

/// How often it was asked since its start.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Asked {
    pub(crate) writes: u32,
    pub(crate) dry_runs: u32,
}

impl AdmissionWebhook {
    #[track_caller]
    pub(crate) fn start() -> Self {
        let mut child = Command::new("testbed")
            .arg("webhook")
            .stdout(Stdio::piped())
            .spawn()
            .expect("`testbed` is on the PATH inside the testbed");
        let mut place = String::new();
        let stdout = child.stdout.take().expect("the output is a pipe");
        BufReader::new(stdout)
            .read_line(&mut place)
            .expect("the webhook says where it is");
        Self {
            child,
            place: serde_json::from_str(&place).expect("the webhook speaks JSON"),
        }
    }

    /// `clientConfig` of a webhook at a path, as YAML in braces.
    pub(crate) fn client_config(&self, path: &str) -> String {
        let Place { url, ca_bundle, .. } = &self.place;
        format!("{{url: \"{url}/{path}\", caBundle: {ca_bundle}}}")
    }

    #[track_caller]
    pub(crate) fn asked(&self) -> Asked {
        let (_, body) = get(&self.place.asked).expect("the webhook answers");
        serde_json::from_str(&body).expect("the webhook answers in JSON")
    }
}

impl Drop for AdmissionWebhook {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
