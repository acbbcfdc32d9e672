//! What can be set from outside, by flag or environment, as typed values.
//! It must not read files or the cluster, and no other file reads the environment for settings.

mod environment;
mod go;
mod keys;
mod log;
mod render;
mod renewal;
mod web;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};

pub use go::ListenAddress;
pub use keys::{Cutoff, Entries, KeyOrder, Keys};
pub use log::{Log, LogFormat, LogLevel};
pub use render::Render;
pub use renewal::RenewPeriod;
pub use web::Web;

/// Opens SealedSecrets and mirrors config repositories into the cluster.
///
/// Flags and SEALED_SECRETS_… variables of Sealed Secrets' controller keep their names, defaults and spelling:
/// durations as Go writes them (720h), booleans as --flag=value.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "signet-controller",
    version,
    display_name = "controller version:",
    args_override_self = true
)]
#[command(disable_help_subcommand = true, max_term_width = 120)]
pub struct Settings {
    /// Namespace of the sealing keys and of the Applications; else POD_NAMESPACE, the service account's, the
    /// kubeconfig context's
    #[arg(long, env = "SIGNET_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// Kubeconfig file to reach the cluster with; else KUBECONFIG, else the pod's service account
    #[arg(long, env = "SIGNET_KUBECONFIG", value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// Run only these parts; all when absent
    #[arg(
        long,
        env = "SIGNET_ONLY",
        value_enum,
        value_delimiter = ',',
        value_name = "PART"
    )]
    pub only: Vec<Part>,

    /// Let one of several processes write, elected by a Lease; false lets every process write
    #[arg(long, env = "SIGNET_LEADER_ELECTION", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub leader_election: bool,

    #[command(flatten)]
    pub keys: Keys,
    #[command(flatten)]
    pub unseal: Unseal,
    #[command(flatten)]
    pub api: Api,
    #[command(flatten)]
    pub client: Client,
    #[command(flatten)]
    pub log: Log,
    #[command(flatten)]
    pub sync: Sync,
    #[command(flatten)]
    pub render: Render,
    #[command(flatten)]
    pub web: Web,
}

/// A part of the controller that can run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Keep the sealing keys, open SealedSecrets, serve the sealing API
    Sealing,
    /// Mirror config repositories into the cluster, serve webhooks
    Sync,
}

impl Settings {
    /// What was set for this process. Ends it where that can't be read, or was only asked for.
    pub fn read() -> Self {
        let given: Vec<_> = std::env::args_os().collect();
        Self::try_parse_from(&given)
            .unwrap_or_else(|error| environment::named(error, &given).exit())
    }

    /// True when the part is to run.
    pub fn runs(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// True when workloads outside Applications are started anew.
    pub fn restarts_workloads(&self) -> bool {
        let asked = self.unseal.restart_workloads;
        self.runs(Part::Sealing) && asked.unwrap_or(self.runs(Part::Sync))
    }
}

/// Where SealedSecrets are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    All,
    These(Vec<String>),
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "SealedSecrets")]
pub struct Unseal {
    /// Open SealedSecrets of the deprecated format, one blob in spec.data
    #[arg(long, env = "SEALED_SECRETS_ACCEPT_DEPRECATED_V1_DATA", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub accept_deprecated_v1_data: bool,

    /// Look for SealedSecrets in all namespaces; false for the own one only
    #[arg(long, env = "SEALED_SECRETS_ALL_NAMESPACES", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    all_namespaces: bool,

    /// Look for SealedSecrets in these namespaces and the own one only: a,b
    #[arg(
        long,
        env = "SEALED_SECRETS_ADDITIONAL_NAMESPACES",
        default_value = "",
        hide_default_value = true
    )]
    additional_namespaces: String,

    /// Open only SealedSecrets with these labels
    #[arg(
        long,
        env = "SEALED_SECRETS_LABEL_SELECTOR",
        default_value = "",
        hide_default_value = true
    )]
    pub label_selector: String,

    /// Delete the Secret of a deleted SealedSecret ourselves, not by its ownerReference
    #[arg(long, env = "SEALED_SECRETS_OLD_GC_BEHAVIOR", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub old_gc_behavior: bool,

    /// Write the status of SealedSecrets
    #[arg(long, env = "SEALED_SECRETS_UPDATE_STATUS", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub update_status: bool,

    /// Don't watch Secrets: deleted and edited ones stay as they are until the SealedSecret changes
    #[arg(long, env = "SEALED_SECRETS_SKIP_RECREATE", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub skip_recreate: bool,

    /// Put Secrets right when somebody edits them; false to leave edits until the SealedSecret changes
    #[arg(long, env = "SIGNET_SELF_HEAL", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub self_heal: bool,

    /// Start workloads anew that ask for it and are in no Application, when a Secret changes that they use; true unless
    /// only SealedSecrets are opened
    #[arg(long, env = "SIGNET_RESTART_WORKLOADS", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    restart_workloads: Option<bool>,

    /// Quick retries after a failure; then every five minutes, for ever
    #[arg(long, env = "SEALED_SECRETS_MAX_UNSEAL_RETRIES", default_value = "5")]
    pub max_unseal_retries: u32,
}

