//! What is told of a workload that was started anew, or could not be.
//! It names Secrets and items and never a value.

use super::plan::{Changed, named};
use crate::events::{Component, Event, EventType};

/// Reason of an Event: Pods are started anew.
pub(crate) const RESTARTED: &str = "Restarted";
/// Reason of an Event: they could not be.
pub(crate) const FAILED: &str = "RestartFailed";

/// Its Pods are started anew.
pub(super) fn restarted(changed: &Changed) -> Event {
    Event {
        type_: EventType::Normal,
        component: Component::Signet,
        reason: RESTARTED,
        message: format!(
            "started its Pods anew, since Secrets have changed: {}",
            named(changed)
        ),
    }
}

/// They are not.
pub(super) fn failed(error: &str) -> Event {
    Event {
        type_: EventType::Warning,
        component: Component::Signet,
        reason: FAILED,
        message: format!("can't note which Secrets its Pods were started with: {error}"),
    }
}
