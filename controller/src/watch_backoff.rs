//! How long a watch that broke off waits before it tries again.
//! It does not look at why it broke off.

use std::time::Duration;

use kube::runtime::{utils::Backoff, watcher::DefaultBackoff};

/// A watch that finds the API server back may hear first that it has expired, and waits once more before it lists anew. So long
/// at most nobody knows what happens in the cluster; and a process has a few dozen watches, which are no load at this pace.
const LONGEST: Duration = Duration::from_secs(10);

/// Waits as the watches of Kubernetes' own programs do, longer and longer, but less long.
pub(crate) struct WatchBackoff(DefaultBackoff);

impl WatchBackoff {
    pub(crate) fn new() -> Self {
        Self(DefaultBackoff::default())
    }
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|wait| wait.min(LONGEST))
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_is_tried_again_for_ever_and_never_waits_long() {
        let waits: Vec<_> = WatchBackoff::new().take(100).collect();
        assert_eq!(waits.len(), 100);
        assert!(waits[0] < LONGEST, "{:?}", waits[0]);
        assert!(waits.iter().all(|wait| *wait <= LONGEST), "{waits:?}");
    }
}
