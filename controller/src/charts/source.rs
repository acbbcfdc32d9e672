//! One repository in use: its last listing of versions, and archives fetched once for all who ask at the same time.
//! It never decides when to poll and keeps no archive.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Mutex as Turn, broadcast},
    task,
};

use super::{
    Access, Changed, Chart, ChartError, Fetch, Tls,
    index::{Digest, Index, Release},
    kept::{Kept, Origin},
    known::{Listed, News},
    place::{Location, Place, is_tag},
    registry::{Absent, Registry},
    repository::Repository,
    sha256_hex,
    shared::Shared,
    versions::{Wanted, newest},
};
use crate::git::Freshness;

/// A repository, or one chart of a registry.
#[derive(Debug)]
pub(super) struct Source {
    /// For messages, and the name of what changed.
    url: String,
    server: Server,
    timeout: Duration,
    changed: broadcast::Sender<Changed>,
    listed_once: AtomicBool,
    fetching: Mutex<BTreeMap<Origin, Fetching>>,
}

#[derive(Debug)]
enum Server {
    Repository(Box<Repository>, Shared<Index>),
    Registry(Box<Registry>, Shared<Vec<String>>),
}

/// The turn to fetch one archive; who had it last and failed leaves behind when it began, and why.
type Fetching = Arc<Turn<Option<(Instant, ChartError)>>>;

/// An archive, and what it has to be.
struct Fetched {
    archive: Vec<u8>,
    /// SHA-256 that is promised for it.
    promised: Option<String>,
}

impl Source {
    pub(super) fn new(
        place: Place,
        access: &Access,
        timeout: Duration,
        changed: broadcast::Sender<Changed>,
    ) -> Result<Self, ChartError> {
        let url = place.shown();
        let server = match place {
            Place::Index(home) => {
                let repository = Repository::new(home, url.clone(), access, timeout)?;
                Server::Repository(Box::new(repository), Shared::default())
            }
            Place::Registry(location) => {
                let registry = Registry::new(location, access, timeout)?;
                Server::Registry(Box::new(registry), Shared::default())
            }
        };
        Ok(Self {
            url,
            server,
            timeout,
            changed,
            listed_once: AtomicBool::new(false),
            fetching: Mutex::default(),
        })
    }

    pub(super) fn access(&self) -> &Access {
        match &self.server {
            Server::Repository(repository, _) => repository.access(),
            Server::Registry(registry, _) => registry.access(),
        }
    }

    /// Whether anybody ever asked for its versions: a registry whose charts are asked for by version needs no polling.
    pub(super) fn is_listed(&self) -> bool {
        self.listed_once.load(Ordering::Relaxed)
    }

    /// Lists its versions anew, for whoever asks next; a failure is kept and told.
    pub(super) async fn refresh(&self) {
        match &self.server {
            Server::Repository(repository, index) => {
                drop(self.index(repository, index, Freshness::Latest).await);
            }
            Server::Registry(registry, tags) => {
                drop(self.tags(registry, tags, Freshness::Latest).await);
            }
        }
    }

    /// The version of `chart` that is meant.
    pub(super) async fn resolve(
        &self,
        chart: &str,
        wanted: &Wanted,
        freshness: Freshness,
    ) -> Result<String, ChartError> {
        match &self.server {
            Server::Repository(repository, shared) => {
                let index = self.index(repository, shared, freshness).await?;
                let release = self.release(&index, chart, wanted)?;
                Ok(release.version.to_string())
            }
            Server::Registry(registry, shared) => {
                if let Some(version) = wanted.exact() {
                    return Ok(version.to_owned());
                }
                let tags = self.tags(registry, shared, freshness).await?;
                let versions = || tags.iter().map(String::as_str);
                let chosen = wanted.choose(versions()).map(str::to_owned);
                chosen.ok_or_else(|| self.no_version(wanted.text(), versions()))
            }
        }
    }

