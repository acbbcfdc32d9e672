//! The folder of one render: a tree to read, a home, and room for temporary files. It goes with its value.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Folders for one child, readable by us alone.
#[derive(Debug)]
pub struct Scratch {
    directory: TempDir,
}

impl Scratch {
    /// A new one below `parent`, which must exist.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn create(parent: &Path) -> io::Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("render-")
            .tempdir_in(parent)?;
        let scratch = Self { directory };
        for folder in [scratch.tree(), scratch.home(), scratch.temporary()] {
            fs::create_dir(folder)?;
        }
        Ok(scratch)
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The folder that holds all of it.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.path()
    }

    /// Where the files of a commit go, by their paths in the repository.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.path().join("tree")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.path().join("home")
    }

    /// Where files for the child go that are not of the repository.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        self.path().join("tmp")
    }
}
