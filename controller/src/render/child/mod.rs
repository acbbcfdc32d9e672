//! Runs one program over files that came from Git, with as little as it needs (docs/decisions/confined-children.md).
//! It knows no tool by name and keeps nothing of a run but what it printed.

mod confinement;
mod error;
mod launcher;
mod limits;
mod scratch;
mod streams;
mod watch;

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub use error::ChildError;
pub(super) use error::{cut, first_line};
pub use launcher::entry;
pub use limits::Limits;
pub use scratch::Scratch;

use confinement::Confinement;

/// Who starts children: our own program, which confines itself and becomes the child.
#[derive(Clone, Debug)]
pub struct Runner {
    launcher: PathBuf,
    limits: Limits,
}

/// One run of one program.
#[derive(Clone, Debug)]
pub struct Child<'a> {
    pub program: &'a Path,
    pub arguments: Vec<OsString>,
    /// The one folder it may write to; it works in a folder of its tree.
    pub scratch: &'a Scratch,
    /// That folder, relative to the root of the tree.
    pub directory: &'a str,
    /// Files and folders that it may read and execute beside the program.
    pub readable: Vec<PathBuf>,
    /// Whether it may reach other hosts.
    pub network: bool,
    /// Whether it is only to run where the kernel keeps it from all other files.
    pub landlocked: bool,
}

/// The program that a process runs, as the process itself may call it.
const OURSELVES: &str = "/proc/self/exe";

impl Default for Runner {
    /// Children of this process, started by its own program.
    fn default() -> Self {
        Self::launched_by(OURSELVES.into(), Limits::default())
    }
}

impl Runner {
    /// Children started by `launcher`, which must be `signet-controller`.
    #[must_use]
    pub fn launched_by(launcher: PathBuf, limits: Limits) -> Self {
        Self { launcher, limits }
    }

    /// Runs the program to its end and gives what it wrote to its standard output. Blocks: not for async threads.
    ///
    /// # Errors
    /// When it does not start, overstays a limit or fails. No process of it is left then, and after success neither.
    pub fn run(&self, child: &Child<'_>) -> Result<Vec<u8>, ChildError> {
        let name = child.program.file_name().unwrap_or_default();
        let program = name.to_string_lossy().into_owned();
        let mut readable = vec![child.program.to_owned()];
        readable.extend(child.readable.iter().cloned());
        let confinement = Confinement {
            readable,
            writable: child.scratch.path().to_owned(),
            network: child.network,
            landlocked: child.landlocked,
            limits: self.limits,
        };
        let started = Command::new(&self.launcher)
            .arg(launcher::CONFINED)
            .arg(confinement.to_argument())
            .arg(child.program)
            .args(&child.arguments)
            .current_dir(child.scratch.tree().join(child.directory))
            .env_clear()
            .env("HOME", child.scratch.home())
            .env("TMPDIR", child.scratch.temporary())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        match started {
            Ok(process) => {
                watch::watch(process, &self.limits).map_err(|why| ChildError::new(program, why))
            }
            Err(error) => Err(ChildError::new(
                program,
                error::Why::NotStarted(error.to_string()),
            )),
        }
    }
}
