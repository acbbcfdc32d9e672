//! What can be set about sealing keys: names, sizes, renewal, and what is written on new ones.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::{Args, ValueEnum};
use k8s_openapi::jiff::Timestamp;

use super::go;
use super::renewal::RenewPeriod;

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

    #[command(flatten)]
    pub renew_period: RenewPeriod,

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

fn cutoff(text: &str) -> Result<Cutoff, String> {
    go::date(text).map(Cutoff)
}

fn entries(text: &str) -> Result<Entries, String> {
    go::map(text).map(Entries)
}