    /// The archive of a version, from `kept` or from the server.
    pub(super) async fn fetch(
        &self,
        chart: &str,
        wanted: &Wanted,
        how: Fetch,
        kept: &Mutex<Kept>,
    ) -> Result<Arc<Chart>, ChartError> {
        let asked = Instant::now();
        let index = match &self.server {
            Server::Repository(repository, index) => {
                Some(self.index(repository, index, how.freshness).await?)
            }
            Server::Registry(..) => None,
        };
        let release = match &index {
            Some(index) => Some(self.release(index, chart, wanted)?),
            None => None,
        };
        let origin = self.origin(chart, wanted, release);
        let recall = || lock(kept).get(&origin);
        if how.freshness == Freshness::Cached
            && let Some(chart) = recall()
        {
            return Ok(chart);
        }
        let turn = self.turn(&origin);
        let mut failed = turn.lock().await;
        if how.freshness == Freshness::Cached
            && let Some(chart) = recall()
        {
            return Ok(chart);
        }
        if let Some((began, error)) = failed.as_ref().filter(|(began, _)| *began >= asked) {
            tracing::debug!(?began, %error, "who asked before got no chart either");
            return Err(error.clone());
        }
        let began = Instant::now();
        let fetched = self.fetch_now(&origin, release, how, recall()).await;
        match fetched {
            Ok(chart) => {
                lock(kept).keep(origin.clone(), Arc::clone(&chart));
                lock(&self.fetching).remove(&origin);
                Ok(chart)
            }
            Err(error) => {
                *failed = Some((began, error.clone()));
                Err(error)
            }
        }
    }

    async fn fetch_now(
        &self,
        origin: &Origin,
        release: Option<&Release>,
        how: Fetch,
        known: Option<Arc<Chart>>,
    ) -> Result<Arc<Chart>, ChartError> {
        let at = match &self.server {
            Server::Repository(..) => format!("{} {} {}", self.url, origin.chart, origin.version),
            Server::Registry(..) => format!("{}:{}", self.url, tag_of(&origin.version)),
        };
        let has = |sha256: &str| known.as_ref().is_some_and(|chart| chart.digest == sha256);
        let fetched = match (&self.server, release) {
            (Server::Repository(repository, _), Some(release)) => {
                self.of_repository(repository, release, how, has, &at)
                    .await?
            }
            (Server::Registry(registry, tags), _) => {
                self.of_registry(registry, tags, &origin.version, has, &at)
                    .await?
            }
            (Server::Repository(..), None) => None,
        };
        match (fetched, known) {
            (Some(fetched), _) => checked(fetched, at).await,
            (None, Some(known)) => Ok(known),
            (None, None) => Err(ChartError::ArchiveNotFound { at }),
        }
    }

    async fn of_repository(
        &self,
        repository: &Repository,
        release: &Release,
        how: Fetch,
        has: impl Fn(&str) -> bool,
        at: &str,
    ) -> Result<Option<Fetched>, ChartError> {
        let promised = release.digest.hex();
        if release.digest == Digest::Unknown {
            return Err(ChartError::NotSupported {
                at: at.to_owned(),
                what: "a digest in the index that is no SHA-256 digest",
            });
        }
        if promised.as_deref().is_some_and(&has) {
            return Ok(None);
        }
        let Some((location, tag)) = Location::with_tag(&release.url) else {
            let archive = repository.archive(release, how.recipients, at).await?;
            return Ok(Some(Fetched { archive, promised }));
        };
        // The registry is another server: what is said of the repository's login and certificates is not said of it.
        let access = Access {
            tls: Tls {
                insecure: repository.access().tls.insecure,
                ..Tls::default()
            },
            login: Default::default(),
            secret: None,
            ..repository.access().clone()
        };
        let registry = Registry::new(location, &access, self.timeout)?;
        match registry.pull(tag, has, at).await {
            Ok(pulled) => Ok(pulled.map(|pulled| Fetched {
                archive: pulled.archive,
                promised: promised.or(Some(pulled.sha256)),
            })),
            Err(Absent::NotFound) => Err(ChartError::ArchiveNotFound { at: at.to_owned() }),
            Err(Absent::Failed(error)) => Err(error),
        }
    }

    async fn of_registry(
        &self,
        registry: &Registry,
        shared: &Shared<Vec<String>>,
        version: &str,
        has: impl Fn(&str) -> bool,
        at: &str,
    ) -> Result<Option<Fetched>, ChartError> {
        let tag = tag_of(version);
        if !is_tag(&tag) {
            return Err(ChartError::InvalidVersion {
                at: self.url.clone(),
                version: version.to_owned(),
            });
        }
        match registry.pull(&tag, has, at).await {
            Ok(pulled) => Ok(pulled.map(|pulled| Fetched {
                archive: pulled.archive,
                promised: Some(pulled.sha256),
            })),
            Err(Absent::NotFound) => {
                // What there is instead is worth one more request, whose own failure says more.
                let tags = self.tags(registry, shared, Freshness::Cached).await?;
                Err(self.no_version(version, tags.iter().map(String::as_str)))
            }
            Err(Absent::Failed(error)) => Err(error),
        }
    }

