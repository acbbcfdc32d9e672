//! Which operation is in effect: the one that runs, one that was asked for, or one that the sync policy begins.
//! It decides from the cluster and the Application's status alone, so that a restart in mid-sync continues.

use std::collections::BTreeSet;

use crds::OperationState;
use k8s_openapi::jiff::Timestamp;

use super::begin::{begin, begins_at, ended, refused, requested, stored};
use super::retry::{is_waited_for, later};
use crate::dialect::Refusal;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::gates::Stop;
use crate::sync::plan::heal;
use crate::sync::plan::recorded;
use crate::sync::plan::{
    Comparison, Condition, ConditionKind, Decision, Ending, Initiator, Operation, OperationPhase,
    Scope,
};
use crate::sync::revisions::Revisions;
use crate::sync::world::World;

/// What was decided, and what there is to say about it.
#[derive(Debug, Default)]
pub(in crate::sync) struct Decided {
    pub(in crate::sync) operation: Option<Operation>,
    pub(in crate::sync) condition: Option<Condition>,
    pub(in crate::sync) wake_at: Option<Timestamp>,
}

impl From<Operation> for Decided {
    fn from(operation: Operation) -> Self {
        Self {
            operation: Some(operation),
            ..Self::default()
        }
    }
}

/// The operation in effect when the comparison was made.
pub(in crate::sync) fn decide(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
) -> Decided {
    match &world.request {
        Err(refusals) => {
            return refused(world, OperationPhase::Error, joined(refusals)).into();
        }
        Ok(Some(request)) => {
            let requested = requested(world, terms, comparison, request);
            return requested
                .unwrap_or_else(|why| refused(world, OperationPhase::Error, why))
                .into();
        }
        Ok(None) => {}
    }
    match recorded::operation(&world.application) {
        Some(state) if is_terminated(state) => ended(world, state, TERMINATED.into()).into(),
        Some(state) if is_running(state) => running(world, terms, comparison, state),
        state => automated(world, terms, comparison, state),
    }
}

/// The operation in effect when nothing could be compared.
pub(in crate::sync) fn decide_stopped(world: &World, stop: &Stop) -> Option<Operation> {
    if !matches!(world.request, Ok(None)) {
        return Some(refused(world, OperationPhase::Error, stop.message()));
    }
    let state = recorded::operation(&world.application)?;
    if is_terminated(state) {
        return Some(ended(world, state, TERMINATED.into()));
    }
    if !is_running(state) {
        return None;
    }
    if let Some((at, why)) = deadline(world, state)
        && at <= world.now
    {
        return Some(ended(world, state, why));
    }
    let ending = match stop.passes {
        true => Ending::Open(stop.message()),
        false => Ending::Over(OperationPhase::Error, stop.message()),
    };
    Some(Operation {
        ending,
        ..stored(world, state)
    })
}

/// What is said of an operation that somebody has ended.
const TERMINATED: &str = "Operation terminated";

fn is_terminated(state: &OperationState) -> bool {
    state.phase == "Terminating"
}

pub(in crate::sync) fn is_running(state: &OperationState) -> bool {
    state.phase == "Running"
}

fn running(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    state: &OperationState,
) -> Decided {
    let operation = stored(world, state);
    let is_of_sources = recorded::is_of_sources(&world.application, state);
    if operation.revisions != terms.source.revisions || !is_of_sources {
        return superseded(world, terms, state, operation).into();
    }
    let Some((at, why)) = deadline(world, state) else {
        return goes_on(world, terms, comparison, state, operation);
    };
    if at <= world.now {
        return ended(world, state, why).into();
    }
    let decided = goes_on(world, terms, comparison, state, operation);
    Decided {
        wake_at: decided.wake_at.into_iter().chain([at]).min(),
        ..decided
    }
}

/// When an operation that runs has taken too long, and what is said of it then.
fn deadline(world: &World, state: &OperationState) -> Option<(Timestamp, String)> {
    let timeout = world.intent.as_ref().ok()?.sync_timeout?;
    let started = state.started_at.as_ref()?.0;
    let why = format!("it has not ended within {timeout:?}: {}", state.message);
    Some((later(started, timeout), why))
}

