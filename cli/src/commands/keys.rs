//! `signet keys`. Must not keep or show a private key.

use std::time::Duration;

use crds::names::{CERTIFICATE_CONFIG_MAP, ROTATE, SEALING_KEY_ACTIVE, SEALING_KEY_LABEL};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams};
use sealing::Certificate;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Outcome;
use crate::arguments::{Answer, ClusterArguments};
use crate::cluster::{self, Cluster, certificate_in};
use crate::error;
use crate::output::{Output, Readers};
use crate::report;
use crate::{duration, manifest, table};

/// Look at the sealing keys of the cluster, or ask for a new one
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    List(List),
    Rotate(Rotate),
}

/// List the sealing keys in the cluster, newest first
///
/// Shows the state and the certificate of each, never the key. `current` seals; `active` keys open
/// what was sealed before.
///
/// Example:
///
///   signet keys list
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct List {
    /// Write a table, or JSON
    #[arg(short, long, value_name = "FORMAT", default_value = "table")]
    output: Answer,

    #[command(flatten)]
    cluster: ClusterArguments,
}

/// Ask the controller for a new sealing key, and wait until it is there
///
/// What was sealed with older keys still opens. Bring your files to the new key with `signet reseal`.
///
/// The wish is an annotation on the newest key Secret, so it takes the permission to patch Secrets in
/// the controller's namespace.
///
/// Example:
///
///   signet keys rotate && signet reseal db.yaml
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Rotate {
    /// Wait this long for the new key
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration::parse)]
    timeout: Duration,

    #[command(flatten)]
    cluster: ClusterArguments,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("namespace {namespace} holds no active sealing key")]
    NoKey { namespace: String },
    #[error(
        "cannot ask for a new key: namespace {namespace} has no ConfigMap {CERTIFICATE_CONFIG_MAP}, so its controller is not Signet's"
    )]
    NotOurs { namespace: String },
    #[error("no new sealing key in namespace {namespace} after {}", duration::display(*timeout))]
    TimedOut {
        namespace: String,
        timeout: Duration,
    },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::NoKey { .. } => Some("name the controller's namespace with --controller-namespace".to_owned()),
            Self::NotOurs { .. } => Some(
                "name Signet's namespace with --controller-namespace; upstream's controller makes a key on SIGUSR1".to_owned(),
            ),
            Self::TimedOut { namespace, .. } => {
                Some(format!(
                    "the controller's log says why: kubectl logs -n {namespace} deployment/signet-controller; \
                     with --watch-for-secrets=false it sees the request when it is restarted"
                ))
            }
        }
    }
}

/// What is read of a key Secret: everything but the private key.
#[derive(Deserialize)]
struct KeySecret {
    metadata: ObjectMeta,
    #[serde(default)]
    data: KeyData,
}

#[derive(Default, Deserialize)]
struct KeyData {
    #[serde(rename = "tls.crt")]
    certificate: Option<ByteString>,
}

#[derive(Deserialize)]
struct KeySecrets {
    items: Vec<KeySecret>,
}

struct Key {
    name: String,
    state: String,
    certificate: Option<Certificate>,
}

pub(crate) fn run(command: &Command) -> Result<Outcome, error::Error> {
    match command {
        Command::List(arguments) => list(arguments),
        Command::Rotate(arguments) => rotate(arguments),
    }
}

