//! The program `signet`: seals Secrets for Git and drives the controller. A library, so that a fuzzer can call it.
//! Must not do anything but hand the arguments to their command and the outcome to the shell.

#![allow(
    clippy::result_large_err,
    reason = "an error ends the process: its size costs nothing"
)]

mod application;
mod arguments;
mod certificate_source;
mod checkout;
mod cluster;
mod commands;
#[cfg(test)]
#[path = "../../tests/dice.rs"]
mod dice;
mod documents;
mod duration;
mod error;
#[cfg(any(test, fuzzing))]
#[path = "../../tests/fuzzing/documents.rs"]
pub mod fuzz_documents;
#[cfg(test)]
#[path = "../../tests/fuzzing/replay.rs"]
mod fuzz_replay;
#[cfg(test)]
#[path = "../../tests/errors/golden.rs"]
mod golden_errors;
mod key_files;
mod kubeseal;
mod manifest;
mod node;
mod output;
mod parallel;
mod problem;
mod proxy;
mod report;
mod respelled;
mod scalar;
mod secret;
mod splice;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

/// Does what the arguments of this process say.
pub fn run() -> ExitCode {
    let command_line: Vec<OsString> = std::env::args_os().collect();
    if let Some(call) = kubeseal::Call::of(&command_line) {
        return call.run();
    }
    match commands::run(arguments::Arguments::parse()) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}
