//! Waiting for a condition. It knows nothing of the testbed, so that other suites can wait too.

#![allow(dead_code, reason = "each suite uses its part of it")]

use std::fmt::{Debug, Display};
use std::time::{Duration, Instant};

/// How long a condition may take to come true. Generous, because it only costs time when a test fails.
const PATIENCE: Duration = Duration::from_secs(120);

/// The pauses between questions: short at first, and the longer the more it takes, since asking is work for the machine that is
/// waited for.
fn pause(since: Instant) -> Duration {
    let (shortest, longest) = (Duration::from_millis(20), Duration::from_millis(250));
    (since.elapsed() / 8).clamp(shortest, longest)
}

/// Asks until the answer is `Ok`, and fails the test when that takes too long.
#[track_caller]
pub(crate) fn eventually<T, E: Display>(what: &str, mut ask: impl FnMut() -> Result<T, E>) -> T {
    let start = Instant::now();
    loop {
        match ask() {
            Ok(value) => return value,
            Err(error) => assert!(
                start.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}\n{error}"
            ),
        }
        std::thread::sleep(pause(start));
    }
}

/// `eventually` for a question that awaits.
pub(crate) async fn eventually_async<T, E: Display>(
    what: &str,
    mut ask: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let start = Instant::now();
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(error) => assert!(
                start.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}\n{error}"
            ),
        }
        tokio::time::sleep(pause(start)).await;
    }
}

/// `Ok` when both are equal; for `eventually`.
pub(crate) fn equal<T: PartialEq + Debug>(seen: &T, expected: &T) -> Result<(), String> {
    if seen == expected {
        Ok(())
    } else {
        Err(format!("expected {expected:?}, saw {seen:?}"))
    }
}