fn list(arguments: &List) -> Result<Outcome, error::Error> {
    let cluster = Cluster::connect(&arguments.cluster)?;
    let keys = keys(&cluster)?;
    let text = match arguments.output {
        Answer::Json => manifest::json(&keys.iter().map(Key::to_json).collect()) + "\n",
        Answer::Table if keys.is_empty() => {
            report::note(format_args!(
                "no sealing keys in namespace {}",
                cluster.namespace()
            ));
            return Ok(Outcome::Fine);
        }
        Answer::Table => table::write(
            &["NAME", "STATE", "FINGERPRINT", "NOT BEFORE", "NOT AFTER"],
            keys.iter().map(Key::row),
        ),
    };
    Output::Stdout.write(text.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

/// All keys, newest first; the first active one is marked as current.
fn keys(cluster: &Cluster) -> Result<Vec<Key>, cluster::Error> {
    let namespace = cluster.namespace();
    let action = format!("list the sealing keys in namespace {namespace}");
    let path = format!("/api/v1/namespaces/{namespace}/secrets?labelSelector={SEALING_KEY_LABEL}");
    let request = http::Request::get(path).body(Vec::new());
    let secrets: KeySecrets = cluster.ask(&action, async {
        cluster
            .client()
            .request(request.map_err(kube::Error::HttpError)?)
            .await
    })?;
    let mut keys: Vec<Key> = secrets.items.into_iter().map(Key::from).collect();
    keys.sort_by_key(|key| {
        std::cmp::Reverse(key.certificate.as_ref().map(Certificate::not_before))
    });
    if let Some(current) = keys.iter_mut().find(|key| key.is_active()) {
        "current".clone_into(&mut current.state);
    }
    Ok(keys)
}

impl From<KeySecret> for Key {
    fn from(secret: KeySecret) -> Self {
        let label = secret
            .metadata
            .labels
            .as_ref()
            .and_then(|labels| labels.get(SEALING_KEY_LABEL));
        let certificate = secret
            .data
            .certificate
            .and_then(|pem| Certificate::from_pem(&pem.0).ok());
        Self {
            name: secret.metadata.name.unwrap_or_default(),
            state: label.cloned().unwrap_or_default(),
            certificate,
        }
    }
}

impl Key {
    fn is_active(&self) -> bool {
        self.state == SEALING_KEY_ACTIVE && self.certificate.is_some()
    }

    fn row(&self) -> Vec<String> {
        let of = |show: fn(&Certificate) -> String| {
            self.certificate
                .as_ref()
                .map_or_else(|| "unreadable".to_owned(), show)
        };
        vec![
            self.name.clone(),
            self.state.clone(),
            of(|certificate| certificate.fingerprint().to_string()),
            of(|certificate| certificate.not_before().to_string()),
            of(|certificate| certificate.not_after().to_string()),
        ]
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "state": self.state,
            "fingerprint": self.certificate.as_ref().map(|certificate| certificate.fingerprint().to_string()),
            "notBefore": self.certificate.as_ref().map(|certificate| certificate.not_before().to_string()),
            "notAfter": self.certificate.as_ref().map(|certificate| certificate.not_after().to_string()),
        })
    }
}

fn rotate(arguments: &Rotate) -> Result<Outcome, error::Error> {
    let cluster = Cluster::connect(&arguments.cluster)?;
    let namespace = cluster.namespace().to_owned();
    let newest = current(&cluster)?;
    let before = cluster
        .published_certificate()?
        .ok_or_else(|| Error::NotOurs {
            namespace: namespace.clone(),
        })?;

    let secrets = Api::<Secret>::namespaced(cluster.client(), &namespace);
    let wish = Patch::Merge(
        json!({ "metadata": { "annotations": { ROTATE: Timestamp::now().to_string() } } }),
    );
    let action = format!("ask for a new key at Secret {namespace}/{}", newest.name);
    cluster.ask(
        &action,
        secrets.patch_metadata(&newest.name, &PatchParams::default(), &wish),
    )?;
    await_other_certificate(&cluster, &namespace, &before, arguments.timeout)?;

    let current = current(&cluster)?;
    let fingerprint = current
        .certificate
        .as_ref()
        .map(|certificate| certificate.fingerprint().to_string());
    let line = format!(
        "new sealing key {}/{} {}\n",
        namespace,
        current.name,
        fingerprint.unwrap_or_default()
    );
    Output::Stdout.write(line.as_bytes(), Readers::Everybody)?;
    Ok(Outcome::Fine)
}

/// The key that seals.
fn current(cluster: &Cluster) -> Result<Key, error::Error> {
    let current = keys(cluster)?
        .into_iter()
        .find(|key| key.state == "current");
    Ok(current.ok_or_else(|| Error::NoKey {
        namespace: cluster.namespace().to_owned(),
    })?)
}

fn await_other_certificate(
    cluster: &Cluster,
    namespace: &str,
    before: &str,
    timeout: Duration,
) -> Result<(), error::Error> {
    let maps = Api::<ConfigMap>::namespaced(cluster.client(), namespace);
    let changed = |map: Option<&ConfigMap>| {
        map.cloned()
            .and_then(certificate_in)
            .is_some_and(|after| after != before)
    };
    let object = format!("ConfigMap {namespace}/{CERTIFICATE_CONFIG_MAP}");
    match cluster.watch(&object, timeout, &maps, CERTIFICATE_CONFIG_MAP, changed)? {
        Some(_) => Ok(()),
        None => Err(Error::TimedOut {
            namespace: namespace.to_owned(),
            timeout,
        }
        .into()),
    }
}
