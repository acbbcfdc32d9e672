//! One bare repository on disk: the objects of the commits fetched so far. It is never shared between processes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use gix::bstr::BString;
use gix::objs::tree::EntryMode;
use gix::{ObjectId, ThreadSafeRepository, odb::store::init::Slots};
use tempfile::TempDir;

use super::CommitId;

/// How many packs gix may find beside those of the fetches.
const SPARE: u16 = 8;

/// Entries of directories that are kept: those of a commit of many Applications are looked through for each of them.
const KEPT: usize = 50_000;

/// What a directory holds, by name.
pub(super) type Directory = BTreeMap<BString, (EntryMode, ObjectId)>;

/// Directories that were read.
#[derive(Default)]
struct Directories {
    of: HashMap<ObjectId, Arc<Directory>>,
    entries: usize,
}

/// A bare repository that goes from disk with its last user.
pub(super) struct Store {
    repository: ThreadSafeRepository,
    directories: Mutex<Directories>,
    commits: Mutex<BTreeSet<CommitId>>,
    packs: u16,
    _directory: TempDir,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("directory", &self._directory.path())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// An empty store below `parent`, which must exist, for so many `packs`: each fetch adds one, and what gix opens of them is
    /// fixed from the beginning.
    pub(super) fn create(parent: &Path, prefix: &str, packs: u16) -> Result<Self, String> {
        let directory = tempfile::Builder::new()
            .prefix(prefix)
            .tempdir_in(parent)
            .map_err(|error| cause(&error))?;
        // Isolated: neither the system's nor a user's git configuration changes what we fetch, or from where.
        let repository = ThreadSafeRepository::init_opts(
            directory.path(),
            gix::create::Kind::Bare,
            gix::create::Options::default(),
            gix::open::Options::isolated().object_store_slots(Slots::Given(packs + SPARE)),
        )
        .map_err(|error| cause(&error))?;
        Ok(Self {
            repository,
            directories: Mutex::default(),
            commits: Mutex::default(),
            packs,
            _directory: directory,
        })
    }

    /// A handle for this thread.
    pub(super) fn open(&self) -> gix::Repository {
        self.repository.to_thread_local()
    }

    /// A directory, read and unpacked once for as long as there is room for it. `opened` is a handle of this store.
    pub(super) fn directory(
        &self,
        opened: &gix::Repository,
        id: ObjectId,
    ) -> gix::Result<Arc<Directory>> {
        if let Some(known) = self.directories().of.get(&id) {
            return Ok(Arc::clone(known));
        }
        let tree = opened.find_tree(id)?;
        let mut read = Directory::new();
        for entry in tree.iter() {
            let entry = entry?;
            let (mode, id) = (entry.mode(), entry.object_id());
            read.insert(entry.filename().to_owned(), (mode, id));
        }
        let read = Arc::new(read);
        let mut directories = self.directories();
        if directories.entries + read.len() > KEPT {
            *directories = Directories::default();
        }
        directories.entries += read.len();
        directories.of.insert(id, Arc::clone(&read));
        Ok(read)
    }

    fn directories(&self) -> MutexGuard<'_, Directories> {
        let directories = self.directories.lock();
        directories.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has(&self, commit: CommitId) -> bool {
        self.commits().contains(&commit)
    }

    pub(super) fn add(&self, commit: CommitId) {
        self.commits().insert(commit);
    }

    /// The one commit whose SHA begins with `short`.
    pub(super) fn commit_beginning(&self, short: &str) -> Option<CommitId> {
        let commits = self.commits();
        let mut found = commits
            .iter()
            .filter(|id| id.to_string().starts_with(short));
        let first = found.next()?;
        found.next().is_none().then_some(*first)
    }

    /// Whether the next fetch should go into a new store.
    pub(super) fn is_full(&self) -> bool {
        self.commits().len() >= usize::from(self.packs)
    }

    fn commits(&self) -> MutexGuard<'_, BTreeSet<CommitId>> {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the file system has against it, if anything: not where, which is in another folder at each try.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let io = causes.find_map(|error| error.downcast_ref::<std::io::Error>());
    io.map_or_else(|| error.to_string(), |io| io.kind().to_string())
}

#[cfg(test)]
mod tests {
    use gix::objs::{Tree, tree::Entry, tree::EntryKind};

    use super::*;

    #[test]
    fn a_store_that_can_not_be_made_says_why_and_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let why = || Store::create(&missing, "store-", 1).err();
        assert_eq!(why().as_deref(), Some("entity not found"));
        assert_eq!(why(), why());
    }

    #[test]
    fn a_directory_is_unpacked_once_however_often_it_is_looked_through() {
        let place = tempfile::tempdir().unwrap();
        let store = Store::create(place.path(), "store-", 1).unwrap();
        let opened = store.open();
        let blob = opened.write_blob(b"x").unwrap().detach();
        let entry = Entry {
            mode: EntryKind::Blob.into(),
            filename: "a.yaml".into(),
            oid: blob,
        };
        let entries = vec![entry];
        let id = opened.write_object(&Tree { entries }).unwrap().detach();
        let read = || store.directory(&opened, id).unwrap();
        let (first, second) = (read(), read());
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(first.keys().collect::<Vec<_>>(), ["a.yaml"]);
    }
}
