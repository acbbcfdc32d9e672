//! How often something may happen: the generic cell rate algorithm, a leaky bucket kept as one point in time.
//! It must not read a clock or sleep.

use std::time::{Duration, Instant};

/// So many per second, and so many more at once.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Time that one occurrence uses up.
    interval: Duration,
    /// Occurrences that may come at once, beyond the first.
    burst: u32,
}

/// One bucket: the time at which it will be empty.
#[derive(Clone, Copy, Debug)]
pub struct Bucket(Instant);

/// What a bucket says to one more occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub allowed: bool,
    /// Occurrences that would be allowed right after this one.
    pub remaining: u32,
    /// Until the bucket is empty.
    pub reset_after: Duration,
    /// Until one more is allowed; zero when this one was.
    pub retry_after: Duration,
}

impl Rate {
    /// `per_second` must be greater than zero.
    pub fn new(per_second: f64, burst: u32) -> Self {
        Self {
            interval: Duration::from_secs_f64(per_second.recip()),
            burst,
        }
    }

    /// Occurrences that an empty bucket takes at once.
    pub fn limit(&self) -> u32 {
        self.burst.saturating_add(1)
    }

    /// Counts one occurrence at `now`, unless it is too many.
    pub fn check(&self, bucket: &mut Bucket, now: Instant) -> Verdict {
        let empty_at = bucket.0.max(now);
        let tolerance = self.interval * self.burst;
        let ahead = empty_at - now;
        if ahead > tolerance {
            return Verdict {
                allowed: false,
                remaining: 0,
                reset_after: ahead,
                retry_after: ahead - tolerance,
            };
        }
        bucket.0 = empty_at + self.interval;
        let reset_after = bucket.0 - now;
        let remaining = (self.interval * self.limit())
            .saturating_sub(reset_after)
            .as_nanos()
            / self.interval.as_nanos().max(1);
        Verdict {
            allowed: true,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            reset_after,
            retry_after: Duration::ZERO,
        }
    }

    /// Counts one occurrence in any case and says how long it has to wait.
    pub fn reserve(&self, bucket: &mut Bucket, now: Instant) -> Duration {
        let empty_at = bucket.0.max(now);
        bucket.0 = empty_at + self.interval;
        (empty_at - now).saturating_sub(self.interval * self.burst)
    }
}

impl Bucket {
    /// An empty bucket.
    pub fn new(now: Instant) -> Self {
        Self(now)
    }

    /// True when nothing is left of what it counted.
    pub fn is_empty(&self, now: Instant) -> bool {
        self.0 <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_at_once_are_allowed_at_a_burst_of_two_and_one_more_each_half_second() {
        let rate = Rate::new(2.0, 2);
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let answers: Vec<_> = (0..4).map(|_| rate.check(&mut bucket, start)).collect();
        assert_eq!(
            answers
                .iter()
                .map(|verdict| verdict.allowed)
                .collect::<Vec<_>>(),
            [true, true, true, false]
        );
        assert_eq!(
            answers
                .iter()
                .map(|verdict| verdict.remaining)
                .collect::<Vec<_>>(),
            [2, 1, 0, 0]
        );
        assert_eq!(answers[3].retry_after, Duration::from_millis(500));
        assert!(
            rate.check(&mut bucket, start + Duration::from_millis(500))
                .allowed
        );
        assert!(
            !rate
                .check(&mut bucket, start + Duration::from_millis(600))
                .allowed
        );
        assert!(bucket.is_empty(start + Duration::from_secs(2)));
    }

    #[test]
    fn who_reserves_waits_its_turn() {
        let rate = Rate::new(10.0, 1);
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let waits: Vec<_> = (0..4)
            .map(|_| rate.reserve(&mut bucket, start).as_millis())
            .collect();
        assert_eq!(waits, [0, 0, 100, 200]);
    }
}
