//! One version of a chart, as an archive that was looked through. It renders nothing.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    ChartError,
    archive::{self, Flaw},
    sha256_hex,
};

/// One version of a chart.
#[derive(Clone, PartialEq, Eq)]
pub struct Chart {
    /// As its `Chart.yaml` says.
    pub name: String,
    /// As its `Chart.yaml` says.
    pub version: String,
    /// SHA-256 of the archive, in hexadecimal digits.
    pub digest: String,
    archive: Arc<[u8]>,
    at: String,
}

impl fmt::Debug for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chart")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Chart {
    /// Looks through an archive (`.tgz`); `at` names it in errors. Blocking: up to a hundred megabytes are unpacked on the way.
    ///
    /// # Errors
    /// When it is no chart, or more than one may be.
    pub fn read(at: &str, archive: Vec<u8>) -> Result<Self, ChartError> {
        let metadata = archive::inspect(&archive).map_err(|flaw| refused(at, flaw))?;
        Ok(Self {
            name: metadata.name,
            version: metadata.version,
            digest: sha256_hex(&archive),
            archive: archive.into(),
            at: at.to_owned(),
        })
    }

    /// The archive itself.
    #[must_use]
    pub fn archive(&self) -> &[u8] {
        &self.archive
    }

    /// Writes the chart's files below `into` and gives the directory with its `Chart.yaml`: the chart's name, not there before.
    /// Blocking.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn unpack(&self, into: &Path) -> Result<PathBuf, ChartError> {
        let root = into.join(&self.name);
        archive::unpack(&self.archive, &root).map_err(|flaw| refused(&self.at, flaw))?;
        Ok(root)
    }

    /// Bytes in memory.
    pub(super) fn size(&self) -> usize {
        self.archive.len()
    }

    #[cfg(test)]
    pub(super) fn of_size(size: usize) -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            digest: String::new(),
            archive: vec![0; size].into(),
            at: String::new(),
        }
    }
}

fn refused(at: &str, flaw: Flaw) -> ChartError {
    let at = at.to_owned();
    match flaw {
        Flaw::Problem(problem) => ChartError::NotAChart { at, problem },
        Flaw::TooLarge { what, limit } => ChartError::TooLarge { at, what, limit },
        Flaw::Disk(error) => ChartError::Unpack {
            at,
            cause: error.kind().to_string(),
        },
    }
}
