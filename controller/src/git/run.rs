//! What goes on by itself: polling each repository in use, and watching the repository Secrets of our namespace.
//! Must not decide what a moved branch means: whoever follows `changed` does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::TryStreamExt;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api, Client,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use rand::TryRng;
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use super::{Freshness, MirrorOptions, Mirrors, RepositorySecret};
use crate::dialect::REPOSITORY_SELECTOR;

/// Polls, and watches the repository Secrets of `namespace`, until `shutdown`.
pub async fn run(
    mirrors: Arc<Mirrors>,
    client: Client,
    namespace: &str,
    shutdown: CancellationToken,
) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = watch_secrets(&mirrors, client, namespace) => {}
        () = poll(&mirrors) => {}
    }
}

/// Lists the refs of each repository in use again and again, each at its own time so that servers see no bursts.
pub async fn poll(mirrors: &Mirrors) {
    if mirrors.options.poll_interval.is_zero() {
        return std::future::pending().await;
    }
    let mut listings = JoinSet::new();
    loop {
        let (due, next) = mirrors.due(|| interval(&mirrors.options, share()));
        for mirror in due {
            // A failure is kept and told by the mirror itself.
            listings.spawn(async move { drop(mirror.refs(Freshness::Latest).await) });
        }
        let next = next.map_or_else(
            || time::Instant::now() + mirrors.options.poll_interval,
            time::Instant::from_std,
        );
        tokio::select! {
            () = time::sleep_until(next) => {}
            () = mirrors.added.notified() => {}
        }
        while listings.try_join_next().is_some() {}
    }
}

/// `share` of the jitter, between 0 and 1, on top of the interval.
fn interval(options: &MirrorOptions, share: f64) -> Duration {
    options.poll_interval + options.poll_jitter.mul_f64(share)
}

fn share() -> f64 {
    rand::rngs::SysRng
        .try_next_u32()
        .map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

async fn watch_secrets(mirrors: &Mirrors, client: Client, namespace: &str) {
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    let config = watcher::Config::default().labels(REPOSITORY_SELECTOR);
    let mut events = Box::pin(watcher::watcher(secrets, config).default_backoff());
    let mut known = BTreeMap::new();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => {
                if note(&mut known, event) {
                    mirrors.set_secrets(&known.values().flatten().cloned().collect::<Vec<_>>());
                }
            }
            Ok(None) => return std::future::pending().await,
            Err(error) => tracing::warn!(%error, "watching the repository Secrets failed"),
        }
    }
}

/// Takes one event in; true when the set of Secrets is whole again.
fn note(known: &mut BTreeMap<String, Option<RepositorySecret>>, event: Event<Secret>) -> bool {
    let name = |secret: &Secret| secret.metadata.name.clone().unwrap_or_default();
    match event {
        Event::Init => known.clear(),
        Event::InitApply(secret) => {
            drop(known.insert(name(&secret), RepositorySecret::decode(&secret)))
        }
        Event::InitDone => return true,
        Event::Apply(secret) => {
            known.insert(name(&secret), RepositorySecret::decode(&secret));
            return true;
        }
        Event::Delete(secret) => return known.remove(&name(&secret)).is_some(),
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_come_after_the_interval_and_a_share_of_the_jitter() {
        let options = MirrorOptions {
            poll_interval: Duration::from_secs(180),
            poll_jitter: Duration::from_secs(60),
            ..MirrorOptions::default()
        };
        let seconds = [0.0, 0.5, 1.0].map(|share| interval(&options, share).as_secs());
        assert_eq!(seconds, [180, 210, 240]);
    }

    #[test]
    fn the_share_is_drawn_anew_for_each_poll() {
        let shares: Vec<f64> = (0..64).map(|_| share()).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(shares.iter().any(|share| *share != shares[0]));
    }
}
