//! `status.history` and `status.operationHistory`: what was synced, and what became of every operation.
//! The first is Argo CD's and decides what is synced; the second tells people, and nothing is decided by it.

use crds::{ApplicationStatus, InitiatedBy, OperationRecord, OperationState, RevisionHistory};

use super::status::cut;
use super::{end, results, time};
use crate::dialect::REVISION_HISTORY_LIMIT;
use crate::sync::plan::operation::{is_running, stored};
use crate::sync::plan::recorded;
use crate::sync::plan::{Initiator, Operation, OperationPhase, Scope};
use crate::sync::revisions::sources_of;
use crate::sync::world::World;

/// Longest message of a record.
const LONGEST_TEXT: usize = 256;

/// Takes down an operation that ends in this pass. One that only asked changed nothing, and what is healed is no news.
pub(super) fn remember(
    world: &World,
    operation: &Operation,
    state: &OperationState,
    phase: OperationPhase,
    status: &mut ApplicationStatus,
) {
    let succeeded = phase == OperationPhase::Succeeded;
    if operation.dry_run || operation.heals() && succeeded && operation.scope != Scope::Whole {
        return;
    }
    let intent = world.intent.as_ref().ok();
    let limit = intent.map_or(REVISION_HISTORY_LIMIT, |intent| {
        intent.revision_history_limit
    });
    let id = (succeeded && operation.scope == Scope::Whole).then(|| {
        let id = status.history.last().map_or(0, |last| last.id + 1);
        let history = &mut status.history;
        history.push(synced(world, operation, id));
        history.drain(..history.len().saturating_sub(limit));
        id
    });
    let records = &mut status.operation_history;
    records.push(record(world, operation, state, id));
    records.drain(..records.len().saturating_sub(limit));
}

/// Takes down an operation that another takes the place of in this pass.
pub(super) fn replace(world: &World, operation: &Operation, status: &mut ApplicationStatus) {
    let running = recorded::operation(&world.application).filter(|state| is_running(state));
    let Some(state) = running.filter(|_| operation.starts()) else {
        return;
    };
    let replaced = stored(world, state);
    let by = match operation.revisions.is_empty() {
        true => "a request took its place".to_owned(),
        false => format!("the sync to {} took its place", operation.revisions),
    };
    let state = OperationState {
        phase: OperationPhase::Failed.name().into(),
        message: match state.message.is_empty() {
            true => by,
            false => format!("{by}: {}", state.message),
        },
        ..state.clone()
    };
    remember(world, &replaced, &state, OperationPhase::Failed, status);
}

fn synced(world: &World, operation: &Operation, id: i64) -> RevisionHistory {
    let spec = &world.application.spec;
    let (revision, revisions) = operation.revisions.fields(spec);
    let (source, sources) = sources_of(spec);
    RevisionHistory {
        id,
        revision,
        revisions,
        source,
        sources,
        deploy_started_at: Some(time(operation.started_at)),
        deployed_at: Some(end(world, operation)),
        initiated_by: Some(initiated_by(operation)),
        ..RevisionHistory::default()
    }
}

fn record(
    world: &World,
    operation: &Operation,
    state: &OperationState,
    id: Option<i64>,
) -> OperationRecord {
    let (revision, revisions) = operation.revisions.fields(&world.application.spec);
    let result = state.sync_result.as_ref();
    let (changed, changes) = result.map(results::changes).unwrap_or_default();
    OperationRecord {
        id,
        phase: state.phase.clone(),
        message: cut(&state.message, LONGEST_TEXT),
        started_at: Some(time(operation.started_at)),
        finished_at: Some(end(world, operation)),
        initiated_by: Some(initiated_by(operation)),
        revision,
        revisions,
        changed,
        changes,
        ..OperationRecord::default()
    }
}

fn initiated_by(operation: &Operation) -> InitiatedBy {
    match &operation.initiator {
        Initiator::Automated => InitiatedBy {
            automated: true,
            ..InitiatedBy::default()
        },
        Initiator::Requested(username) => InitiatedBy {
            username: username.clone(),
            ..InitiatedBy::default()
        },
    }
}
