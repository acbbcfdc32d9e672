//! A directory of a commit, read straight from the object database. No work tree is made and nothing is written.

use std::sync::Arc;

use gix::object::tree::EntryKind as Mode;

use super::{
    CommitId, GitError, Repository,
    snapshot::{Part, Snapshot, unreadable},
    submodule::{Fetched, GIT_MODULES, Submodule},
    walk::{Opened, Place, Reached, join, walk, walk_over},
};

/// A directory of one commit, with the submodules that were fetched for it. Cheap to clone; keeps its objects on disk. Its calls
/// read files: not for async threads.
#[derive(Clone, Debug)]
pub struct Tree {
    snapshot: Snapshot,
    here: Place,
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
    within: Arc<str>,
}

impl Entry {
    fn of(kind: EntryKind, place: Place) -> Self {
        Self {
            path: place.path,
            kind,
            id: place.id,
            within: place.within,
        }
    }

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
    /// The root of a commit.
    pub(super) fn of(top: Part) -> Self {
        let (id, within) = (top.root, Arc::default());
        Self {
            snapshot: Snapshot::of(top),
            here: Place {
                path: String::new(),
                id,
                within,
            },
        }
    }

    /// Whether it is of this repository.
    #[must_use]
    pub fn is_of(&self, repository: &Repository) -> bool {
        let own = &self.snapshot.top().repository.url;
        own.same_repository(&repository.url)
    }

    /// The directory at `path`, counted from the root of the commit.
    ///
    /// # Errors
    /// When there is none, or the mirror can't be read.
    pub fn at(&self, path: &str) -> Result<Self, GitError> {
        let top = self.snapshot.top();
        let invalid = |problem| {
            Err(GitError::InvalidPath {
                url: top.repository.url.to_string(),
                commit: top.commit.to_string(),
                path: path.to_owned(),
                problem,
            })
        };
        match walk(&self.snapshot, path).map_err(|error| self.unreadable(&error))? {
            Reached::Directory(here) => Ok(Self {
                snapshot: self.snapshot.clone(),
                here,
            }),
            Reached::File(_) => invalid("is a file, not a directory"),
            Reached::Outside => invalid("leaves the repository"),
            Reached::Loop => invalid("is a loop of symlinks"),
            Reached::Submodule(place) => Err(self.lacks(place)),
            Reached::Missing => Err(GitError::PathNotFound {
                url: top.repository.url.to_string(),
                commit: top.commit.to_string(),
                path: path.to_owned(),
            }),
        }
    }

    /// The Git object id of this directory: equal ids mean equal content, links out of it and the URLs of submodules left
    /// aside.
    #[must_use]
    pub fn id(&self) -> String {
        self.here.id.to_string()
    }

    /// The commit it belongs to.
    #[must_use]
    pub fn commit(&self) -> CommitId {
        self.snapshot.top().commit
    }

