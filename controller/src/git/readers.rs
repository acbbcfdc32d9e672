//! Which sources read which other repositories along with their own, as submodules or bases: both are in use together, and news
//! of the one is news of the other. It knows no commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Changed, GitError, Mirrors, Repository, RepositoryUrl};

/// Repositories of sources, by the other repository that they read.
type By = BTreeMap<RepositoryUrl, BTreeSet<RepositoryUrl>>;

#[derive(Debug, Default)]
pub(super) struct Readers(Mutex<By>);

impl Readers {
    pub(super) fn note(&self, other: &RepositoryUrl, reader: &RepositoryUrl) {
        let mut known = self.known();
        let readers = known.entry(other.clone()).or_default();
        readers.insert(reader.clone());
    }

    /// Forgets those that are not in use.
    pub(super) fn retain(&self, in_use: impl Fn(&RepositoryUrl) -> bool) {
        self.known().retain(|_, readers| {
            readers.retain(&in_use);
            !readers.is_empty()
        });
    }

    /// Whether some source reads this repository.
    pub(super) fn read(&self, other: &RepositoryUrl) -> bool {
        self.known().contains_key(other)
    }

    /// The repositories of sources that read one of these.
    pub(super) fn of(&self, is: impl Fn(&RepositoryUrl) -> bool) -> BTreeSet<RepositoryUrl> {
        let known = self.known();
        let those = known.iter().filter(|(other, _)| is(other));
        those.flat_map(|(_, readers)| readers).cloned().collect()
    }

    fn known(&self) -> MutexGuard<'_, By> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mirrors {
    /// The repository of `url`, as [`Self::repository`], which a source in `reader` reads along with its own.
    ///
    /// # Errors
    /// As [`Self::repository`].
    pub async fn other_repository(
        &self,
        url: &str,
        reader: &RepositoryUrl,
        project: &str,
    ) -> Result<Repository, GitError> {
        let repository = self.repository(url, project).await?;
        self.readers.note(&repository.url, reader);
        Ok(repository)
    }

    /// Repositories of sources that read along with their own what changed.
    #[must_use]
    pub fn readers(&self, changed: &Changed) -> BTreeSet<RepositoryUrl> {
        self.readers.of(|url| changed.concerns(url))
    }
}
