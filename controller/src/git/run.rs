//! What goes on by itself: polling each repository in use, and watching the repository Secrets of our namespace.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

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

use super::{Freshness, Mirrors, RepositorySecret};
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

/// Lists the refs of each repository in use again and again, each at its own time so that servers see no bursts; and at once
/// where [`Mirrors::due_now`] says so, also when nothing is polled.
pub async fn poll(mirrors: &Mirrors) {
    let mut listings = JoinSet::new();
    loop {
        let (due, next) = mirrors.due(|| interval(mirrors));
        for mirror in due {
            // A failure is kept and told by the mirror itself.
            listings.spawn(async move { drop(mirror.refs(Freshness::Latest).await) });
        }
        tokio::select! {
            () = until(next) => {}
            () = mirrors.sooner.notified() => {}
        }
        while listings.try_join_next().is_some() {}
    }
}

async fn until(next: Option<Instant>) {
    match next {
        Some(next) => time::sleep_until(next.into()).await,
        None => std::future::pending().await,
    }
}

/// Until the next poll of a repository; nothing where there is none.
fn interval(mirrors: &Mirrors) -> Option<Duration> {
    if !mirrors.options.polls() {
        return None;
    }
    let share = rand::rngs::SysRng
        .try_next_u32()
        .map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
    Some(mirrors.options.poll_interval + mirrors.options.poll_jitter.mul_f64(share))
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
