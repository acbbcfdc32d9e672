//! A directory of a commit, read straight from the object database. No work tree is made and nothing is written.

use std::{fmt::Display, sync::Arc};

use gix::{ObjectId, object::tree::EntryKind as Mode};

use super::{
    CommitId, GitError, RepositoryUrl,
    store::Store,
    walk::{Reached, walk, walk_over},
};

/// A directory of one commit. Cheap to clone; keeps its objects on disk. Its calls read files: not for async threads.
#[derive(Clone, Debug)]
pub struct Tree {
    store: Arc<Store>,
    url: RepositoryUrl,
    commit: CommitId,
    path: String,
    root: ObjectId,
    id: ObjectId,
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
    id: ObjectId,
}

impl Entry {
    /// The Git object id of its content.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }
}

/// What lies at a path of a commit.
#[derive(Clone, Debug)]
pub enum Found {
    /// The entry's path is that without links, from the root.
    File(Entry),
    Directory(Tree),
    Missing,
    /// Out of the repository, by `..` or an absolute path.
    Outside,
    /// Too many links that lead to links.
    Loop,
}

/// Where a symlink leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file of the same commit: the entry has the link's path and the file's content.
    File(Entry),
    Directory,
    Missing,
    /// Out of the repository, by `..` or an absolute path.
    Outside,
    /// Too many links that lead to links.
    Loop,
}

impl Tree {
    /// The directory `path` of `commit`, whose objects `store` holds.
    pub(super) fn find(
        store: Arc<Store>,
        url: RepositoryUrl,
        commit: CommitId,
        path: &str,
    ) -> Result<Self, GitError> {
        let repository = store.open();
        let unreadable = |error: gix::Error| unreadable(&url, &error);
        let commit_object = repository.find_object(commit.0).map_err(unreadable)?;
        let root = commit_object.peel_to_tree().map_err(unreadable)?.id;
        let (id, path) = match walk(&repository, root, path).map_err(unreadable)? {
            Reached::Directory { id, path } => (id, path),
            Reached::File { .. } => {
                return Err(invalid_path(
                    &url,
                    commit,
                    path,
                    "is a file, not a directory",
                ));
            }
            Reached::Outside => {
                return Err(invalid_path(&url, commit, path, "leaves the repository"));
            }
            Reached::Loop => return Err(invalid_path(&url, commit, path, "is a loop of symlinks")),
            Reached::Submodule => return Err(submodule(&url, path)),
            Reached::Missing => {
                let (url, commit, path) = (url.to_string(), commit.to_string(), path.to_owned());
                return Err(GitError::PathNotFound { url, commit, path });
            }
        };
        Ok(Self {
            store,
            url,
            commit,
            path,
            root,
            id,
        })
    }

    /// The Git object id of this directory: equal ids mean equal content, links out of it left aside.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// The commit it belongs to.
    #[must_use]
    pub fn commit(&self) -> CommitId {
        self.commit
    }

    /// Its path in the repository; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The root of its commit.
    #[must_use]
    pub fn root(&self) -> Self {
        Self {
            path: String::new(),
            id: self.root,
            ..self.clone()
        }
    }

    /// What lies at `path`, counted from the root of the commit, and the symlinks on the way there.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn look_up(&self, path: &str) -> Result<(Found, Vec<Entry>), GitError> {
        let mut links = Vec::new();
        let reached = walk_over(&self.store.open(), self.root, path, &mut links)
            .map_err(|error| self.unreadable(&error))?;
        let place = match reached {
            Reached::File { id, path } => Found::File(Entry {
                path,
                kind: EntryKind::File,
                id,
            }),
            Reached::Directory { id, path } => Found::Directory(Self {
                path,
                id,
                ..self.clone()
            }),
            Reached::Missing => Found::Missing,
            Reached::Outside => Found::Outside,
            Reached::Submodule => return Err(submodule(&self.url, path)),
            Reached::Loop => Found::Loop,
        };
        let links = links.into_iter().map(|link| Entry {
            path: link.path,
            kind: EntryKind::Symlink,
            id: link.id,
        });
        Ok((place, links.collect()))
    }

    /// Files and symlinks, sorted by path; with `recurse` those of all directories below.
    ///
    /// # Errors
    /// When the mirror can't be read, or one of the directories below is a submodule: without its files, the answer would
    /// not be whole.
    pub fn entries(&self, recurse: bool) -> Result<Vec<Entry>, GitError> {
        let repository = self.store.open();
        let mut found = Vec::new();
        let mut directories = vec![(String::new(), self.id)];
        while let Some((prefix, id)) = directories.pop() {
            let tree = repository
                .find_tree(id)
                .map_err(|error| self.unreadable(&error))?;
            for entry in tree.iter() {
                let entry = entry.map_err(|error| self.unreadable(&error))?;
                let path = format!("{prefix}{}", entry.filename());
                let id = entry.object_id();
                match entry.mode().kind() {
                    Mode::Tree if recurse => directories.push((format!("{path}/"), id)),
                    Mode::Blob | Mode::BlobExecutable => found.push(Entry {
                        path,
                        kind: EntryKind::File,
                        id,
                    }),
                    Mode::Link => found.push(Entry {
                        path,
                        kind: EntryKind::Symlink,
                        id,
                    }),
                    Mode::Commit if recurse => {
                        let path = format!("{}/{path}", self.path);
                        return Err(submodule(&self.url, path.trim_start_matches('/')));
                    }
                    Mode::Tree | Mode::Commit => {}
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// The file that a symlink leads to, inside this commit.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn follow(&self, link: &Entry) -> Result<Target, GitError> {
        let path = format!("{}/{}", self.path, link.path);
        let reached = walk(&self.store.open(), self.root, path.trim_start_matches('/'));
        Ok(match reached.map_err(|error| self.unreadable(&error))? {
            Reached::File { id, .. } => Target::File(Entry {
                path: link.path.clone(),
                kind: EntryKind::File,
                id,
            }),
            Reached::Directory { .. } => Target::Directory,
            Reached::Submodule => return Err(submodule(&self.url, &link.path)),
            Reached::Missing => Target::Missing,
            Reached::Outside => Target::Outside,
            Reached::Loop => Target::Loop,
        })
    }

    /// The size of a file in bytes, without reading it.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn size(&self, file: &Entry) -> Result<u64, GitError> {
        let header = self
            .store
            .open()
            .find_header(file.id)
            .map_err(|error| self.unreadable(&error))?;
        Ok(header.size())
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn read(&self, file: &Entry) -> Result<Vec<u8>, GitError> {
        let repository = self.store.open();
        let mut blob = repository
            .find_blob(file.id)
            .map_err(|error| self.unreadable(&error))?;
        Ok(blob.take_data())
    }

    fn unreadable(&self, error: &dyn Display) -> GitError {
        unreadable(&self.url, error)
    }
}

fn unreadable(url: &RepositoryUrl, error: &dyn Display) -> GitError {
    GitError::Mirror {
        url: url.to_string(),
        cause: error.to_string(),
    }
}

fn submodule(url: &RepositoryUrl, path: &str) -> GitError {
    GitError::NotSupported {
        url: url.to_string(),
        what: format!("submodule {path:?}"),
    }
}

fn invalid_path(
    url: &RepositoryUrl,
    commit: CommitId,
    path: &str,
    problem: &'static str,
) -> GitError {
    GitError::InvalidPath {
        url: url.to_string(),
        commit: commit.to_string(),
        path: path.to_owned(),
        problem,
    }
}
