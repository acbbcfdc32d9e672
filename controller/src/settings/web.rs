//! What can be set about webhooks: where they arrive, and whom to believe.

use clap::Args;

use super::go::{self, ListenAddress};

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Webhooks")]
pub struct Web {
    /// Where /api/webhook listens
    #[arg(long, env = "SIGNET_WEB_ADDR", default_value = ":8082", value_parser = ListenAddress::parse)]
    pub web_addr: ListenAddress,

    /// Believe webhooks of senders for which no secret is configured
    #[arg(long, env = "SIGNET_WEBHOOK_ALLOW_UNSIGNED", default_value = "false", value_parser = go::boolean,
          action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub webhook_allow_unsigned: bool,
}
