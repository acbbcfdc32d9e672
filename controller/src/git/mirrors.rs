//! All repositories in use: resolves revisions, hands out trees, polls, and tells which repositories changed.
//! It decides nothing about Applications: who uses a repository is the caller's knowledge.

use std::{path::PathBuf, time::Duration};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{CommitId, GitError, Repository, RepositorySecret, RepositoryUrl, Tree};

/// How new the listing of refs must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The listing of the last poll; the first caller makes one.
    Cached,
    /// A listing begun after this call; callers that wait at the same time share it.
    Latest,
}

/// What a user sets about repositories.
#[derive(Clone, Debug)]
pub struct MirrorOptions {
    /// `--git-poll-interval`
    pub poll_interval: Duration,
    /// `--git-poll-jitter`
    pub poll_jitter: Duration,
    /// `--allow-file-repositories`
    pub allow_file: bool,
    /// How long a server may take to list its refs, and to go on with an answer.
    pub timeout: Duration,
}

/// The refs of a repository moved, its Secret changed, or it began or ceased to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub url: RepositoryUrl,
}

/// The mirrors of all repositories in use.
#[derive(Debug)]
pub struct Mirrors {}

impl Mirrors {
    /// Mirrors below `data_dir`, which is made when missing. Mirrors of a process that is gone are removed.
    ///
    /// # Errors
    /// When the directory can't be written.
    pub fn new(_data_dir: PathBuf, _options: MirrorOptions) -> std::io::Result<Self> {
        todo!()
    }

    /// The repository of `url` as an Application of `project` may read it; waits until the repository Secrets are known.
    ///
    /// # Errors
    /// As [`super::credentials::repository`], or when the Secrets can't be read from the cluster.
    pub async fn repository(&self, _url: &str, _project: &str) -> Result<Repository, GitError> {
        todo!()
    }

    /// The commit that `revision` (branch, tag, full or short SHA, `HEAD`, or nothing for `HEAD`) means now.
    ///
    /// # Errors
    /// When the refs can't be listed or name no such commit. A full SHA is taken as it is; [`Self::tree`] finds out.
    pub async fn resolve(
        &self,
        _repository: &Repository,
        _revision: &str,
        _freshness: Freshness,
    ) -> Result<CommitId, GitError> {
        todo!()
    }

    /// The directory `path` of `commit`, fetched when the mirror does not have it.
    ///
    /// # Errors
    /// When the commit can't be fetched, or has no such directory.
    pub async fn tree(
        &self,
        _repository: &Repository,
        _commit: &CommitId,
        _path: &str,
    ) -> Result<Tree, GitError> {
        todo!()
    }

    /// Repositories as they change, from now on. Who lags behind looks at all of them.
    #[must_use]
    pub fn changed(&self) -> broadcast::Receiver<Changed> {
        todo!()
    }

    /// Forgets the repositories that `in_use` does not know any more: they are no longer polled, their mirrors go.
    pub fn retain(&self, _in_use: impl Fn(&RepositoryUrl) -> bool) {
        todo!()
    }

    /// Sets the repository Secrets and tells who uses a repository whose Secret is new, changed or gone.
    pub fn set_secrets(&self, _secrets: Vec<RepositorySecret>) {
        todo!()
    }

    /// Lists the refs of each repository in use again and again, until `shutdown`.
    pub async fn poll(&self, _shutdown: CancellationToken) {
        todo!()
    }
}
