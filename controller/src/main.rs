//! Starts the controller; must not contain anything a suite would want to call.

use std::process::ExitCode;

use controller::{render::child, run, settings::Settings};
use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

/// How upstream's controller ends when it can't go on.
const FATAL: u8 = 2;

fn main() -> ExitCode {
    // Before any thread: a process of several can't leave its namespaces.
    if let Some(code) = child::entry() {
        return code;
    }
    let settings = Settings::read();
    if let Err(error) = run::start(settings) {
        tracing::error!("{}", run::chain(&error));
        return ExitCode::from(FATAL);
    }
    ExitCode::SUCCESS
}
