//! All repositories in use: resolves revisions, hands out trees, polls, and tells which repositories changed.
//! It decides nothing about Applications: who uses a repository is the caller's knowledge.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, broadcast},
    task,
};

use super::{
    CommitId, Fetched, GitError, Repository, RepositoryUrl, Revision, Tree, metrics::GitMetrics,
    mirror::Mirror, place::Place, readers::Readers, snapshot::Part, uploaded,
};
use crate::repositories::{Known, Repositories, RepositoryKind};

/// How many changes a listener may lag behind before it has to look at all repositories.
const CHANGES: usize = 256;

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
    /// `--git-poll-interval`; zero for never.
    pub poll_interval: Duration,
    /// `--git-poll-jitter`
    pub poll_jitter: Duration,
    /// `--allow-file-repositories`
    pub allow_file: bool,
    /// `--git-submodules`
    pub submodules: bool,
    /// How long a server may take to list its refs, and to go on with an answer.
    pub timeout: Duration,
}

impl Default for MirrorOptions {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(120),
            poll_jitter: Duration::from_secs(60),
            allow_file: false,
            submodules: true,
            timeout: Duration::from_secs(60),
        }
    }
}

impl MirrorOptions {
    /// Whether repositories are polled.
    pub(super) fn polls(&self) -> bool {
        !self.poll_interval.is_zero()
    }
}

/// The refs of a repository moved, what is said of it changed, or it began or ceased to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub url: RepositoryUrl,
    /// All repositories below that URL are meant.
    pub below: bool,
}

impl Changed {
    /// Whether it is news of the repository at `url`.
    #[must_use]
    pub fn concerns(&self, url: &RepositoryUrl) -> bool {
        self.url.same_repository(url) || (self.below && url.is_below(&self.url))
    }
}

/// Two Secrets never share a mirror: who may not read a repository must not find it fetched by who may.
type Key = (RepositoryUrl, Option<String>, Option<String>);

/// The mirrors of all repositories in use.
#[derive(Debug)]
pub struct Mirrors {
    pub(super) options: MirrorOptions,
    place: Place,
    changed: broadcast::Sender<Changed>,
    repositories: Arc<Repositories>,
    metrics: GitMetrics,
    mirrors: Mutex<BTreeMap<Key, InUse>>,
    pub(super) readers: Readers,
    /// Something may be due earlier than it was.
    pub(super) sooner: Notify,
}

#[derive(Debug)]
struct InUse {
    mirror: Arc<Mirror>,
    /// Nothing where it is never polled.
    next_poll: Option<Instant>,
}

impl Mirrors {
    /// Mirrors below `data_dir`, which is made when missing. Those of a process that is gone are removed.
    ///
    /// # Errors
    /// When the directory can't be written.
    pub fn new(data_dir: &Path, options: MirrorOptions) -> std::io::Result<Self> {
        Ok(Self::at(Place::claim(data_dir)?, options))
    }

