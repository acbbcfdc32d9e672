//! How long to wait: after failures, while the API server is away, and between repairs of what somebody keeps undoing.
//! It must not read a clock.

use std::time::{Duration, Instant};

/// Pause after the first failure; each further one doubles it.
pub(super) const FIRST: Duration = Duration::from_millis(500);
/// Longest pause: upstream's users wait no longer than this for anything to heal.
pub(super) const LONGEST: Duration = Duration::from_secs(300);
/// Longest pause while the API server is away: nothing tells when it is back.
pub(super) const LONGEST_ABSENCE: Duration = Duration::from_secs(15);
/// Repairs in a row before a Secret that somebody else keeps changing has to wait.
pub(super) const QUICK_REPAIRS: u32 = 5;
/// Time after the end of a pause in which a further repair counts as one more in a row.
pub(super) const CALM: Duration = Duration::from_secs(60);

/// The pause after so many failures, of which the first ones are tried again quickly.
pub(super) fn after_failures(failures: u32, quick_retries: u32) -> Duration {
    if failures > quick_retries {
        return LONGEST;
    }
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST * (1 << doublings)).min(LONGEST)
}

/// The same while the API server is away.
pub(super) fn while_away(failures: u32) -> Duration {
    after_failures(failures, u32::MAX).min(LONGEST_ABSENCE)
}

/// The latest writes of one Secret.
#[derive(Debug, Default)]
pub(super) struct Repairs {
    in_a_row: u32,
    last: Option<Instant>,
}

impl Repairs {
    /// The Secret was written.
    pub(super) fn wrote(&mut self, now: Instant) {
        self.in_a_row = match self.go_on(now) {
            true => self.in_a_row.saturating_add(1),
            false => 1,
        };
        self.last = Some(now);
    }

    /// What was written is outdated, so nobody undid it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// How long the next repair has to wait, counted from now.
    pub(super) fn pause(&self, now: Instant) -> Duration {
        match self.go_on(now) {
            true => self.own_pause(),
            false => Duration::ZERO,
        }
    }

    /// True when the last write is so recent that a further one belongs to the same row.
    fn go_on(&self, now: Instant) -> bool {
        let calm = CALM + self.own_pause();
        self.last
            .is_some_and(|last| now.duration_since(last) <= calm)
    }

    fn own_pause(&self) -> Duration {
        match self.in_a_row.checked_sub(QUICK_REPAIRS) {
            None | Some(0) => Duration::ZERO,
            Some(slow) => after_failures(slow, u32::MAX),
        }
    }
}
