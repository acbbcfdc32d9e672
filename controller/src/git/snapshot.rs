//! A commit with those of its submodules that were fetched, each in the store of its own repository.
//! It fetches none: what it lacks it names.

use std::{collections::BTreeMap, sync::Arc};

use gix::ObjectId;

use super::{CommitId, GitError, Repository, store::Store, submodule::Submodule};

/// Submodules that one source may read: each is a fetch.
const SUBMODULES: usize = 100;
/// Submodules within each other. A commit can't have itself in it, but a chain of them has no end.
const DEPTH: usize = 10;

/// One commit of one repository.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) store: Arc<Store>,
    pub(super) repository: Repository,
    pub(super) commit: CommitId,
    pub(super) root: ObjectId,
}

impl Part {
    /// The commit, which `store` holds.
    pub(super) fn of(
        store: Arc<Store>,
        repository: Repository,
        commit: CommitId,
    ) -> Result<Self, GitError> {
        let root = || {
            let opened = store.open();
            let tree = opened.find_object(commit.0)?.peel_to_tree()?;
            Ok(tree.id)
        };
        let root = root().map_err(|error: gix::Error| unreadable(&repository, &error))?;
        Ok(Self {
            root,
            store,
            repository,
            commit,
        })
    }
}

/// A commit and its submodules, by their paths from its root.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    parts: Arc<BTreeMap<Arc<str>, Arc<Part>>>,
}

impl Snapshot {
    pub(super) fn of(top: Part) -> Self {
        Self {
            parts: Arc::new(BTreeMap::from([(Arc::default(), Arc::new(top))])),
        }
    }

    /// The commit itself.
    pub(super) fn top(&self) -> &Arc<Part> {
        &self.parts[""]
    }

    /// The submodule at this path, if it is there; the commit itself has none.
    pub(super) fn part(&self, path: &str) -> Option<(&Arc<str>, &Arc<Part>)> {
        self.parts.get_key_value(path)
    }

    /// The submodules, by their paths.
    pub(super) fn submodules(&self) -> impl ExactSizeIterator<Item = (&str, &Part)> {
        let all = self.parts.iter().map(|(path, part)| (&**path, &**part));
        all.skip(1)
    }

    /// The same with one submodule more; itself when that is none of its own.
    pub(super) fn with(&self, submodule: &Submodule, part: &Arc<Part>) -> Result<Self, GitError> {
        let top = self.top();
        if top.repository != submodule.top || top.commit != submodule.top_commit {
            return Ok(self.clone());
        }
        if let Some((_, known)) = self.part(&submodule.path) {
            return match known.commit == part.commit {
                true => Ok(self.clone()),
                false => Err(submodule.refused("stands in its directory twice")),
            };
        }
        let above = submodule.path.match_indices('/');
        let depth = above
            .filter(|(end, _)| self.parts.contains_key(&submodule.path[..*end]))
            .count();
        if self.parts.len() > SUBMODULES {
            return Err(submodule.refused(&format!("is one more than {SUBMODULES}")));
        }
        if depth >= DEPTH {
            return Err(submodule.refused(&format!("lies within {DEPTH} others")));
        }
        let mut parts = BTreeMap::clone(&self.parts);
        parts.insert(submodule.path.clone(), Arc::clone(part));
        Ok(Self {
            parts: Arc::new(parts),
        })
    }
}

/// The mirror of `repository` does not give what it holds.
pub(super) fn unreadable(repository: &Repository, error: &dyn std::fmt::Display) -> GitError {
    GitError::Mirror {
        url: repository.url.to_string(),
        cause: error.to_string(),
    }
}
