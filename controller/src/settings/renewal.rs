//! How old the newest sealing key gets, which can be set under two names.
//! It must not know anything else about keys.

use std::time::Duration;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::go;

/// Age at which the newest key is followed by a new one; zero for never.
#[derive(Clone, Copy, Debug)]
pub struct RenewPeriod(pub Duration);

#[derive(Args)]
struct Names {
    /// How old the newest key gets before there is a new one; 0 for never
    #[arg(long, env = "SEALED_SECRETS_KEY_RENEW_PERIOD", default_value = "720h", value_parser = go::duration)]
    key_renew_period: Duration,

    #[arg(long, env = "SEALED_SECRETS_ROTATE_PERIOD", value_parser = go::duration, hide = true)]
    rotate_period: Option<Duration>,
}

/// The flag that comes last, as if both were one. Of the variables that of the old name, which upstream reads last.
impl FromArgMatches for RenewPeriod {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let names = Names::from_arg_matches(matches)?;
        let typed_at = |id| {
            let is_typed = matches.value_source(id) == Some(ValueSource::CommandLine);
            is_typed.then(|| matches.indices_of(id)?.max()).flatten()
        };
        let (old, new) = (typed_at("rotate_period"), typed_at("key_renew_period"));
        let by_old_name = names.rotate_period.filter(|_| old > new || new.is_none());
        Ok(Self(by_old_name.unwrap_or(names.key_renew_period)))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for RenewPeriod {
    fn augment_args(command: Command) -> Command {
        Names::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Names::augment_args_for_update(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The period in hours where the variable of the old name says 7.
    fn hours(line: &[&str]) -> u64 {
        let command = RenewPeriod::augment_args(Command::new("controller"));
        // Whatever nobody typed comes from elsewhere.
        let command = command.mut_arg("rotate_period", |argument| argument.default_value("7h"));
        let line = [&["controller"], line].concat();
        let matches = command.try_get_matches_from(line).unwrap();
        RenewPeriod::from_arg_matches(&matches).unwrap().0.as_secs() / 3600
    }

    #[test]
    fn a_variable_counts_only_where_neither_flag_is_typed() {
        assert_eq!(hours(&[]), 7);
        assert_eq!(hours(&["--key-renew-period=5h"]), 5);
        assert_eq!(hours(&["--rotate-period=9h"]), 9);
        assert_eq!(hours(&["--rotate-period=9h", "--key-renew-period=5h"]), 5);
    }
}