impl Unseal {
    /// The namespaces to look in; `own` is the controller's.
    pub fn namespaces(&self, own: &str) -> Namespaces {
        let additional = go::list(&self.additional_namespaces);
        if self.all_namespaces && additional.is_empty() {
            return Namespaces::All;
        }
        let mut these = vec![own.to_owned()];
        for namespace in additional {
            if !these.contains(&namespace) {
                these.push(namespace);
            }
        }
        Namespaces::These(these)
    }
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Servers")]
pub struct Api {
    /// Where the sealing API listens
    #[arg(long, env = "SEALED_SECRETS_LISTEN_ADDR", default_value = ":8080", value_parser = ListenAddress::parse)]
    pub listen_addr: ListenAddress,

    /// Where /metrics listens
    #[arg(long, env = "SEALED_SECRETS_LISTEN_METRICS_ADDR", default_value = ":8081", value_parser = ListenAddress::parse)]
    pub listen_metrics_addr: ListenAddress,

    /// How long a request of the sealing API may take to arrive
    #[arg(long, env = "SEALED_SECRETS_READ_TIMEOUT", default_value = "2m", value_parser = go::duration)]
    pub read_timeout: Duration,

    /// How long an answer of the sealing API may take
    #[arg(long, env = "SEALED_SECRETS_WRITE_TIMEOUT", default_value = "2m", value_parser = go::duration)]
    pub write_timeout: Duration,

    /// Requests per second and caller to verify and to rotate
    #[arg(long, env = "SEALED_SECRETS_RATE_LIMIT", default_value = "2", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit: u32,

    /// Further requests that may come at once
    #[arg(long, env = "SEALED_SECRETS_RATE_LIMIT_BURST", default_value = "2")]
    pub rate_limit_burst: u32,

    /// No metrics that name SealedSecrets
    #[arg(long, env = "SEALED_SECRETS_METRICS_OMIT_SECRET_LABELS", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub metrics_omit_secret_labels: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "API server")]
pub struct Client {
    /// Most requests per second to the API server; without it, its own priority and fairness decides
    #[arg(
        long,
        env = "SEALED_SECRETS_KUBECLIENT_QPS",
        allow_negative_numbers = true
    )]
    pub kubeclient_qps: Option<f32>,

    /// Requests that may go out at once where --kubeclient-qps is set
    #[arg(long, env = "SEALED_SECRETS_KUBECLIENT_BURST", default_value = "10")]
    pub kubeclient_burst: u32,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Applications")]
pub struct Sync {
    /// Namespaces with Applications beside the own one: a,b
    #[arg(
        long,
        env = "SIGNET_APPLICATION_NAMESPACES",
        default_value = "",
        hide_default_value = true,
        value_parser = names
    )]
    application_namespaces: String,

    /// How often repositories are asked for new commits
    #[arg(long, env = "SIGNET_GIT_POLL_INTERVAL", default_value = "120s", value_parser = go::duration)]
    pub git_poll_interval: Duration,

    /// Random time that is added to each interval
    #[arg(long, env = "SIGNET_GIT_POLL_JITTER", default_value = "60s", value_parser = go::duration)]
    pub git_poll_jitter: Duration,

    /// Folder for Git mirrors; a temporary one when absent
    #[arg(long, env = "SIGNET_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,

    /// Fetch submodules where a source reads them
    #[arg(long, env = "SIGNET_GIT_SUBMODULES", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub git_submodules: bool,

    /// Allow repositories in local folders, file://…
    #[arg(long, env = "SIGNET_ALLOW_FILE_REPOSITORIES", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_file_repositories: bool,
}

/// A comma list of names. One of a pattern would be watched for under that very name, and nothing found there.
fn names(text: &str) -> Result<String, String> {
    let belongs = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match go::list(text)
        .iter()
        .find(|name| !name.chars().all(belongs))
    {
        Some(name) => Err(format!(
            "found {name:?}, expected names of namespaces; patterns are not supported"
        )),
        None => Ok(text.to_owned()),
    }
}

impl Sync {
    /// Namespaces that may hold Applications beside the controller's own.
    pub fn application_namespaces(&self) -> Vec<String> {
        go::list(&self.application_namespaces)
    }
}

#[cfg(test)]
mod tests;
