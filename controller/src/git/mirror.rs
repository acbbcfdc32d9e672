//! One repository in use: its last listing of refs and the store of its commits, shared by all who ask at once.
//! It never decides when to poll and never outlives the process.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::broadcast;

use super::{
    Changed, CommitId, Freshness, GitError, Repository,
    held::Held,
    history::History,
    metrics::GitMetrics,
    revision::{Meaning, Refs, Revision, not_found},
    store::Store,
    turn::{Turn, Unfinished},
    wire::{self, Limits, Way},
};
use crate::repositories::{
    Repositories,
    listings::{Listed, Listings, News},
};

/// A first fetch of a large repository takes longer than a listing, by about this factor.
const FETCH_FACTOR: u32 = 5;
/// Fetches of one store: each brings all files of a commit anew.
const PACKS: u16 = 24;

#[derive(Debug)]
pub(super) struct Mirror {
    repositories: Arc<Repositories>,
    parent: PathBuf,
    timeout: Duration,
    changed: broadcast::Sender<Changed>,
    metrics: GitMetrics,
    listing: Turn,
    fetching: Turn,
    deepening: Turn,
    listed_once: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    repository: Repository,
    listings: Listings<Refs, GitError>,
    /// Full ref names beside branches and tags that somebody asked for.
    extra: BTreeSet<String>,
    store: Held<Store>,
    history: Held<History>,
}

impl Mirror {
    pub(super) fn new(
        repository: Repository,
        repositories: Arc<Repositories>,
        parent: PathBuf,
        timeout: Duration,
        changed: broadcast::Sender<Changed>,
        metrics: GitMetrics,
    ) -> Self {
        let state = State {
            repository,
            listings: Listings::default(),
            extra: BTreeSet::new(),
            store: Held::default(),
            history: Held::default(),
        };
        Self {
            repositories,
            parent,
            timeout,
            changed,
            metrics,
            listing: Turn::default(),
            fetching: Turn::default(),
            deepening: Turn::default(),
            listed_once: AtomicBool::new(false),
            state: Mutex::new(state),
        }
    }

    /// Takes over a new access; what the old one led to is forgotten.
    pub(super) fn renew(&self, repository: &Repository) {
        let mut state = self.state();
        if state.repository.access != repository.access {
            state.repository = repository.clone();
            state.listings = Listings::default();
            state.store.forgive();
            state.history.forgive();
        }
    }

    /// Whether anybody ever asked for its refs: a repository used by SHA alone needs no polling.
    pub(super) fn is_listed(&self) -> bool {
        self.listed_once.load(Ordering::Relaxed)
    }

    /// The commit that `revision` means, with a listing of its own when it is a ref not listed so far.
    pub(super) async fn resolve(
        self: &Arc<Self>,
        revision: &Revision,
        freshness: Freshness,
    ) -> Result<CommitId, GitError> {
        let freshness = match revision.unlisted_ref() {
            Some(name) if self.state().extra.insert(name.to_owned()) => Freshness::Latest,
            _ => freshness,
        };
        let refs = self.refs(freshness).await?;
        let url = self.state().repository.url.clone();
        match refs.meaning(&url, revision)? {
            Meaning::Commit(commit) => Ok(commit),
            Meaning::ShortSha(short) => {
                let store = self.state().store.get().cloned();
                let commit = store.and_then(|store| store.commit_beginning(&short));
                commit.ok_or_else(|| not_found(&url, &short))
            }
        }
    }

    /// The refs, as new as asked for.
    pub(super) async fn refs(self: &Arc<Self>, freshness: Freshness) -> Listed<Refs, GitError> {
        self.listed_once.store(true, Ordering::Relaxed);
        let asked = Instant::now();
        let known = || match freshness {
            Freshness::Cached => self.state().listings.cached(Instant::now()),
            Freshness::Latest => self.state().listings.since(asked),
        };
        if let Some(listed) = known() {
            return listed;
        }
        let mirror = Arc::clone(self);
        let turn = self
            .listing
            .take(self.timeout, known, move |_| mirror.list());
        turn.await.unwrap_or_else(|why| {
            let failed = Err(self.unfinished(&why, self.timeout));
            let repository = self.state().repository.clone();
            self.record(&repository, asked, &failed);
            failed
        })
    }

    /// A store that holds `commit`, fetched when need be.
    pub(super) async fn store_with(
        self: &Arc<Self>,
        commit: CommitId,
    ) -> Result<Arc<Store>, GitError> {
        let asked = Instant::now();
        let known = || {
            self.state()
                .store
                .answer(commit, asked, |store| store.has(commit))
        };
        if let Some(Ok(store)) = known() {
            return Ok(store);
        }
        let limit = self.timeout * FETCH_FACTOR;
        let mirror = Arc::clone(self);
        let turn = self
            .fetching
            .take(limit, known, move |stop| mirror.fetch(commit, stop));
        turn.await
            .unwrap_or_else(|why| Err(self.unfinished(&why, limit)))
    }

