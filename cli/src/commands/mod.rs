//! The commands, one file each; the doc comment of its arguments is its help.

pub(crate) mod app;
pub(crate) mod cert;
pub(crate) mod keys;
pub(crate) mod reseal;
pub(crate) mod seal;
pub(crate) mod unseal;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command};
use crate::error::Error;

/// How a command that did what it was asked for ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Fine,
    /// A `--check` found something to do, or a wait ended without what was waited for.
    Wanting,
    /// What was asked can't be told; that it can't is said already.
    Unknown,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Fine => Self::SUCCESS,
            Outcome::Wanting => Self::FAILURE,
            Outcome::Unknown => Self::from(2),
        }
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<Outcome, Error> {
    match arguments.command {
        Command::Seal(arguments) => seal::run(&arguments),
        Command::Unseal(arguments) => unseal::run(&arguments),
        Command::Reseal(arguments) => reseal::run(&arguments),
        Command::Cert(command) => cert::run(&command),
        Command::Keys(command) => keys::run(&command),
        Command::App(command) => app::run(&command),
    }
}
