//! The programs that render: where they are, which version they say they are, and one run of one of them.
//! It knows their names and their `version` command only.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    RenderError,
    child::{Child, Runner, Scratch, cut},
    files,
};

/// Where a program that is linked dynamically finds its libraries.
const LIBRARIES: [&str; 5] = [
    "/etc/ld.so.cache",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

/// A program by its name or path, looked for when it is first needed.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    /// As set; a bare name is looked for in PATH.
    set: PathBuf,
    /// What makes it say its version.
    version: &'static [&'static str],
    /// What that begins with: later major versions take other flags. Empty where anything will do.
    expected: &'static str,
    found: Mutex<Option<Found>>,
}

/// A program that answered.
#[derive(Clone, Debug)]
pub(super) struct Found {
    name: &'static str,
    pub(super) path: PathBuf,
    /// As it says itself.
    pub(super) version: String,
}

/// One run.
pub(super) struct Run<'a> {
    pub(super) runner: &'a Runner,
    pub(super) scratch: &'a Scratch,
    /// Relative to the root of the tree; empty for the root.
    pub(super) directory: &'a str,
    /// What it may read beside itself and the scratch folder.
    pub(super) readable: Vec<PathBuf>,
    /// See [`Child::landlocked`].
    pub(super) landlocked: bool,
    /// The beginning of the command, as errors name it.
    pub(super) command: &'a str,
    /// What may be told of what it says where it fails; `None` is nothing.
    pub(super) told: fn(&str) -> Option<String>,
}

impl Program {
    pub(super) fn new(
        name: &'static str,
        set: PathBuf,
        version: &'static [&'static str],
        expected: &'static str,
    ) -> Self {
        Self {
            name,
            set,
            version,
            expected,
            found: Mutex::default(),
        }
    }

    /// The program, asked for its version once. What fails is tried again: an image can be mended while we run.
    pub(super) fn find(&self, runner: &Runner, parent: &Path) -> Result<Found, RenderError> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &*found {
            return Ok(found.clone());
        }
        let problem = |problem: String| RenderError::NoProgram {
            name: self.name,
            problem,
        };
        let path = located(&self.set)
            .ok_or_else(|| problem(format!("found no program {}", self.set.display())))?;
        let scratch = scratch(parent)?;
        let child = Child {
            program: &path,
            arguments: self.version.iter().map(OsString::from).collect(),
            scratch: &scratch,
            directory: "",
            readable: LIBRARIES.map(PathBuf::from).to_vec(),
            network: false,
            landlocked: false,
        };
        let output = runner.run(&child);
        let output = output.map_err(|error| problem(error.to_string()))?;
        let version = String::from_utf8_lossy(&output).trim().to_owned();
        if version.is_empty() {
            return Err(problem(format!("{} says no version", path.display())));
        }
        if !version.starts_with(self.expected) {
            let path = path.display();
            let expected = self.expected;
            return Err(problem(format!(
                "{path} is {version}, expected {expected}x"
            )));
        }
        tracing::info!(program = %path.display(), version, "renders with");
        let name = self.name;
        Ok(found
            .insert(Found {
                name,
                path,
                version,
            })
            .clone())
    }
}

/// A new folder for one run, below `parent`.
pub(super) fn scratch(parent: &Path) -> Result<Scratch, RenderError> {
    Scratch::create(parent).map_err(|error| files::scratch("the source", &error))
}

impl Found {
    /// Runs it to its end and gives what it printed. Errors show paths of the repository, never those of the scratch folder.
    pub(super) fn run(
        &self,
        run: &Run<'_>,
        arguments: Vec<String>,
    ) -> Result<Vec<u8>, RenderError> {
        let mut readable = run.readable.clone();
        readable.extend(LIBRARIES.map(PathBuf::from));
        let child = Child {
            program: &self.path,
            arguments: arguments.into_iter().map(OsString::from).collect(),
            scratch: run.scratch,
            directory: run.directory,
            readable,
            network: false,
            landlocked: run.landlocked,
        };
        let command = || format!("{} {}", self.name, run.command);
        run.runner.run(&child).map_err(|cause| {
            let command = command();
            let Some(said) = cause.said() else {
                return RenderError::Child { command, cause };
            };
            match (run.told)(&in_repository(said, run.scratch)) {
                Some(words) => RenderError::Program {
                    command,
                    words: cut(words),
                },
                None => RenderError::Withheld { command },
            }
        })
    }
}

/// The file behind a path, or behind a bare name in PATH.
fn located(set: &Path) -> Option<PathBuf> {
    if set.components().count() > 1 {
        return fs::canonicalize(set).ok();
    }
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|folder| folder.join(set));
    let found = places.find(|place| place.is_file())?;
    fs::canonicalize(found).ok()
}

/// The words of a program, with the paths of files as they are in the repository.
fn in_repository(words: &str, scratch: &Scratch) -> String {
    let mut words = words.to_owned();
    for folder in [
        scratch.tree(),
        scratch.temporary(),
        scratch.root().to_owned(),
    ] {
        let named = folder.to_string_lossy().into_owned();
        let real = fs::canonicalize(&folder).unwrap_or(folder);
        for folder in [&*real.to_string_lossy(), &named] {
            words = words
                .replace(&format!("{folder}/"), "")
                .replace(folder, ".");
        }
    }
    words
}
