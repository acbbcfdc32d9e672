//! The small life of our own program as a launcher: it confines itself, then becomes the program it was asked to start.
//! So nothing has to run between fork and exec of the controller, whose many threads may hold any lock.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use super::confinement::Confinement;

/// The first argument that makes a launcher of `signet-controller`.
pub(super) const CONFINED: &str = "confined";
/// How a launcher ends that did not become the program.
pub(super) const NOT_STARTED: u8 = 125;

/// Becomes the child that the arguments ask for. Returns when they ask for none, or with a code when that failed.
#[must_use]
pub fn entry() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != CONFINED {
        return None;
    }
    let problem = launch(arguments);
    // The one who reads it is our own runner.
    let _ = writeln!(io::stderr(), "{problem}");
    Some(ExitCode::from(NOT_STARTED))
}

/// Returns only when it fails.
fn launch(mut arguments: impl Iterator<Item = OsString>) -> String {
    let (Some(confinement), Some(program)) = (arguments.next(), arguments.next()) else {
        return "expected a confinement and a program".to_owned();
    };
    let read = serde_json::from_slice::<Confinement>(confinement.as_encoded_bytes());
    let entered = read
        .map_err(|error| error.to_string())
        .and_then(|confinement| confinement.enter().map_err(|error| error.to_string()));
    match entered {
        Ok(()) => Command::new(program).args(arguments).exec().to_string(),
        Err(problem) => problem,
    }
}
