//! When an operation that failed is tried again.
//! It reads no clock: now is the World's.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::sync::plan::Operation;
use crate::sync::world::World;

/// A time that lies `wait` after another.
pub(in crate::sync) fn later(time: Timestamp, wait: std::time::Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Whether a wait is still on. One that begins later than now began by a clock that was ahead, and is over: its end may be hours away.
pub(in crate::sync) fn is_waited_for(world: &World, since: Timestamp, until: Timestamp) -> bool {
    (since..until).contains(&world.now)
}

/// When an operation that fails now is tried again, if it is.
pub(in crate::sync) fn next_try(world: &World, operation: &Operation) -> Option<Timestamp> {
    let policy = operation.retry?;
    let more = policy
        .limit
        .is_none_or(|limit| operation.retry_count < limit);
    more.then(|| later(world.now, policy.wait(operation.retry_count)))
}