    /// Its path in the repository; empty for the root.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.here.path
    }

    /// The root of its commit.
    #[must_use]
    pub fn root(&self) -> Self {
        Self {
            snapshot: self.snapshot.clone(),
            here: Place {
                path: String::new(),
                id: self.snapshot.top().root,
                within: Arc::default(),
            },
        }
    }

    /// The same with the files of one more submodule, where it is one of this commit.
    ///
    /// # Errors
    /// When there are too many of them, or two at one path.
    pub fn with(&self, fetched: &Fetched) -> Result<Self, GitError> {
        Ok(Self {
            snapshot: self.snapshot.with(&fetched.submodule, &fetched.part)?,
            here: self.here.clone(),
        })
    }

    /// The submodules whose files are there: path, URL and commit.
    pub fn submodules(&self) -> impl ExactSizeIterator<Item = (&str, &str, CommitId)> {
        let submodules = self.snapshot.submodules();
        submodules.map(|(path, part)| (path, part.repository.url.as_str(), part.commit))
    }

    /// What lies at `path`, counted from the root of the commit, and the symlinks on the way there.
    ///
    /// # Errors
    /// When the mirror can't be read, or the path goes into a submodule that is not there.
    pub fn look_up(&self, path: &str) -> Result<(Found, Vec<Entry>), GitError> {
        let mut links = Vec::new();
        let reached = walk_over(&self.snapshot, path, &mut links);
        let found = match reached.map_err(|error| self.unreadable(&error))? {
            Reached::File(place) => Found::File(Entry::of(EntryKind::File, place)),
            Reached::Directory(here) => Found::Directory(Self {
                snapshot: self.snapshot.clone(),
                here,
            }),
            Reached::Missing => Found::Missing,
            Reached::Outside => Found::Outside,
            Reached::Submodule(place) => return Err(self.lacks(place)),
            Reached::Loop => Found::Loop,
        };
        let links = links.into_iter();
        let links = links.map(|place| Entry::of(EntryKind::Symlink, place));
        Ok((found, links.collect()))
    }

    /// Files and symlinks, sorted by path; with `recurse` those of all directories and submodules below.
    ///
    /// # Errors
    /// When the mirror can't be read, or one of the directories below is a submodule that is not there: without its files, the
    /// answer would not be whole.
    pub fn entries(&self, recurse: bool) -> Result<Vec<Entry>, GitError> {
        let mut opened = Opened::of(&self.snapshot);
        let mut found = Vec::new();
        let mut directories = vec![self.here.clone()];
        while let Some(here) = directories.pop() {
            let tree = opened.within(&here.within).find_tree(here.id);
            let tree = tree.map_err(|error| self.unreadable(&error))?.detach();
            for entry in gix::objs::TreeRefIter::from_bytes(&tree.data, tree.id.kind()) {
                let entry = entry.map_err(|error| self.unreadable(&error))?;
                let place = Place {
                    path: join(&here.path, &entry.filename.to_string()),
                    id: entry.oid.to_owned(),
                    within: Arc::clone(&here.within),
                };
                match entry.mode.kind() {
                    Mode::Tree if recurse => directories.push(place),
                    Mode::Blob | Mode::BlobExecutable => {
                        found.push(Entry::of(EntryKind::File, place));
                    }
                    Mode::Link => found.push(Entry::of(EntryKind::Symlink, place)),
                    Mode::Commit if recurse => match opened.enter(&place) {
                        Some(root) => directories.push(root),
                        None => return Err(self.lacks(place)),
                    },
                    Mode::Tree | Mode::Commit => {}
                }
            }
        }
        for entry in &mut found {
            entry.path.drain(..self.prefix());
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Fails when any submodule of the commit, wherever it is, is not there.
    ///
    /// # Errors
    /// As [`Self::entries`].
    pub fn whole(&self) -> Result<(), GitError> {
        // Where no file names submodules there are none, and no reason to walk through all of a large repository.
        match self.look_up(GIT_MODULES)? {
            (Found::File(_), _) => self.root().entries(true).map(drop),
            _ => Ok(()),
        }
    }

    /// The file that a symlink leads to, inside this commit.
    ///
    /// # Errors
    /// When the mirror can't be read, or the link leads into a submodule that is not there.
    pub fn follow(&self, link: &Entry) -> Result<Target, GitError> {
        let reached = walk(&self.snapshot, &join(self.path(), &link.path));
        Ok(match reached.map_err(|error| self.unreadable(&error))? {
            Reached::File(place) => Target::File(Entry::of(
                EntryKind::File,
                Place {
                    path: link.path.clone(),
                    ..place
                },
            )),
            Reached::Directory(_) => Target::Directory,
            Reached::Submodule(place) => return Err(self.lacks(place)),
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
        let mut opened = Opened::of(&self.snapshot);
        let header = opened.within(&file.within).find_header(file.id);
        Ok(header.map_err(|error| self.unreadable(&error))?.size())
    }

    /// The content of a file.
    ///
    /// # Errors
    /// When the mirror can't be read.
    pub fn read(&self, file: &Entry) -> Result<Vec<u8>, GitError> {
        let mut opened = Opened::of(&self.snapshot);
        let blob = opened.within(&file.within).find_blob(file.id);
        Ok(blob.map_err(|error| self.unreadable(&error))?.take_data())
    }

    /// How much of a path from the root is that of this directory.
    fn prefix(&self) -> usize {
        let path = self.path();
        path.len() + usize::from(!path.is_empty())
    }

    fn lacks(&self, place: Place) -> GitError {
        let Place { path, id, within } = place;
        match Submodule::find(&self.snapshot, &within, path, id) {
            Ok(submodule) => GitError::Lacks(Box::new(submodule)),
            Err(error) => error,
        }
    }

    fn unreadable(&self, error: &gix::Error) -> GitError {
        unreadable(&self.snapshot.top().repository, error)
    }
}
