//! Where the output goes: standard output as it comes, or a file that is replaced once all went well.
//! Must not know what is written.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use sealing::SecretValue;
use tempfile::NamedTempFile;

use super::go_text::system_error;
use super::texts::Error;
use super::{go_json, go_yaml};
use crate::report;

/// How objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Yaml,
}

impl Format {
    /// In any case; nothing means JSON.
    pub(super) fn parse(word: &str) -> Result<Self, Error> {
        match word.to_lowercase().as_str() {
            "" | "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            _ => Err(Error::Format(word.to_owned())),
        }
    }

    /// YAML documents begin with `---`, JSON values end with a line break.
    pub(super) fn write(
        self,
        object: &SecretValue,
        into: &mut impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        match self {
            Self::Json => {
                into(go_json::pretty(object).as_bytes())?;
                into(b"\n")
            }
            Self::Yaml => {
                into(b"---\n")?;
                into(go_yaml::document(object).as_bytes())
            }
        }
    }
}

/// The output of one run.
pub(super) enum Sink {
    Stdout,
    /// Written beside its place, and readable for its owner alone.
    File {
        path: PathBuf,
        pending: NamedTempFile,
    },
}

impl Sink {
    pub(super) fn new(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Self::Stdout);
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(std::process::id().to_string());
        let failed = |error: &std::io::Error| {
            let beside = folder.map_or_else(|| PathBuf::from(&name), |folder| folder.join(&name));
            Error::file("open", &beside, error)
        };
        let folder_or_here = folder.unwrap_or(Path::new("."));
        // The message of what fails below has no number of the system's in it.
        std::fs::metadata(folder_or_here).map_err(|error| failed(&error))?;
        let pending = tempfile::Builder::new()
            .prefix(&name)
            .tempfile_in(folder_or_here)
            .map_err(|error| failed(&error.kind().into()))?;
        Ok(Self::File {
            path: path.to_owned(),
            pending,
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Self::Stdout => {
                report::result(bytes).map_err(|error| Error::Stdout(system_error(&error)))
            }
            Self::File { path, pending } => pending
                .write_all(bytes)
                .map_err(|error| Error::file("write", path, &error)),
        }
    }

    pub(super) fn write_object(&mut self, object: &SecretValue, format: &str) -> Result<(), Error> {
        Format::parse(format)?.write(object, &mut |bytes| self.write(bytes))
    }

    /// Puts the file into its place.
    pub(super) fn finish(self) -> Result<(), Error> {
        let Self::File { path, pending } = self else {
            return Ok(());
        };
        let failed = |error: &std::io::Error| Error::file("rename", &path, error);
        pending
            .as_file()
            .sync_all()
            .map_err(|error| failed(&error))?;
        pending
            .persist(&path)
            .map_err(|error| failed(&error.error))?;
        Ok(())
    }
}
