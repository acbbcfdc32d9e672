//! What log and metrics say of webhooks: who sent how many, and what became of them.
//! It must not show what a sender wrote: repositories are named as they are configured.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::outcome::Outcome;
use super::provider::Provider;
use crate::git::RepositoryUrl;
use crate::metrics::Metrics;

/// The same is said once in so long: strangers could fill the log otherwise.
const PAUSE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    provider: &'static str,
    outcome: &'static str,
}

#[derive(Debug)]
pub(super) struct Teller {
    requests: Family<Labels, Counter>,
    said: Mutex<HashMap<Said, Since>>,
}

/// What is said; of a closed set, so that memory is bounded.
type Said = (&'static str, String);

#[derive(Debug)]
struct Since {
    at: Instant,
    unsaid: u64,
}

impl Teller {
    pub(super) fn new(metrics: &Metrics) -> Self {
        let requests = Family::<Labels, Counter>::default();
        metrics.register(|registry| {
            registry.register(
                "signet_webhook_requests",
                "Webhooks by their sender and what became of them",
                requests.clone(),
            );
        });
        Self {
            requests,
            said: Mutex::default(),
        }
    }

    /// Counts a webhook, and says what became of it where that is news.
    pub(super) fn tell(&self, provider: Option<Provider>, outcome: &Outcome) {
        let name = provider.map_or("unknown", Provider::name);
        let labels = Labels {
            provider: name,
            outcome: outcome.name(),
        };
        self.requests.get_or_create(&labels).inc();
        if let Some(problem) = outcome.problem() {
            if let Some(unsaid) = self.is_news((name, problem.clone()), Instant::now()) {
                let hint = outcome.hint(provider);
                tracing::warn!(
                    provider = name,
                    problem,
                    hint,
                    unsaid,
                    "a webhook was not accepted"
                );
            }
            return;
        }
        match outcome {
            Outcome::Told(concerned) if !concerned.is_empty() => {
                let repositories: Vec<_> = concerned.iter().map(RepositoryUrl::as_str).collect();
                let repositories = repositories.join(",");
                tracing::info!(provider = name, repositories, "a webhook told of a push");
            }
            Outcome::Told(_) => {
                let said = (name, "unmatched".to_owned());
                if let Some(unsaid) = self.is_news(said, Instant::now()) {
                    tracing::info!(
                        provider = name,
                        unsaid,
                        "a webhook is about a repository that no Application uses"
                    );
                }
            }
            _ => tracing::debug!(provider = name, "a webhook moved no ref"),
        }
    }

    /// How often this was left unsaid since it was said last; nothing while that is too soon.
    fn is_news(&self, said: Said, now: Instant) -> Option<u64> {
        let mut known = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let since = known.entry(said);
        let mut first = false;
        let since = since.or_insert_with(|| {
            first = true;
            Since { at: now, unsaid: 0 }
        });
        if !first && now < since.at + PAUSE {
            since.unsaid += 1;
            return None;
        }
        since.at = now;
        Some(std::mem::take(&mut since.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_a_minute_with_how_often_it_was_not() {
        let teller = Teller::new(&Metrics::default());
        let start = Instant::now();
        let says = |text: &str, second| {
            teller.is_news(
                ("github", text.to_owned()),
                start + Duration::from_secs(second),
            )
        };
        assert_eq!(says("a", 0), Some(0));
        assert_eq!(says("a", 1), None);
        assert_eq!(says("b", 1), Some(0));
        assert_eq!(says("a", 59), None);
        assert_eq!(says("a", 60), Some(2));
        assert_eq!(says("a", 61), None);
    }
}
