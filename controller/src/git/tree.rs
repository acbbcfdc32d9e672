//! A directory of a commit, read straight from the object database. No work tree is made and nothing is written.

use super::{CommitId, GitError};

/// A directory of one commit. Cheap to clone; keeps its mirror alive. Its calls read files: not for the async threads.
#[derive(Clone)]
pub struct Tree {}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree")
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    File,
    Symlink,
}

/// A file or symlink below a [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Relative to the tree, with `/`.
    pub path: String,
    pub kind: EntryKind,
    id: gix::ObjectId,
}

impl Tree {
    /// The Git object id of this directory: equal ids mean equal content.
    #[must_use]
    pub fn id(&self) -> String {
        todo!()
    }

    /// The commit it belongs to.
    #[must_use]
    pub fn commit(&self) -> CommitId {
        todo!()
    }

    /// Its path in the repository; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        todo!()
    }

    /// Files and symlinks, sorted by path; with `recurse` those of all directories below, submodules left out.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn entries(&self, _recurse: bool) -> Result<Vec<Entry>, GitError> {
        todo!()
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn read(&self, _entry: &Entry) -> Result<Vec<u8>, GitError> {
        todo!()
    }
}
