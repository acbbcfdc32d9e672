//! The files of one commit that a render reads: gathered by name, hashed into its key, written out for a program.
//! It never writes a link that leaves the repository, and reads no file before it is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::{RenderError, key::KeyHash};
pub(super) use crate::git::join;
use crate::git::{Entry, EntryKind, Found, Tree};

/// A repository that is written out whole, because nobody can tell which files of it are read, is at most this large:
/// temporary folders may lie in memory.
const BYTES: u64 = 256 << 20;
/// Each file costs a system call or two, and an inode.
const FILES: usize = 50_000;

/// Files and symlinks of a commit, by their paths from its root.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: Tree,
    found: BTreeMap<String, Entry>,
    whole: bool,
}

/// What a path of a commit is.
#[derive(Debug)]
pub(super) enum At {
    File(Entry),
    Directory(Tree),
    Missing,
}

impl Files {
    /// None yet, of the commit that `tree` belongs to.
    pub(super) fn of(tree: &Tree) -> Self {
        Self {
            root: tree.root(),
            found: BTreeMap::new(),
            whole: false,
        }
    }

    /// What lies at `path`. A file is taken along, and so is every symlink on the way.
    pub(super) fn add(&mut self, path: &str) -> Result<At, RenderError> {
        let (found, links) = self.root.look_up(path)?;
        let at = match found {
            Found::File(file) => At::File(file),
            Found::Directory(tree) => At::Directory(tree),
            Found::Missing => At::Missing,
            Found::Outside => return Err(Self::bad(path, &links, "leaves the repository")),
            Found::Loop => return Err(Self::bad(path, &links, "is in a loop of symlinks")),
        };
        for entry in links {
            self.found.insert(entry.path.clone(), entry);
        }
        if let At::File(file) = &at {
            self.found.insert(file.path.clone(), file.clone());
        }
        Ok(at)
    }

    /// Everything below a directory, with what its symlinks lead to; false when there is no such directory.
    pub(super) fn add_below(&mut self, path: &str) -> Result<bool, RenderError> {
        let At::Directory(tree) = self.add(path)? else {
            return Ok(false);
        };
        let mut left = vec![tree];
        let mut seen = BTreeSet::new();
        while let Some(tree) = left.pop() {
            if !seen.insert(tree.path().to_owned()) {
                continue;
            }
            for entry in entries(&tree)? {
                let path = entry.path.clone();
                let known = self.found.insert(path.clone(), entry.clone());
                if known.is_some_and(|known| known != entry) {
                    return Err(file(path, "stands in its directory twice"));
                }
                if entry.kind == EntryKind::Symlink
                    && let At::Directory(target) = self.add(&path)?
                {
                    left.push(target);
                }
            }
            self.refuse_too_many()?;
        }
        Ok(true)
    }

    /// Files that were taken along below a directory, by their paths.
    pub(super) fn below(&self, directory: &str) -> Result<Vec<(&str, &Entry)>, RenderError> {
        let At::Directory(tree) = self.clone().add(directory)? else {
            return Ok(Vec::new());
        };
        let prefix = format!("{}/", tree.path());
        let below = self
            .found
            .iter()
            .filter(|(path, entry)| entry.kind == EntryKind::File && path.starts_with(&prefix));
        Ok(below.map(|(path, entry)| (path.as_str(), entry)).collect())
    }

    /// Everything: what a render reads of this commit can't be told beforehand.
    pub(super) fn add_everything(&mut self) -> Result<(), RenderError> {
        self.root.whole()?;
        self.whole = true;
        Ok(())
    }

    /// The content of a file.
    pub(super) fn read(&self, file: &Entry) -> Result<Vec<u8>, RenderError> {
        Ok(self.root.read(file)?)
    }

    /// Paths and contents, by the ids that Git gives them.
    pub(super) fn hash_into(&self, hash: &mut KeyHash) {
        hash.submodules(&self.root);
        if self.whole {
            hash.part("everything").part(&self.root.id());
            return;
        }
        hash.count(self.found.len());
        for (path, entry) in &self.found {
            let kind = match entry.kind {
                EntryKind::File => "file",
                EntryKind::Symlink => "link",
            };
            hash.part(kind).part(path).part(&entry.id());
        }
    }

    /// Writes them below the folder `into`, which exists.
    pub(super) fn write(mut self, into: &Path) -> Result<(), RenderError> {
        if self.whole {
            self.found.clear();
            self.add_below("")?;
        }
        let mut bytes = 0;
        for (path, entry) in &self.found {
            bytes += self.root.size(entry)?;
            if bytes > BYTES {
                return Err(limit(
                    &format!("the size of the files up to {path}"),
                    format!("{} MiB", BYTES >> 20),
                ));
            }
            self.refuse_odd(path)?;
            let content = self.root.read(entry)?;
            let written = write_entry(&into.join(path), entry.kind, &content);
            written.map_err(|error| scratch(path, &error))?;
        }
        Ok(())
    }

    fn refuse_too_many(&self) -> Result<(), RenderError> {
        if self.found.len() > FILES {
            return Err(limit(
                "the number of files that the source reads",
                FILES.to_string(),
            ));
        }
        Ok(())
    }

    /// Git itself makes no such paths, but who crafts objects by hand may: none is written outside of `into`.
    fn refuse_odd(&self, path: &str) -> Result<(), RenderError> {
        let plain = |name: &str| !matches!(name, "" | "." | ".." | ".git");
        let is_link = |above: &str| {
            let entry = self.found.get(above);
            entry.is_some_and(|entry| entry.kind == EntryKind::Symlink)
        };
        let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
        if path.split('/').all(plain) && !above.any(is_link) {
            return Ok(());
        }
        Err(file(path.to_owned(), "is no path that Git would make"))
    }

    fn bad(path: &str, links: &[Entry], problem: &str) -> RenderError {
        match links.last() {
            Some(link) => file(link.path.clone(), &format!("is a symlink that {problem}")),
            None => file(path.to_owned(), problem),
        }
    }
}

fn file(file: String, problem: &str) -> RenderError {
    RenderError::File {
        file,
        problem: problem.to_owned(),
    }
}

/// All below `tree`, by paths from the root.
fn entries(tree: &Tree) -> Result<Vec<Entry>, RenderError> {
    let mut entries = tree.entries(true)?;
    for entry in &mut entries {
        entry.path = join(tree.path(), &entry.path);
    }
    Ok(entries)
}

/// Parents are made as they are needed; a path through a symlink never occurs, since paths are those without links.
fn write_entry(path: &Path, kind: EntryKind, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match kind {
        EntryKind::File => fs::write(path, content),
        EntryKind::Symlink => symlink(
            PathBuf::from(String::from_utf8_lossy(content).into_owned()),
            path,
        ),
    }
}

fn limit(what: &str, limit: String) -> RenderError {
    RenderError::Limit {
        what: what.to_owned(),
        limit,
    }
}

/// A file that can't be written where programs find it: the disk is full, or the folder is gone.
pub(super) fn scratch(path: &str, error: &io::Error) -> RenderError {
    RenderError::Scratch {
        file: path.to_owned(),
        problem: error.to_string(),
    }
}
