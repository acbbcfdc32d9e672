//! Which sources have which repositories as submodules: both are in use together, and news of the one is news of the other.
//! It knows no commit.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::RepositoryUrl;

/// Repositories of sources, by the repository of the submodule that they have.
type Of = BTreeMap<RepositoryUrl, BTreeSet<RepositoryUrl>>;

#[derive(Debug, Default)]
pub(super) struct Superprojects(Mutex<Of>);

impl Superprojects {
    pub(super) fn note(&self, submodule: &RepositoryUrl, of: &RepositoryUrl) {
        let mut known = self.known();
        known
            .entry(submodule.clone())
            .or_default()
            .insert(of.clone());
    }

    /// Forgets those that are not in use.
    pub(super) fn retain(&self, in_use: impl Fn(&RepositoryUrl) -> bool) {
        self.known().retain(|_, of| {
            of.retain(&in_use);
            !of.is_empty()
        });
    }

    /// Whether some source has this repository as a submodule.
    pub(super) fn have(&self, submodule: &RepositoryUrl) -> bool {
        self.known().contains_key(submodule)
    }

    /// The repositories that have one of these as a submodule.
    pub(super) fn of(&self, is: impl Fn(&RepositoryUrl) -> bool) -> BTreeSet<RepositoryUrl> {
        let known = self.known();
        let those = known.iter().filter(|(submodule, _)| is(submodule));
        those.flat_map(|(_, of)| of).cloned().collect()
    }

    fn known(&self) -> MutexGuard<'_, Of> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