/// An operation that waited goes on, or waits for its next try.
fn goes_on(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    state: &OperationState,
    operation: Operation,
) -> Decided {
    let Some(finished) = &state.finished_at else {
        return operation.into();
    };
    let policy = operation.retry.unwrap_or_default();
    let at = later(
        finished.0,
        policy.wait(operation.retry_count.saturating_sub(1)),
    );
    let possible = || possible_now(state, &heal::actionable(world, terms, comparison));
    if is_waited_for(world, finished.0, at) && !possible() {
        return Decided {
            wake_at: Some(at),
            ..Operation {
                decision: Decision::Wait(at),
                ending: Ending::Open(state.message.clone()),
                ..operation
            }
            .into()
        };
    }
    Operation {
        decision: Decision::Retry,
        ..operation
    }
    .into()
}

/// A new commit, or another source, takes the place of an operation that waits: for health, a deletion or its next try. A request that
/// names its sources is of no others.
fn superseded(
    world: &World,
    terms: &Terms<'_>,
    state: &OperationState,
    operation: Operation,
) -> Operation {
    match operation.initiator {
        Initiator::Automated if terms.intent.automated.is_none() => Operation {
            ending: Ending::Over(
                OperationPhase::Failed,
                "automatic sync was turned off and the source moved on".into(),
            ),
            ..operation
        },
        Initiator::Automated => begin(world, terms, Scope::Whole, 0),
        Initiator::Requested(_) => match recorded::accepted(&world.application, state) {
            Err(refusals) => ended(world, state, joined(&refusals)),
            Ok(_) => Operation {
                revisions: terms.source.revisions.clone(),
                decision: Decision::Start,
                started_at: begins_at(world),
                retry_count: 0,
                failed: None,
                ..operation
            },
        },
    }
}

fn joined(refusals: &[Refusal]) -> String {
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

/// The automated sync that runs, where the sources have moved on and still are those that it began with.
pub(in crate::sync) fn running_elsewhere(world: &World, newer: &Revisions) -> Option<Operation> {
    let state = recorded::operation(&world.application)?;
    let elsewhere = recorded::running_at(&world.application)? != *newer;
    let goes_on = elsewhere
        && recorded::is_automated(state)
        && recorded::is_of_sources(&world.application, state);
    goes_on.then(|| stored(world, state))
}

/// The sync that runs ends: its sources are no longer those of the spec, and what these hold now may not begin.
pub(in crate::sync) fn left_behind(world: &World, terms: &Terms<'_>) -> Option<Operation> {
    let state = recorded::operation(&world.application).filter(|state| is_running(state))?;
    let elsewhere = recorded::pinned(state)? != terms.source.revisions;
    elsewhere.then(|| {
        ended(
            world,
            state,
            "the sources of the Application are others now".into(),
        )
    })
}

/// The gate of automatic syncs: something can be done, and it was not tried before at this revision; or healing is on and due.
fn automated(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    state: Option<&OperationState>,
) -> Decided {
    if terms.intent.automated.is_none() {
        return Decided::default();
    }
    let actionable = heal::actionable(world, terms, comparison);
    if actionable.is_empty() {
        return Decided::default();
    }
    let state = recorded::last_sync(&world.application).or(state);
    match state.filter(|state| attempted(world, terms, state)) {
        None => begin(world, terms, Scope::Whole, 0).into(),
        Some(state) if possible_now(state, &actionable) => {
            begin(world, terms, Scope::Whole, 0).into()
        }
        // What came of something else says nothing against the revision, which was synced before.
        Some(state) if state.phase == "Succeeded" || recorded::is_aside(state) => {
            heal::heal(world, terms, comparison, state, actionable)
        }
        Some(state) => {
            let message = format!(
                "the last sync to {} failed: {}",
                terms.source.revisions, state.message
            );
            Decided {
                condition: Some(Condition::new(ConditionKind::SyncError, message)),
                ..Decided::default()
            }
        }
    }
}

/// These revisions of these sources were tried already. Where no more is on record than a request for some objects or none, what was
/// synced before counts.
fn attempted(world: &World, terms: &Terms<'_>, state: &OperationState) -> bool {
    let revisions = Some(&terms.source.revisions);
    match recorded::is_aside(state) {
        true => recorded::synced(&world.application).as_ref() == revisions,
        false => {
            recorded::pinned(state).as_ref() == revisions
                && recorded::is_of_sources(&world.application, state)
        }
    }
}

/// What an earlier pass had to leave out can be dealt with now.
fn possible_now(state: &OperationState, actionable: &BTreeSet<ObjectKey>) -> bool {
    actionable
        .iter()
        .any(|key| recorded::left_out(state, key).is_some())
}
