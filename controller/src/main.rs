//! Starts the controller; must not contain anything a suite would want to call.

use std::process::ExitCode;

use clap::Parser;
use controller::{run, settings::Settings};

fn main() -> ExitCode {
    let settings = Settings::parse();
    if let Err(error) = run::start(settings) {
        tracing::error!("{}", run::chain(&error));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
