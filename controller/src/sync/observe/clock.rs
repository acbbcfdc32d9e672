//! Notices that the calendar has moved otherwise than time has passed: the clock was set, or the machine slept. Who waits for a time
//! then waits too long, since waiting counts only what has passed. Who waits is not known here.

use std::time::{Duration, Instant};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

/// How often to look: nobody waits for a minute of the clock more exactly.
const PERIOD: Duration = Duration::from_secs(15);
/// Clocks are put right by less than that at a time, and a busy machine reads them at different times.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// Both clocks at one time.
#[derive(Clone, Copy)]
struct Reading {
    passed: Instant,
    calendar: Timestamp,
}

impl Reading {
    fn now() -> Self {
        Self {
            passed: Instant::now(),
            calendar: Timestamp::now(),
        }
    }

    fn has_jumped_since(self, before: Self) -> bool {
        let passed = SignedDuration::try_from(self.passed - before.passed);
        let moved = self.calendar.duration_since(before.calendar);
        passed.is_ok_and(|passed| (moved - passed).abs() > TOLERANCE)
    }
}

/// Tells of jumps for ever.
pub(crate) async fn follow_clock(jumped: impl Fn()) {
    let mut before = Reading::now();
    loop {
        tokio::time::sleep(PERIOD).await;
        let now = Reading::now();
        if now.has_jumped_since(before) {
            tracing::info!("the clock has jumped, what waits for a time looks again");
            jumped();
        }
        before = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_jumps_when_it_moves_otherwise_than_time_passes() {
        let before = Reading::now();
        for (passed, moved, jumps) in [
            (15, 15, false),
            (15, 16, false),
            (600, 600, false),
            (15, 3600, true),
            (15, -3600, true),
            (15, 0, true),
        ] {
            let now = Reading {
                passed: before.passed + Duration::from_secs(passed),
                calendar: before.calendar + SignedDuration::from_secs(moved),
            };
            assert_eq!(now.has_jumped_since(before), jumps, "{passed} s, {moved} s");
        }
    }
}
