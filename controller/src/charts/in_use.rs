//! All chart repositories in use: resolves versions, fetches charts, polls, and tells which repositories changed.
//! It decides nothing about Applications: who uses a repository is the caller's knowledge.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rand::TryRng;
use tokio::{
    sync::{Notify, broadcast},
    task::JoinSet,
    time,
};

use super::{
    Access, Chart, ChartError, Fetch, kept::Kept, place::Place, source::Source, versions::Wanted,
};
use crate::git::Freshness;

/// How many changes a listener may lag behind before it has to look at all repositories.
const CHANGES: usize = 256;

/// What a user sets about chart repositories.
#[derive(Clone, Debug)]
pub struct ChartOptions {
    /// How often an index and the tags of a registry are asked for; zero for never.
    pub poll_interval: Duration,
    /// Up to so much longer, by chance.
    pub poll_jitter: Duration,
    /// How long a server may take to begin an answer, and to go on with it.
    pub timeout: Duration,
}

impl Default for ChartOptions {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(120),
            poll_jitter: Duration::from_secs(60),
            timeout: Duration::from_secs(60),
        }
    }
}

/// The versions in a repository changed, or it began or ceased to fail. `url` is as [`super::repository_url`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    pub url: String,
}

/// Two Secrets never share a repository: who may not read it must not find it fetched by who may.
type Key = (String, Option<String>);

/// The chart repositories in use.
#[derive(Debug)]
pub struct Charts {
    options: ChartOptions,
    changed: broadcast::Sender<Changed>,
    sources: Mutex<BTreeMap<Key, InUse>>,
    kept: Mutex<Kept>,
    added: Notify,
}

#[derive(Debug)]
struct InUse {
    source: Arc<Source>,
    next_poll: Instant,
}

impl Charts {
    #[must_use]
    pub fn new(options: ChartOptions) -> Self {
        Self {
            options,
            changed: broadcast::Sender::new(CHANGES),
            sources: Mutex::default(),
            kept: Mutex::default(),
            added: Notify::new(),
        }
    }

    /// The version that `version` means now: itself, the newest of a range, or the newest release of all when it is empty.
    /// A registry is not asked whether a version is there; [`Self::fetch`] finds out.
    ///
    /// # Errors
    /// When the versions can't be listed, or none is meant.
    pub async fn resolve(
        &self,
        repo_url: &str,
        access: &Access,
        chart: &str,
        version: &str,
        freshness: Freshness,
    ) -> Result<String, ChartError> {
        let source = self.source(repo_url, access, chart)?;
        let wanted = wanted(repo_url, chart, version)?;
        source.resolve(chart, &wanted, freshness).await
    }

    /// The chart of a version that [`Self::resolve`] gave, from memory where it was fetched before.
    ///
    /// # Errors
    /// When it can't be fetched, is not what the repository lists, or is no chart.
    pub async fn fetch(
        &self,
        repo_url: &str,
        access: &Access,
        chart: &str,
        version: &str,
        how: Fetch,
    ) -> Result<Arc<Chart>, ChartError> {
        let source = self.source(repo_url, access, chart)?;
        let wanted = wanted(repo_url, chart, version)?;
        source.fetch(chart, &wanted, how, &self.kept).await
    }

    /// Repositories as they change, from now on. Who lags behind looks at all of them.
    #[must_use]
    pub fn changed(&self) -> broadcast::Receiver<Changed> {
        self.changed.subscribe()
    }

    /// Forgets the repositories that `in_use` does not know any more, by [`super::repository_url`]: they are no longer polled.
    pub fn retain(&self, in_use: impl Fn(&str) -> bool) {
        self.sources().retain(|(url, _), _| in_use(url));
    }

    fn source(
        &self,
        repo_url: &str,
        access: &Access,
        chart: &str,
    ) -> Result<Arc<Source>, ChartError> {
        let place = Place::parse(repo_url, chart)?;
        let key = (place.shown(), access.secret.clone());
        let mut sources = self.sources();
        // What other credentials led to is forgotten.
        let known = sources
            .get(&key)
            .filter(|known| known.source.access() == access);
        if let Some(known) = known {
            return Ok(Arc::clone(&known.source));
        }
        let source = Source::new(place, access, self.options.timeout, self.changed.clone())?;
        let used = InUse {
            source: Arc::new(source),
            next_poll: Instant::now() + self.options.poll_interval,
        };
        let source = Arc::clone(&used.source);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(&key.0, key.1.as_deref());
        sources.insert(key, used);
        self.added.notify_one();
        Ok(source)
    }

    /// The repositories whose poll is due, each with its next one set; and when the next is due.
    fn due(&self) -> (Vec<Arc<Source>>, Option<Instant>) {
        let now = Instant::now();
        let mut sources = self.sources();
        let mut due = Vec::new();
        for used in sources.values_mut().filter(|used| used.next_poll <= now) {
            used.next_poll = now + self.interval();
            if used.source.is_listed() {
                due.push(Arc::clone(&used.source));
            }
        }
        (due, sources.values().map(|used| used.next_poll).min())
    }

    fn interval(&self) -> Duration {
        let share = rand::rngs::SysRng
            .try_next_u32()
            .map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
        self.options.poll_interval + self.options.poll_jitter.mul_f64(share)
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<Key, InUse>> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wanted(repo_url: &str, chart: &str, version: &str) -> Result<Wanted, ChartError> {
    Wanted::parse(version).ok_or_else(|| ChartError::InvalidVersion {
        at: Place::parse(repo_url, chart).map_or_else(|_| chart.to_owned(), |place| place.shown()),
        version: version.to_owned(),
    })
}

/// Lists the versions of each repository in use again and again, each at its own time so that servers see no bursts.
pub async fn poll(charts: &Charts) {
    if charts.options.poll_interval.is_zero() {
        return std::future::pending().await;
    }
    let mut listings = JoinSet::new();
    loop {
        let (due, next) = charts.due();
        for source in due {
            listings.spawn(async move { source.refresh().await });
        }
        let next = next.map_or_else(
            || time::Instant::now() + charts.options.poll_interval,
            time::Instant::from_std,
        );
        tokio::select! {
            () = time::sleep_until(next) => {}
            () = charts.added.notified() => {}
        }
        while listings.try_join_next().is_some() {}
    }
}
