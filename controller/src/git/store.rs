//! One bare repository on disk: the objects of the commits fetched so far. It is never shared between processes.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gix::{ThreadSafeRepository, odb::store::init::Slots};
use tempfile::TempDir;

use super::CommitId;

/// How many packs gix may find beside those of the fetches.
const SPARE: u16 = 8;

/// A bare repository that goes from disk with its last user.
pub(super) struct Store {
    repository: ThreadSafeRepository,
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
            commits: Mutex::default(),
            packs,
            _directory: directory,
        })
    }

    /// A handle for this thread.
    pub(super) fn open(&self) -> gix::Repository {
        self.repository.to_thread_local()
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
    use super::*;

    #[test]
    fn a_store_that_can_not_be_made_says_why_and_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let why = || Store::create(&missing, "store-", 1).err();
        assert_eq!(why().as_deref(), Some("entity not found"));
        assert_eq!(why(), why());
    }
}
