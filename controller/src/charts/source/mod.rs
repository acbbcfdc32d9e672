//! One repository in use: its last listing of versions, and archives fetched once for all who ask at the same time.
//! It never decides when to poll and keeps no archive.

mod fetch;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Mutex as Turn, broadcast};

use super::{
    Access, Changed, ChartError, Names,
    index::{Index, Release},
    kept::Origin,
    place::Place,
    registry::{Absent, Registry},
    repository::Repository,
    shared::Shared,
    versions::{Wanted, newest},
};
use crate::git::Freshness;
use crate::repositories::listings::{Listed, News};

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

    async fn index(
        &self,
        repository: &Repository,
        shared: &Shared<Index>,
        freshness: Freshness,
    ) -> Listed<Index, ChartError> {
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
    ) -> Listed<Vec<String>, ChartError> {
        self.listed_once.store(true, Ordering::Relaxed);
        let request = async |_| match registry.tags().await {
            Ok(tags) => Ok(Arc::new(
                tags.iter().map(|tag| tag.replace('_', "+")).collect(),
            )),
            Err(Absent::NotFound) => Err(ChartError::ChartNotFound {
                at: self.url.clone(),
                chart: registry.name().to_owned(),
                closest: Names::default(),
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
}