    fn release<'a>(
        &self,
        index: &'a Index,
        chart: &str,
        wanted: &Wanted,
    ) -> Result<&'a Release, ChartError> {
        let releases = index
            .chart(chart)
            .ok_or_else(|| ChartError::ChartNotFound {
                at: self.url.clone(),
                chart: chart.to_owned(),
                closest: index.closest(chart),
            })?;
        let versions = || releases.iter().map(|release| &*release.version);
        let chosen = wanted.choose(versions());
        let release = releases
            .iter()
            .find(|release| Some(&*release.version) == chosen);
        release.ok_or_else(|| ChartError::VersionNotFound {
            at: format!("{} {chart}", self.url),
            version: wanted.text().to_owned(),
            newest: newest(versions()),
        })
    }

    fn no_version<'a>(&self, version: &str, versions: impl Iterator<Item = &'a str>) -> ChartError {
        ChartError::VersionNotFound {
            at: self.url.clone(),
            version: version.to_owned(),
            newest: newest(versions),
        }
    }

    fn origin(&self, chart: &str, wanted: &Wanted, release: Option<&Release>) -> Origin {
        let version = release.map_or(wanted.text(), |release| &release.version);
        Origin {
            repository: self.url.clone(),
            secret: self.access().secret.clone(),
            chart: chart.to_owned(),
            version: version.to_owned(),
            pin: release.map_or_else(String::new, |release| {
                let digest = release.digest.hex();
                digest.unwrap_or_else(|| release.url.to_string())
            }),
        }
    }

    async fn index(
        &self,
        repository: &Repository,
        shared: &Shared<Index>,
        freshness: Freshness,
    ) -> Listed<Index> {
        self.listed_once.store(true, Ordering::Relaxed);
        let request = async |known: Option<Arc<Index>>| {
            let fetched = repository.index(known.is_some()).await?;
            match (fetched, known) {
                (Some(index), _) => Ok(Arc::new(index)),
                (None, Some(known)) => Ok(known),
                (None, None) => Ok(Arc::default()),
            }
        };
        let (listed, news) = shared.get(freshness, request).await;
        self.tell(news, listed.as_ref().err());
        listed
    }

    async fn tags(
        &self,
        registry: &Registry,
        shared: &Shared<Vec<String>>,
        freshness: Freshness,
    ) -> Listed<Vec<String>> {
        self.listed_once.store(true, Ordering::Relaxed);
        let request = async |_| match registry.tags().await {
            Ok(tags) => Ok(Arc::new(
                tags.iter().map(|tag| tag.replace('_', "+")).collect(),
            )),
            Err(Absent::NotFound) => Err(ChartError::ChartNotFound {
                at: self.url.clone(),
                chart: registry.name().to_owned(),
                closest: Default::default(),
            }),
            Err(Absent::Failed(error)) => Err(error),
        };
        let (listed, news) = shared.get(freshness, request).await;
        self.tell(news, listed.as_ref().err());
        listed
    }

    fn tell(&self, news: News, error: Option<&ChartError>) {
        match (news, error) {
            (News::None, _) => return,
            (News::Failing, Some(error)) => {
                tracing::warn!(%error, "listing the versions of a chart repository failed");
                return;
            }
            _ => tracing::info!(repository = self.url, ?news, "a chart repository changed"),
        }
        // Nobody listening is no failure: then nobody uses a repository.
        let _ = self.changed.send(Changed {
            url: self.url.clone(),
        });
    }

    fn turn(&self, origin: &Origin) -> Fetching {
        let mut fetching = lock(&self.fetching);
        Arc::clone(fetching.entry(origin.clone()).or_default())
    }
}

/// A tag can't hold the plus sign that a version may have.
fn tag_of(version: &str) -> String {
    version.replace('+', "_")
}

/// Looks through what was fetched, away from the async threads.
async fn checked(fetched: Fetched, at: String) -> Result<Arc<Chart>, ChartError> {
    let shown = at.clone();
    let checking = task::spawn_blocking(move || {
        let differs = |promised: String| promised != sha256_hex(&fetched.archive);
        if fetched.promised.is_some_and(differs) {
            return Err(ChartError::DigestMismatch {
                at,
                what: "archive",
            });
        }
        Chart::read(&at, fetched.archive).map(Arc::new)
    });
    checking.await.unwrap_or_else(|_| {
        Err(ChartError::NotAChart {
            at: shown,
            problem: "looking through its archive broke off".to_owned(),
        })
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
