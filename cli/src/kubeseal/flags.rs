//! The command line in pflag's grammar, and the environment behind it.
//! Must not know what a flag is for: names, kinds and defaults stand in `flag_table`.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::flag_table::{FLAGS, Flag};
use super::flag_value::{Kind, Value};
use super::go_text::{quote, quote_char};

/// Each flag is also read from the environment under this prefix, in capitals with `_` for `-`.
const ENVIRONMENT_PREFIX: &str = "SEALED_SECRETS_";

/// What was asked for, by the name of the flag that holds the value.
#[derive(Debug, Default)]
pub(super) struct Flags {
    values: BTreeMap<&'static str, Value>,
    /// Said on standard output as soon as a deprecated flag is met.
    pub(super) deprecations: Vec<String>,
    /// `-h`, a letter that no flag has: what follows it is not read.
    pub(super) help_requested: bool,
    /// Variables whose values are no values of their flags.
    unusable: BTreeMap<&'static str, Unusable>,
}

/// A variable of the environment that can't be used, in the words that the flag itself would have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {variable}: {reason}")]
pub(super) struct Unusable {
    pub(super) variable: String,
    pub(super) reason: String,
}

/// Why a command line is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misuse {
    #[error("unknown flag: --{0}")]
    UnknownFlag(String),
    #[error("unknown shorthand flag: {letter} in -{letters}")]
    UnknownShorthand { letter: String, letters: String },
    #[error("flag needs an argument: {0}")]
    MissingArgument(String),
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    #[error("invalid argument {value} for {flag} flag: {reason}")]
    InvalidArgument {
        value: String,
        flag: String,
        reason: String,
    },
}

impl Flags {
    /// Reads the environment, then the arguments after the program's name. What stands on the command line wins;
    /// lists are appended to.
    pub(super) fn parse(
        arguments: &[OsString],
        environment: impl Fn(&str) -> Option<OsString>,
    ) -> (Self, Result<(), Misuse>) {
        let mut flags = Self::default();
        flags.read_environment(environment);
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| argument.to_string_lossy().into_owned())
            .collect();
        let outcome = flags.read_arguments(&arguments);
        (flags, outcome)
    }

    /// The first variable that can't be used and that no argument has replaced.
    pub(super) fn unusable(&self) -> Option<&Unusable> {
        self.unusable.values().next()
    }

    pub(super) fn text(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(Value::Text(text)) => text.clone(),
            _ => default_of(name).to_owned(),
        }
    }

    pub(super) fn switch(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Switch(true)))
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        match self.values.get(name) {
            Some(Value::List(list)) => list.clone(),
            _ => Vec::new(),
        }
    }

    fn read_environment(&mut self, environment: impl Fn(&str) -> Option<OsString>) {
        for flag in FLAGS.iter().filter(|flag| flag.has_variable()) {
            let variable = variable_of(flag);
            let Some(text) = environment(&variable) else {
                continue;
            };
            // An empty variable is how scripts leave a switch alone; to other flags it is a value.
            if text.is_empty() && flag.kind == Kind::Switch {
                continue;
            }
            if let Err(misuse) = self.set(flag, &text.to_string_lossy()) {
                let reason = misuse.to_string();
                self.unusable
                    .insert(flag.variable, Unusable { variable, reason });
            }
        }
    }

    fn read_arguments(&mut self, arguments: &[String]) -> Result<(), Misuse> {
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_bytes() {
                b"--" => return Ok(()),
                [b'-', b'h', ..] => {
                    self.help_requested = true;
                    return Ok(());
                }
                [b'-', b'-', ..] => self.read_long(&argument[2..], &mut rest)?,
                [b'-', _, ..] => self.read_short(&argument[1..], &mut rest)?,
                // Arguments that belong to no flag are not looked at.
                _ => {}
            }
        }
        Ok(())
    }

    fn read_long<'a>(
        &mut self,
        name: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Misuse> {
        if name.starts_with(['-', '=']) {
            return Err(Misuse::Syntax(format!("--{name}")));
        }
        let (name, attached) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let flag = FLAGS
            .iter()
            .find(|flag| flag.name == name)
            .ok_or_else(|| Misuse::UnknownFlag(name.to_owned()))?;
        let value = match (attached, flag.kind.value_when_bare()) {
            (Some(value), _) | (None, Some(value)) => value,
            (None, None) => rest
                .next()
                .ok_or_else(|| Misuse::MissingArgument(format!("--{name}")))?,
        };
        self.set_from_argument(flag, value)
    }

    /// `-n ns`, `-nns`, `-n=ns`. No shorthand of ours stands for a switch, so the first letter takes the rest.
    fn read_short<'a>(
        &mut self,
        letters: &str,
        rest: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), Misuse> {
        // Flags of Go's test runner are passed over, whoever gives them.
        if letters.starts_with("test.") {
            return Ok(());
        }
        let letter = letters.as_bytes()[0];
        let flag = FLAGS
            .iter()
            .find(|flag| flag.shorthand == Some(letter))
            .ok_or_else(|| Misuse::UnknownShorthand {
                letter: quote_char(char::from(letter)),
                letters: letters.to_owned(),
            })?;
        let value = match &letters[1..] {
            "" => rest.next().ok_or_else(|| {
                Misuse::MissingArgument(format!("{} in -{letters}", quote_char(char::from(letter))))
            })?,
            attached if attached.len() > 1 => attached.strip_prefix('=').unwrap_or(attached),
            attached => attached,
        };
        self.set_from_argument(flag, value)
    }

    fn set_from_argument(&mut self, flag: &'static Flag, value: &str) -> Result<(), Misuse> {
        self.set(flag, value)?;
        if !flag.kind.is_list() {
            self.unusable.remove(flag.variable);
        }
        if let Some(advice) = flag.deprecated {
            self.deprecations.push(format!(
                "Flag --{} has been deprecated, {advice}",
                flag.name
            ));
        }
        Ok(())
    }

    fn set(&mut self, flag: &'static Flag, text: &str) -> Result<(), Misuse> {
        let value = flag
            .kind
            .read(text)
            .map_err(|reason| Misuse::InvalidArgument {
                value: quote(text),
                flag: quote(flag.spelling()),
                reason,
            })?;
        match (self.values.get_mut(flag.variable), value) {
            (Some(Value::List(list)), Value::List(more)) => list.extend(more),
            (_, value) => {
                self.values.insert(flag.variable, value);
            }
        }
        Ok(())
    }
}

fn variable_of(flag: &Flag) -> String {
    let name = flag.name.to_ascii_uppercase().replace('-', "_");
    format!("{ENVIRONMENT_PREFIX}{name}")
}

fn default_of(name: &str) -> &'static str {
    FLAGS
        .iter()
        .find(|flag| flag.name == name)
        .map_or("", |flag| flag.default)
}

#[cfg(test)]
#[path = "flags_tests.rs"]
mod tests;
