//! Where a chart and its value files lie before `helm` runs: in a commit, or unpacked in a scratch folder.
//! Of a commit, whatever is asked for is gathered to be written out.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    git::Tree,
    render::{
        RenderError,
        files::{At, Files, scratch},
    },
};

/// Files below one root, by their paths from there.
pub(super) enum Place {
    Commit(Files),
    Disk(PathBuf),
}

impl Place {
    pub(super) fn in_commit(tree: &Tree) -> Self {
        Self::Commit(Files::of(tree))
    }

    pub(super) fn on_disk(root: PathBuf) -> Self {
        Self::Disk(root)
    }

    pub(super) fn has_file(&mut self, path: &str) -> Result<bool, RenderError> {
        match self {
            Self::Commit(files) => Ok(matches!(files.add(path)?, At::File(_))),
            Self::Disk(root) => Ok(root.join(path).is_file()),
        }
    }

    /// The content of a file; none when there is no such file.
    pub(super) fn read(&mut self, path: &str) -> Result<Option<String>, RenderError> {
        let bytes = match self {
            Self::Commit(files) => match files.add(path)? {
                At::File(entry) => files.read(&entry)?,
                At::Directory(_) | At::Missing => return Ok(None),
            },
            Self::Disk(root) => match root.join(path) {
                path if path.is_file() => {
                    fs::read(&path).map_err(|error| scratch(&path.to_string_lossy(), &error))?
                }
                _ => return Ok(None),
            },
        };
        Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Files and symlinks of a directory and of those below it, by their paths from it; none when it is not there.
    pub(super) fn files_below(&mut self, directory: &str) -> Result<Vec<String>, RenderError> {
        match self {
            Self::Commit(files) => match files.add(directory)? {
                At::Directory(tree) => {
                    let entries = tree.entries(true)?.into_iter();
                    Ok(entries.map(|entry| entry.path).collect())
                }
                At::File(_) | At::Missing => Ok(Vec::new()),
            },
            Self::Disk(root) => Ok(on_disk(&root.join(directory))),
        }
    }
}

/// What can't be listed is not there.
pub(super) fn on_disk(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(below) = left.pop() {
        for entry in fs::read_dir(directory.join(&below))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = below.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => left.push(path),
                _ => found.push(path.to_string_lossy().into_owned()),
            }
        }
    }
    found
}
