//! `status.operationState`: how the operation stands after a pass.
//! What it says is all that a restarted controller needs to go on.

use crds::{ApplicationStatus, OperationState, ResourceResult, SyncOperationResult};
use k8s_openapi::jiff::Timestamp;
use k8s_openapi::jiff::tz::TimeZone;

use super::status::short;
use super::{end, history, results, time};
use crate::sync::outcome::Outcome;
use crate::sync::plan::comparison::named;
use crate::sync::plan::operation::next_try;
use crate::sync::plan::recorded;
use crate::sync::plan::{Decision, Ending, Operation, OperationPhase, Plan};
use crate::sync::world::World;

/// The operation as it begins or goes on, before its steps are executed.
pub(super) fn claimed(world: &World, operation: &Operation) -> OperationState {
    let mut state = base(world, operation);
    state.phase = OperationPhase::Running.name().into();
    if let Ending::Open(waiting) = &operation.ending {
        state.message = short(waiting);
    }
    let before = state
        .sync_result
        .take()
        .map(|result| result.resources)
        .unwrap_or_default();
    state.sync_result = Some(results::merged(
        world,
        &without_judgement(operation),
        None,
        before,
        &[],
    ));
    state
}

/// Before its steps are executed nothing is known of what an operation leaves out.
fn without_judgement(operation: &Operation) -> Operation {
    Operation {
        left_out: Default::default(),
        ..operation.clone()
    }
}

/// Brings operation and history up to date; returns the phase of an operation that ended in this pass.
pub(super) fn close(
    world: &World,
    plan: &Plan,
    outcomes: &[Outcome],
    status: &mut ApplicationStatus,
) -> Option<OperationPhase> {
    let operation = plan.operation.as_ref()?;
    history::replace(world, operation, status);
    if matches!(operation.decision, Decision::Wait(_)) {
        return None;
    }
    let mut state = base(world, operation);
    let refused = matches!(operation.ending, Ending::Over(..));
    let comparison = plan.comparison.as_ref().filter(|_| !refused);
    if operation.is_refused() {
        state.sync_result = nothing_done(world);
    } else {
        let before = state.sync_result.take();
        let resources = before.as_ref().map(|result| result.resources.clone());
        let resources = resources.unwrap_or_default();
        let mut result = results::merged(world, operation, comparison, resources, outcomes);
        // What ends without another step was of the sources that it began with, whichever the spec has now.
        if let Some(before) = before.filter(|_| refused) {
            (result.source, result.sources) = (before.source, before.sources);
        }
        state.sync_result = Some(result);
    }
    let (phase, message) = verdict(operation, outcomes, plan.steps.is_empty());
    let phase = settle(world, operation, &mut state, phase, &message);
    if let Some(phase) = phase {
        state.sync_result.iter_mut().for_each(results::end_hooks);
        history::remember(world, operation, &state, phase, status);
    }
    status.last_sync = last_sync(world, &state);
    status.operation_state = Some(state);
    phase
}

/// `status.lastSync` beside this state: what a request aside takes the place of still counts, unless it had failed and some of it is
/// synced now, which may be what was in the way. Of its results those stay that it is taken up again for.
pub(super) fn last_sync(world: &World, state: &OperationState) -> Option<Box<OperationState>> {
    let last = recorded::last_sync(&world.application).filter(|_| recorded::is_aside(state))?;
    if last.phase != OperationPhase::Succeeded.name() && !recorded::tries_nothing(state) {
        return None;
    }
    let mut last = Box::new(last.clone());
    if let Some(result) = &mut last.sync_result {
        let left_out = |result: &ResourceResult| recorded::reason(result).is_some();
        result.resources.retain(left_out);
        result.omitted_resources = 0;
        result.managed_namespace_metadata = None;
    }
    Some(last)
}

/// The result of a refused request: what the namespace carries is as it was.
fn nothing_done(world: &World) -> Option<SyncOperationResult> {
    let metadata = recorded::namespace_metadata(&world.application.status)?;
    Some(SyncOperationResult {
        managed_namespace_metadata: Some(metadata.clone()),
        ..SyncOperationResult::default()
    })
}

