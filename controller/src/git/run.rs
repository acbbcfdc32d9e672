//! What goes on by itself: polling each repository in use, and following what our namespace says of repositories.

use std::{sync::Arc, time::Duration};

use kube::Client;
use rand::TryRng;
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use super::{Freshness, Mirrors};
use crate::repositories::Repositories;

/// Polls, and follows the repository Secrets and ConfigMaps of `namespace`, until `shutdown`.
pub async fn run(
    mirrors: Arc<Mirrors>,
    client: Client,
    namespace: &str,
    shutdown: CancellationToken,
) {
    tokio::select! {
        () = shutdown.cancelled() => {}
        () = Repositories::watch(client, namespace, |known| mirrors.learn(known)) => {}
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
        let (due, next) = mirrors.due(|| interval(mirrors));
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

fn interval(mirrors: &Mirrors) -> Duration {
    let share = rand::rngs::SysRng
        .try_next_u32()
        .map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
    mirrors.options.poll_interval + mirrors.options.poll_jitter.mul_f64(share)
}
