//! What an operation has to wait for before it begins or goes on: a sync window of its project, an Application that it depends on.
//! What is wrong with a revision is no reason to wait, and is decided elsewhere.

use k8s_openapi::jiff::Timestamp;

use crate::sync::plan::comparison::Terms;
use crate::sync::plan::dependencies;
use crate::sync::plan::{Condition, ConditionKind, Initiator, Operation};
use crate::sync::world::World;

/// As Argo CD says it.
const BY_WINDOW: &str = "Sync operation blocked by sync window";

/// Why an operation waits.
pub(super) struct Blocked {
    /// What the operation says.
    pub(super) waiting: String,
    /// What an operation that did not begin says, in a condition of the Application.
    pub(super) condition: Condition,
    /// When to look again though nothing happens.
    pub(super) until: Option<Timestamp>,
}

/// What an operation that has work to do waits for. One that only asks waits for nothing.
pub(super) fn blocked(world: &World, terms: &Terms<'_>, operation: &Operation) -> Option<Blocked> {
    if operation.dry_run {
        return None;
    }
    by_window(world, terms, operation).or_else(|| by_dependency(world, terms, operation))
}

fn by_window(world: &World, terms: &Terms<'_>, operation: &Operation) -> Option<Blocked> {
    let name = &world.application.name;
    let windows = terms.project.windows(name, &terms.intent.destination);
    let manual = operation.initiator != Initiator::Automated;
    let began = (!operation.starts()).then_some(operation.started_at);
    let blocked = windows.block(manual, began, world.now)?;
    let message = format!("{BY_WINDOW}: {blocked}");
    Some(Blocked {
        waiting: BY_WINDOW.to_owned(),
        condition: Condition::new(ConditionKind::SyncBlocked, message),
        until: blocked.until,
    })
}

fn by_dependency(world: &World, terms: &Terms<'_>, operation: &Operation) -> Option<Blocked> {
    let waiting = dependencies::awaited(world, terms, operation)?;
    Some(Blocked {
        condition: Condition::new(ConditionKind::SyncBlocked, waiting.clone()),
        waiting,
        until: None,
    })
}