/// The stored state that this pass goes on from.
fn base(world: &World, operation: &Operation) -> OperationState {
    let stored = world.application.status.operation_state.clone();
    match (&operation.decision, stored) {
        (Decision::Start, _) | (_, None) => OperationState {
            operation: operation.stored.clone(),
            started_at: Some(time(operation.started_at)),
            ..OperationState::default()
        },
        (Decision::Retry, Some(stored)) => OperationState {
            finished_at: None,
            sync_result: None,
            ..stored
        },
        (_, Some(stored)) => stored,
    }
}

fn verdict(operation: &Operation, outcomes: &[Outcome], no_steps: bool) -> (Verdict, String) {
    if let Ending::Over(phase, why) = &operation.ending {
        return (Verdict::Over(*phase), why.clone());
    }
    if let Some(failed) = named(&results::failures(outcomes)) {
        let why = format!("one or more objects failed to apply: {failed}");
        let first = operation.failed.iter().cloned();
        let all: Vec<String> = first.chain([why]).collect();
        return (Verdict::Failed, all.join("; "));
    }
    let left_out: Vec<String> = operation
        .left_out
        .iter()
        .filter(|(_, left_out)| left_out.reason.fails())
        .map(|(key, left_out)| format!("{key}: {}", left_out.message))
        .collect();
    match (&operation.ending, named(&left_out)) {
        (Ending::Failed(why), _) => (Verdict::Failed, why.clone()),
        (Ending::Open(waiting), _) => (Verdict::Running, waiting.clone()),
        _ if results::conflicts(outcomes) => (
            Verdict::Running,
            "an object changed meanwhile: looking again".into(),
        ),
        (_, Some(left_out)) => (
            Verdict::Failed,
            format!("one or more objects can't be synced: {left_out}"),
        ),
        (_, None) => {
            let tasks = if no_steps {
                "no more tasks"
            } else {
                "all tasks run"
            };
            (
                Verdict::Over(OperationPhase::Succeeded),
                format!("successfully synced ({tasks})"),
            )
        }
    }
}

#[derive(Clone, Copy)]
enum Verdict {
    Running,
    Failed,
    Over(OperationPhase),
}

/// Writes the verdict down; returns the phase when the operation is over.
fn settle(
    world: &World,
    operation: &Operation,
    state: &mut OperationState,
    verdict: Verdict,
    message: &str,
) -> Option<OperationPhase> {
    let (phase, text) = match verdict {
        Verdict::Running => (OperationPhase::Running, message.to_owned()),
        Verdict::Failed if operation.has_aftermath && operation.failed.is_none() => {
            recorded::set_failure(&mut state.operation, Some(short(message)));
            (OperationPhase::Running, message.to_owned())
        }
        Verdict::Over(phase) => (phase, message.to_owned()),
        Verdict::Failed => failed(world, operation, state, message),
    };
    state.phase = phase.name().into();
    state.message = short(&text);
    if phase == OperationPhase::Running {
        return None;
    }
    recorded::set_failure(&mut state.operation, None);
    state.finished_at = Some(end(world, operation));
    Some(phase)
}

/// It waits for its next try, or has failed for good.
fn failed(
    world: &World,
    operation: &Operation,
    state: &mut OperationState,
    message: &str,
) -> (OperationPhase, String) {
    let Some(at) = next_try(world, operation) else {
        let text = match operation.retry_count {
            0 => message.to_owned(),
            count => format!("{message} (retried {count} times)."),
        };
        return (OperationPhase::Failed, text);
    };
    recorded::set_failure(&mut state.operation, None);
    state.retry_count = i64::from(operation.retry_count) + 1;
    state.finished_at = Some(time(world.now));
    let text = format!(
        "{message}. Retrying attempt #{} at {}.",
        state.retry_count,
        clock(at)
    );
    (OperationPhase::Running, text)
}

fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%H:%M:%S UTC")
        .to_string()
}
