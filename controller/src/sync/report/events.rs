//! Events on the Application: operations that begin and end, lights that change, conditions that are new.
//! Nothing is told twice: what the stored status says already is no news.

use crds::ApplicationStatus;

use super::Event;
use crate::sync::plan::{Condition, ConditionKind, Decision, Initiator, OperationPhase, Plan};
use crate::sync::revisions::Revisions;
use crate::sync::world::World;

/// An operation that begins.
pub(super) fn started(plan: &Plan) -> Option<Event> {
    let operation = plan
        .operation
        .as_ref()
        .filter(|operation| operation.decision == Decision::Start)?;
    let who = match &operation.initiator {
        Initiator::Automated => "Initiated automated sync".to_owned(),
        Initiator::Requested(name) if name.is_empty() => "Unknown user initiated sync".to_owned(),
        Initiator::Requested(name) => format!("{name} initiated sync"),
    };
    let to = to(&operation.revisions, "'");
    Some(normal("OperationStarted", format!("{who}{to}")))
}

/// All that is new after a pass.
pub(super) fn events(
    world: &World,
    plan: &Plan,
    status: &ApplicationStatus,
    ended: Option<OperationPhase>,
    claimed: bool,
) -> Vec<Event> {
    let mut events = Vec::new();
    events.extend(started(plan).filter(|_| !claimed));
    events.extend(ended.and_then(|phase| completed(plan, status, phase)));
    let stored = &world.application.status;
    let sync = |status: &ApplicationStatus| status.sync.as_ref().map(|sync| sync.status.clone());
    events.extend(changed("sync", sync(stored), sync(status)));
    let health =
        |status: &ApplicationStatus| status.health.as_ref().map(|health| health.status.clone());
    events.extend(changed("health", health(stored), health(status)));
    for condition in &status.conditions {
        let known = stored
            .conditions
            .iter()
            .any(|old| old.type_ == condition.type_ && old.message == condition.message);
        let kind = plan
            .conditions
            .iter()
            .find(|planned| planned.kind.name() == condition.type_);
        let told = |planned: &Condition| {
            let (name, message) = (planned.kind.name(), condition.message.clone());
            match planned.kind {
                // Somebody asked for it.
                ConditionKind::RevisionHeld => normal(name, message),
                _ => warning(name, message),
            }
        };
        events.extend(kind.filter(|_| !known).map(told));
    }
    events
}

/// To what an operation syncs; nothing of one that was refused before that was known.
fn to(revisions: &Revisions, quote: &str) -> String {
    match revisions.is_empty() {
        true => String::new(),
        false => format!(" to {quote}{revisions}{quote}"),
    }
}

fn completed(plan: &Plan, status: &ApplicationStatus, phase: OperationPhase) -> Option<Event> {
    let to = to(&plan.operation.as_ref()?.revisions, "");
    let message = &status.operation_state.as_ref()?.message;
    Some(match phase {
        OperationPhase::Succeeded => normal(
            "OperationCompleted",
            format!("Sync operation{to} succeeded"),
        ),
        _ => warning(
            "OperationCompleted",
            format!("Sync operation{to} failed: {message}"),
        ),
    })
}

fn changed(what: &str, old: Option<String>, new: Option<String>) -> Option<Event> {
    let old = old.unwrap_or_default();
    let new = new.filter(|new| *new != old)?;
    Some(normal(
        "ResourceUpdated",
        format!("Updated {what} status: {old} -> {new}"),
    ))
}

fn normal(reason: &'static str, message: String) -> Event {
    Event {
        warning: false,
        reason,
        message,
    }
}

fn warning(reason: &'static str, message: String) -> Event {
    Event {
        warning: true,
        reason,
        message,
    }
}
