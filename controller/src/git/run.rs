//! What goes on by itself: polling each repository in use, and following what our namespace says of repositories.
//! Must not decide what a moved branch means: whoever follows `changed` does.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use kube::Client;
use rand::TryRng;
use tokio::{task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use super::{Freshness, MirrorOptions, Mirrors};
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

/// Lists the refs of each repository in use again and again, each at its own time so that servers see no bursts; and at once
/// where [`Mirrors::due_now`] says so, also when nothing is polled.
pub async fn poll(mirrors: &Mirrors) {
    let mut listings = JoinSet::new();
    loop {
        let (due, next) = mirrors.due(|| interval(&mirrors.options, share()));
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

/// Until the next poll of a repository: `share` of the jitter, between 0 and 1, on top of the interval; nothing where there
/// is none.
fn interval(options: &MirrorOptions, share: f64) -> Option<Duration> {
    options
        .polls()
        .then(|| options.poll_interval + options.poll_jitter.mul_f64(share))
}

fn share() -> f64 {
    rand::rngs::SysRng
        .try_next_u32()
        .map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
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
        let after = [0.0, 0.5, 1.0].map(|share| interval(&options, share));
        assert_eq!(
            after,
            [180, 210, 240].map(|seconds| Some(Duration::from_secs(seconds)))
        );
        let never = MirrorOptions {
            poll_interval: Duration::ZERO,
            ..options
        };
        assert_eq!(interval(&never, 0.5), None);
    }

    #[test]
    fn the_share_is_drawn_anew_for_each_poll() {
        let shares: Vec<f64> = (0..64).map(|_| share()).collect();
        assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
        assert!(shares.iter().any(|share| *share != shares[0]));
    }
}
