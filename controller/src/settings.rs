//! What can be set from outside, by flag or environment, as typed values.
//! It must not read files or the cluster, and no other file reads the environment for settings.

mod environment;
mod go;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum};
use k8s_openapi::jiff::Timestamp;

pub use go::ListenAddress;

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
}

/// A part of the controller that can run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// Keep the sealing keys, open SealedSecrets, serve the sealing API
    Sealing,
    /// Mirror config repositories into the cluster
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
}

/// Where SealedSecrets are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Namespaces {
    All,
    These(Vec<String>),
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sealing keys")]
pub struct Keys {
    /// Beginning of the names of new key Secrets, and whole name of a key Secret without label
    #[arg(long, env = "SEALED_SECRETS_KEY_PREFIX", default_value = "sealed-secrets-key", value_parser = key_prefix)]
    pub key_prefix: String,

    /// Bits of new keys
    #[arg(long, env = "SEALED_SECRETS_KEY_SIZE", default_value = "4096", value_parser = key_size)]
    pub key_size: u32,

    /// How long the certificates of new keys are valid
    #[arg(long, env = "SEALED_SECRETS_KEY_TTL", default_value = "87600h", value_parser = go::duration)]
    pub key_ttl: Duration,

    /// Common name in the certificates of new keys
    #[arg(long, env = "SEALED_SECRETS_MY_CN", default_value = "")]
    pub my_cn: String,

    /// How old the newest key gets before there is a new one; 0 for never
    #[arg(long, env = "SEALED_SECRETS_KEY_RENEW_PERIOD", default_value = "720h", value_parser = go::duration)]
    key_renew_period: Duration,

    #[arg(long, env = "SEALED_SECRETS_ROTATE_PERIOD", value_parser = go::duration, hide = true)]
    rotate_period: Option<Duration>,

    /// What makes a key the newest
    #[arg(
        long,
        env = "SEALED_SECRETS_KEY_ORDER_PRIORITY",
        value_enum,
        default_value = "CertNotBefore"
    )]
    pub key_order_priority: KeyOrder,

    /// When the newest key is older than this date, make a new one at start; as `date -R` prints it
    #[arg(long, env = "SEALED_SECRETS_KEY_CUTOFF_TIME", default_value = "", value_parser = cutoff, hide_default_value = true)]
    pub key_cutoff_time: Cutoff,

    /// Annotations of new key Secrets: k=v,k=v
    #[arg(long, env = "SEALED_SECRETS_PRIVATEKEY_ANNOTATIONS", default_value = "", value_parser = entries, hide_default_value = true)]
    pub privatekey_annotations: Entries,

    /// Labels of new key Secrets: k=v,k=v
    #[arg(long, env = "SEALED_SECRETS_PRIVATEKEY_LABELS", default_value = "", value_parser = entries, hide_default_value = true)]
    pub privatekey_labels: Entries,

    /// Load keys that appear, and drop keys that disappear or lose their label, while running
    #[arg(long, env = "SEALED_SECRETS_WATCH_FOR_SECRETS", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub watch_for_secrets: bool,

    /// Make keys and open SealedSecrets even if another controller did so before
    #[arg(long, env = "SIGNET_TAKE_OVER", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub take_over: bool,
}

impl Keys {
    /// Age at which the newest key is followed by a new one; zero for never.
    pub fn renew_period(&self) -> Duration {
        self.rotate_period.unwrap_or(self.key_renew_period)
    }
}

/// What makes a key the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "PascalCase")]
pub enum KeyOrder {
    /// The begin of its certificate
    CertNotBefore,
    /// The creation of its Secret
    SecretCreationTimestamp,
}

/// A date before which keys are to be followed by a new one, if any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cutoff(pub Option<Timestamp>);

/// Labels or annotations.
#[derive(Clone, Debug, Default)]
pub struct Entries(pub BTreeMap<String, String>);

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
#[command(next_help_heading = "Log")]
pub struct Log {
    /// Informational lines go to stdout, warnings and errors to stderr; false for all to stderr
    #[arg(long, env = "SEALED_SECRETS_LOG_INFO_STDOUT", default_value = "true", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub log_info_stdout: bool,

    /// Least level that is logged: DEBUG, INFO, WARN or ERROR; anything else is INFO
    #[arg(long, env = "SEALED_SECRETS_LOG_LEVEL", default_value = "INFO", value_parser = log_level)]
    pub log_level: LogLevel,

    /// Form of log lines: json, anything else is text
    #[arg(long, env = "SEALED_SECRETS_LOG_FORMAT", default_value = "text", value_parser = log_format)]
    pub log_format: LogFormat,
}

/// Least level that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    Warn,
    Error,
}

/// Form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Applications")]
pub struct Sync {
    /// Namespaces with Applications beside the own one: a,b
    #[arg(
        long,
        env = "SIGNET_APPLICATION_NAMESPACES",
        default_value = "",
        hide_default_value = true
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

    /// Allow repositories in local folders, file://…
    #[arg(long, env = "SIGNET_ALLOW_FILE_REPOSITORIES", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub allow_file_repositories: bool,
}

impl Sync {
    /// Namespaces that may hold Applications beside the controller's own.
    pub fn application_namespaces(&self) -> Vec<String> {
        go::list(&self.application_namespaces)
    }
}

/// Room that five generated characters leave below the longest name of a Secret, as upstream counts it.
const LONGEST_KEY_PREFIX: usize = 245;

fn key_prefix(text: &str) -> Result<String, String> {
    if let Some(illegal) = text
        .chars()
        .find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'))
    {
        return Err(format!("name contains illegal character {illegal}"));
    }
    if text.len() > LONGEST_KEY_PREFIX {
        return Err(format!(
            "name is too long, must be shorter than {LONGEST_KEY_PREFIX}, got {}",
            text.len()
        ));
    }
    Ok(text.to_owned())
}

/// Sizes that can be opened again later: see docs/decisions/rsa-to-seal-aws-lc-to-open.md.
fn key_size(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(bits @ (2048 | 3072 | 4096 | 8192)) => Ok(bits),
        _ => Err("expected 2048, 3072, 4096 or 8192".to_owned()),
    }
}

/// Of levels and formats upstream defines what an unknown word means, so it is no error here either.
fn log_level(text: &str) -> Result<LogLevel, Infallible> {
    Ok(match text.to_ascii_uppercase().as_str() {
        "DEBUG" => LogLevel::Debug,
        "WARN" => LogLevel::Warn,
        "ERROR" => LogLevel::Error,
        _ => LogLevel::Info,
    })
}

fn log_format(text: &str) -> Result<LogFormat, Infallible> {
    Ok(match text {
        "json" => LogFormat::Json,
        _ => LogFormat::Text,
    })
}

fn cutoff(text: &str) -> Result<Cutoff, String> {
    go::date(text).map(Cutoff)
}

fn entries(text: &str) -> Result<Entries, String> {
    go::map(text).map(Entries)
}

#[cfg(test)]
mod tests;
