//! Starts `signet`; everything else is the library's.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