    /// Mirrors in a temporary directory of their own.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn temporary(options: MirrorOptions) -> std::io::Result<Self> {
        Ok(Self::at(Place::temporary()?, options))
    }

    fn at(place: Place, options: MirrorOptions) -> Self {
        Self {
            options,
            place,
            changed: broadcast::Sender::new(CHANGES),
            repositories: Arc::default(),
            metrics: GitMetrics::default(),
            mirrors: Mutex::default(),
            readers: Readers::default(),
            sooner: Notify::new(),
        }
    }

    /// What is known of the ways to repositories, for others who read some too.
    #[must_use]
    pub fn repositories(&self) -> &Arc<Repositories> {
        &self.repositories
    }

    pub(crate) fn metrics(&self) -> &GitMetrics {
        &self.metrics
    }

    /// A directory of this process alone, which goes with it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.place.path()
    }

    /// The repository of `url` as an Application of `project` may read it; waits until the repository Secrets are known.
    ///
    /// # Errors
    /// As [`Repositories::access`].
    pub async fn repository(&self, url: &str, project: &str) -> Result<Repository, GitError> {
        let access = self
            .repositories
            .access(RepositoryKind::Git, url, project)
            .await?;
        Ok(Repository {
            url: RepositoryUrl::parse(url)?,
            access,
        })
    }

    /// The commit that `revision` (branch, tag, range of versions, full or short SHA, `HEAD`, or nothing for `HEAD`) means
    /// now.
    ///
    /// # Errors
    /// When the refs can't be listed or name no such commit. A full SHA is taken as it is; [`Self::tree`] finds out.
    pub async fn resolve(
        &self,
        repository: &Repository,
        revision: impl Into<Revision>,
        freshness: Freshness,
    ) -> Result<CommitId, GitError> {
        let revision = revision.into();
        revision.check(&repository.url)?;
        let mirror = self.mirror(repository)?;
        match revision.full_sha() {
            Some(commit) => Ok(commit),
            None => mirror.resolve(&revision, freshness).await,
        }
    }

    /// The directory `path` of `commit`, fetched when the mirror does not have it.
    ///
    /// # Errors
    /// When the commit can't be fetched, or has no such directory.
    pub async fn tree(
        &self,
        repository: &Repository,
        commit: &CommitId,
        path: &str,
    ) -> Result<Tree, GitError> {
        self.tree_with(repository, commit, path, &[]).await
    }

    /// The files of a tar archive in place of those of a commit, for as long as somebody reads them.
    ///
    /// # Errors
    /// What in the archive is not as expected, or why there is no room for it.
    pub async fn uploaded(
        &self,
        repository: &Repository,
        commit: CommitId,
        archive: Arc<[u8]>,
    ) -> Result<Tree, String> {
        let (place, repository) = (self.place.path().to_owned(), repository.clone());
        let read = move || uploaded::tree(&place, &repository, commit, &archive);
        let read = task::spawn_blocking(read).await;
        read.unwrap_or_else(|error| Err(error.to_string()))
    }

    /// The same, with the files of these submodules.
    ///
    /// # Errors
    /// When the commit can't be fetched, or has no such directory.
    pub async fn tree_with(
        &self,
        repository: &Repository,
        commit: &CommitId,
        path: &str,
        submodules: &[Fetched],
    ) -> Result<Tree, GitError> {
        let top = self.part(repository, *commit).await?;
        let (path, url) = (path.trim().to_owned(), repository.url.clone());
        let submodules = submodules.to_vec();
        let found = task::spawn_blocking(move || {
            let mut submodules = submodules.iter();
            submodules
                .try_fold(Tree::of(top), |tree, one| tree.with(one))?
                .at(&path)
        });
        let found = found.await;
        let found = found.unwrap_or_else(|error| {
            Err(GitError::Mirror {
                url: url.to_string(),
                cause: error.to_string(),
            })
        });
        if let Err(GitError::Mirror { .. }) = found {
            self.mirror(repository)?.discard_store();
        }
        found
    }

    /// A commit, fetched when the mirror does not have it.
    pub(super) async fn part(
        &self,
        repository: &Repository,
        commit: CommitId,
    ) -> Result<Part, GitError> {
        let mirror = self.mirror(repository)?;
        let store = mirror.store_with(commit).await?;
        let of = repository.clone();
        let part = task::spawn_blocking(move || Part::of(store, of, commit)).await;
        let part = part.unwrap_or_else(|error| {
            Err(GitError::Mirror {
                url: repository.url.to_string(),
                cause: error.to_string(),
            })
        });
        if let Err(GitError::Mirror { .. }) = part {
            mirror.discard_store();
        }
        part
    }

    /// Repositories as they change, from now on. Who lags behind looks at all of them.
    #[must_use]
    pub fn changed(&self) -> broadcast::Receiver<Changed> {
        self.changed.subscribe()
    }

    /// Forgets the repositories that `in_use` does not know any more: they are no longer polled, their mirrors go.
    pub fn retain(&self, in_use: impl Fn(&RepositoryUrl) -> bool) {
        self.readers.retain(&in_use);
        self.mirrors()
            .retain(|(url, ..), _| in_use(url) || self.readers.read(url));
    }

    /// Takes in what our namespace says of repositories, and tells of each repository for which that is new.
    pub fn learn(&self, known: Known) {
        let known = Arc::new(known);
        let before = self.repositories.learn(Arc::clone(&known));
        for changed in news(&before, &known) {
            // Nobody listening is no failure: then nobody uses a repository.
            let _ = self.changed.send(changed);
        }
        if before.authorities != known.authorities || before.host_keys != known.host_keys {
            let urls: Vec<_> = self.mirrors().keys().map(|(url, ..)| url.clone()).collect();
            for url in urls {
                let _ = self.changed.send(Changed { url, below: false });
            }
        }
        let there = |name: &Option<String>| name.as_ref().is_none_or(|name| known.has_secret(name));
        self.mirrors()
            .retain(|(_, secret, settings), _| there(secret) && there(settings));
    }

    /// Lists the refs of repositories in use that `is` names anew, at once, and returns their URLs. Who asks again before
    /// that began shares the listing.
    pub fn due_now(&self, is: impl Fn(&RepositoryUrl) -> bool) -> BTreeSet<RepositoryUrl> {
        let now = Instant::now();
        let mut named = BTreeSet::new();
        for ((url, ..), used) in self.mirrors().iter_mut().filter(|((url, ..), _)| is(url)) {
            used.next_poll = Some(now);
            named.insert(url.clone());
        }
        if !named.is_empty() {
            self.sooner.notify_one();
        }
        named
    }

    /// The mirrors whose poll is due, each with its next one set by `after`; and when the next is due.
    pub(super) fn due(
        &self,
        after: impl Fn() -> Option<Duration>,
    ) -> (Vec<Arc<Mirror>>, Option<Instant>) {
        let now = Instant::now();
        let mut mirrors = self.mirrors();
        let mut due = Vec::new();
        let is_due = |used: &&mut InUse| used.next_poll.is_some_and(|at| at <= now);
        for used in mirrors.values_mut().filter(is_due) {
            used.next_poll = after().map(|wait| now + wait);
            if used.mirror.is_listed() {
                due.push(Arc::clone(&used.mirror));
            }
        }
        let next = mirrors.values().filter_map(|used| used.next_poll).min();
        (due, next)
    }

    pub(super) fn mirror(&self, repository: &Repository) -> Result<Arc<Mirror>, GitError> {
        if repository.url.is_file() && !self.options.allow_file {
            return Err(GitError::FileNotAllowed {
                url: repository.url.to_string(),
            });
        }
        let access = &repository.access;
        let key = (
            repository.url.clone(),
            access.secret.clone(),
            access.settings.clone(),
        );
        let mut mirrors = self.mirrors();
        if let Some(used) = mirrors.get(&key) {
            used.mirror.renew(repository);
            return Ok(Arc::clone(&used.mirror));
        }
        let mirror = Mirror::new(
            repository.clone(),
            Arc::clone(&self.repositories),
            self.place.path().to_owned(),
            self.options.timeout,
            self.changed.clone(),
            self.metrics.clone(),
        );
        let used = InUse {
            mirror: Arc::new(mirror),
            next_poll: self
                .options
                .polls()
                .then(|| Instant::now() + self.options.poll_interval),
        };
        let mirror = Arc::clone(&used.mirror);
        mirrors.insert(key, used);
        self.sooner.notify_one();
        Ok(mirror)
    }

    fn mirrors(&self) -> MutexGuard<'_, BTreeMap<Key, InUse>> {
        self.mirrors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The Secrets that are new, changed or gone.
fn news(before: &Known, after: &Known) -> Vec<Changed> {
    let old = before
        .secrets
        .iter()
        .filter(|secret| !after.secrets.contains(secret));
    let new = after
        .secrets
        .iter()
        .filter(|secret| !before.secrets.contains(secret));
    old.chain(new)
        .map(|secret| Changed {
            url: secret.url().clone(),
            below: secret.is_template(),
        })
        .collect()
}