    /// The history that leads to `commit`, fetched when need be.
    pub(super) async fn history_of(
        self: &Arc<Self>,
        commit: CommitId,
    ) -> Result<Arc<History>, GitError> {
        let asked = Instant::now();
        let known = || {
            let state = self.state();
            state
                .history
                .answer(commit, asked, |history| history.has(commit))
        };
        if let Some(Ok(history)) = known() {
            return Ok(history);
        }
        let limit = self.timeout * FETCH_FACTOR;
        let mirror = Arc::clone(self);
        let turn = self
            .deepening
            .take(limit, known, move |stop| mirror.deepen(commit, stop));
        turn.await
            .unwrap_or_else(|why| Err(self.unfinished(&why, limit)))
    }

    /// Starts anew with an empty store: the objects on disk can't be read.
    pub(super) fn discard_store(&self) {
        self.state().store.discard();
    }

    /// The same for the history.
    pub(super) fn discard_history(&self) {
        self.state().history.discard();
    }

    fn list(&self) -> Listed<Refs, GitError> {
        let began = Instant::now();
        let (repository, extra) = {
            let state = self.state();
            (
                state.repository.clone(),
                state.extra.iter().cloned().collect::<Vec<_>>(),
            )
        };
        let way = self.way(&repository, Limits::listing(self.timeout));
        self.metrics.listing();
        let store = self.store();
        let refs = store.and_then(|store| wire::list_refs(&store.open(), &way, &extra));
        let listed = refs.map(Arc::new);
        self.record(&repository, began, &listed);
        listed
    }

    /// Keeps what a listing found, unless it was made with an access of before, and tells of it when it is news.
    fn record(&self, repository: &Repository, began: Instant, listed: &Listed<Refs, GitError>) {
        let news = {
            let mut state = self.state();
            if state.repository.access != repository.access {
                return;
            }
            state.listings.record(began, Instant::now(), listed)
        };
        match (&news, listed) {
            (News::None, _) => return,
            (News::Failing, Err(error)) => {
                tracing::warn!(%error, "listing the refs of a repository failed");
                return;
            }
            _ => tracing::info!(repository = %repository.url, ?news, "a repository changed"),
        }
        // Nobody listening is no failure: then nobody uses a repository.
        let _ = self.changed.send(Changed {
            url: repository.url.clone(),
            below: false,
        });
    }

    fn way<'a>(&'a self, repository: &'a Repository, limits: Limits) -> Way<'a> {
        Way {
            repository,
            repositories: &self.repositories,
            place: &self.parent,
            limits,
        }
    }

    fn fetch(&self, commit: CommitId, stop: &AtomicBool) -> Result<Arc<Store>, GitError> {
        let started = Instant::now();
        let repository = self.state().repository.clone();
        let limits = Limits::fetch(self.timeout, self.timeout * FETCH_FACTOR);
        let way = self.way(&repository, limits);
        self.metrics.fetch();
        let fetched = self.store_with_room().and_then(|store| {
            wire::fetch_commit(&store.open(), &way, commit, stop)?;
            store.add(commit);
            Ok(store)
        });
        self.state().store.record(started, commit, &fetched);
        fetched
    }

    fn deepen(&self, commit: CommitId, stop: &AtomicBool) -> Result<Arc<History>, GitError> {
        let started = Instant::now();
        let repository = self.state().repository.clone();
        let limits = Limits::fetch(self.timeout, self.timeout * FETCH_FACTOR);
        let way = self.way(&repository, limits);
        self.metrics.fetch();
        let fetched = self.history_with_room().and_then(|history| {
            history.fetch(&way, commit, stop)?;
            Ok(history)
        });
        self.state().history.record(started, commit, &fetched);
        fetched
    }

    fn history_with_room(&self) -> Result<Arc<History>, GitError> {
        let state = self.state();
        match state.history.get().filter(|history| !history.is_full()) {
            Some(history) => Ok(Arc::clone(history)),
            None => {
                let made = History::create(&self.parent).map(Arc::new);
                made.map_err(|cause| unwritable(&state.repository, cause))
            }
        }
    }

    fn store(&self) -> Result<Arc<Store>, GitError> {
        let mut state = self.state();
        if let Some(store) = state.store.get() {
            return Ok(Arc::clone(store));
        }
        let store = self.new_store(&state.repository)?;
        state.store.put(Arc::clone(&store));
        Ok(store)
    }

    fn store_with_room(&self) -> Result<Arc<Store>, GitError> {
        let store = self.store()?;
        if store.is_full() {
            self.new_store(&self.state().repository)
        } else {
            Ok(store)
        }
    }

    fn new_store(&self, repository: &Repository) -> Result<Arc<Store>, GitError> {
        let made = Store::create(&self.parent, "store-", PACKS).map(Arc::new);
        made.map_err(|cause| unwritable(repository, cause))
    }

    fn unfinished(&self, why: &Unfinished, limit: Duration) -> GitError {
        let url = self.state().repository.url.to_string();
        match why {
            Unfinished::Overdue => GitError::TimedOut {
                url,
                seconds: limit.as_secs(),
            },
            Unfinished::Died => GitError::Mirror {
                url,
                cause: "the thread that used it panicked".to_owned(),
            },
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unwritable(repository: &Repository, cause: String) -> GitError {
    GitError::Mirror {
        url: repository.url.to_string(),
        cause,
    }
}
