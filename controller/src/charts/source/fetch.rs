//! Fetching: an archive is got once for all who ask at the same time, checked against what is promised for it, and kept.
//! It lists no versions.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::task;

use super::{Fetching, Server, Source};
use crate::{
    charts::{
        Access, Chart, ChartError, Fetch, Login, Tls,
        index::{Digest, Release},
        kept::{Kept, Origin},
        place::{Location, is_tag},
        registry::{Absent, Registry},
        repository::Repository,
        sha256_hex,
        shared::Shared,
        versions::Wanted,
    },
    git::Freshness,
};

/// An archive, and what it has to be.
struct Fetched {
    archive: Vec<u8>,
    /// SHA-256 that is promised for it.
    promised: Option<String>,
}

impl Source {
    /// The archive of a version, from `kept` or from the server.
    pub(in crate::charts) async fn fetch(
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
            login: Login::None,
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
