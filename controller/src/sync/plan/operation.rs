//! Which operation is in effect: the one that runs, one that was asked for, or one that the sync policy begins.
//! It decides from the cluster and the Application's status alone, so that a restart in mid-sync continues.

use std::collections::{BTreeMap, BTreeSet};

use crds::{Application, InitiatedBy, OperationState, Retry, SyncOperation, SyncResource};
use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::dialect::{Intent, OperationRequest, RetryPolicy};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::gates::Stop;
use crate::sync::plan::heal;
use crate::sync::plan::recorded;
use crate::sync::plan::{
    Comparison, Condition, ConditionKind, Decision, Ending, Initiator, Operation, OperationPhase,
};
use crate::sync::revisions::{Revisions, is_about};
use crate::sync::world::{AppFacts, World};

/// The revision that each source is to be rendered at in this pass: those asked for by `.operation`; those that are pinned
/// by a requested operation that runs; else the Application's own, so that a new commit supersedes an automated one.
pub fn revisions_to_render(
    application: &AppFacts,
    intent: &Intent,
    request: Option<&OperationRequest>,
) -> Vec<String> {
    let own = || {
        let sources = intent.sources.iter();
        sources.map(|source| source.revision.clone()).collect()
    };
    if let Some(request) = request {
        return request.revisions.clone().unwrap_or_else(own);
    }
    let running = recorded::operation(application).filter(|state| is_running(state));
    let requested = running.filter(|state| !recorded::is_automated(state));
    let pinned = requested.and_then(recorded::pinned);
    // A spec that has got another number of sources since then is another spec.
    pinned
        .filter(|pinned| pinned.all().len() == intent.sources.len())
        .map_or_else(own, |pinned| pinned.all().to_vec())
}

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
            let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
            return refused(world, OperationPhase::Error, texts.join(", ")).into();
        }
        Ok(Some(request)) => return requested(world, terms, request).into(),
        Ok(None) => {}
    }
    match recorded::operation(&world.application) {
        Some(state) if state.phase == "Terminating" => terminated(world, state).into(),
        Some(state) if is_running(state) => running(world, terms, comparison, state),
        state => automated(world, terms, comparison, state),
    }
}

/// The operation in effect when nothing could be compared.
pub(in crate::sync) fn decide_stopped(world: &World, stop: &Stop) -> Option<Operation> {
    if !matches!(world.request, Ok(None)) {
        return Some(refused(world, OperationPhase::Error, stop.message()));
    }
    let state = recorded::operation(&world.application).filter(|state| is_running(state))?;
    let ending = match stop.passes {
        true => Ending::Open(stop.message()),
        false => Ending::Refused(OperationPhase::Error, stop.message()),
    };
    Some(Operation {
        ending,
        ..stored(world, state)
    })
}

pub(in crate::sync) fn is_running(state: &OperationState) -> bool {
    state.phase == "Running"
}

fn requested(world: &World, terms: &Terms<'_>, request: &OperationRequest) -> Operation {
    Operation {
        revisions: terms.source.revisions.clone(),
        initiator: Initiator::Requested(request.initiated_by.username.clone()),
        prune: request.prune,
        create_namespace: terms.intent.create_namespace || request.create_namespace,
        retry: request.retry,
        stored: world.application.operation.clone().unwrap_or_default(),
        ..blank(world)
    }
}

/// An operation that begins now and has not done anything.
fn blank(world: &World) -> Operation {
    Operation {
        revisions: Revisions::default(),
        initiator: Initiator::Automated,
        prune: false,
        create_namespace: false,
        only: None,
        left_out: BTreeMap::new(),
        retry_count: 0,
        started_at: world.now,
        stored: crds::Operation::default(),
        retry: None,
        decision: Decision::Start,
        ending: Ending::AfterSteps,
    }
}

fn refused(world: &World, phase: OperationPhase, message: String) -> Operation {
    let stored = world.application.operation.clone().unwrap_or_default();
    let username = stored.initiated_by.as_ref().map(|by| by.username.clone());
    Operation {
        initiator: Initiator::Requested(username.unwrap_or_default()),
        stored,
        ending: Ending::Refused(phase, message),
        ..blank(world)
    }
}

fn terminated(world: &World, state: &OperationState) -> Operation {
    Operation {
        ending: Ending::Refused(OperationPhase::Failed, "Operation terminated".into()),
        ..stored(world, state)
    }
}

/// The operation as an earlier pass, maybe of an earlier process, wrote it down.
fn stored(world: &World, state: &OperationState) -> Operation {
    let sync = state.operation.sync.clone().unwrap_or_default();
    let automated = recorded::is_automated(state);
    let username = state
        .operation
        .initiated_by
        .as_ref()
        .map(|by| by.username.clone());
    let request = stored_request(world, state).filter(|_| !automated);
    let intent = world.intent.as_ref().ok();
    let own_namespace_option = intent.is_some_and(|intent| intent.create_namespace);
    Operation {
        revisions: recorded::pinned(state).unwrap_or_default(),
        initiator: match automated {
            true => Initiator::Automated,
            false => Initiator::Requested(username.unwrap_or_default()),
        },
        prune: sync.prune,
        create_namespace: own_namespace_option
            || request
                .as_ref()
                .is_some_and(|request| request.create_namespace),
        only: only(&sync),
        retry_count: u32::try_from(state.retry_count).unwrap_or(u32::MAX),
        started_at: state.started_at.as_ref().map_or(world.now, |time| time.0),
        stored: state.operation.clone(),
        retry: match automated {
            true => Some(intent.and_then(|intent| intent.retry).unwrap_or_default()),
            false => request.and_then(|request| request.retry),
        },
        decision: Decision::Continue,
        ..blank(world)
    }
}

fn stored_request(world: &World, state: &OperationState) -> Option<OperationRequest> {
    let application = Application {
        spec: world.application.spec.clone(),
        operation: Some(state.operation.clone()),
        ..Application::default()
    };
    crate::dialect::operation(&application).ok().flatten()
}

fn only(sync: &SyncOperation) -> Option<BTreeSet<ObjectKey>> {
    let key = |object: &SyncResource| {
        let kind = GroupKind::new(&*object.group, &*object.kind);
        ObjectKey::new(&kind, Some(&object.namespace), &object.name)
    };
    (!sync.resources.is_empty()).then(|| sync.resources.iter().map(key).collect())
}

fn running(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    state: &OperationState,
) -> Decided {
    let operation = stored(world, state);
    if operation.revisions != terms.source.revisions {
        return superseded(world, terms, operation).into();
    }
    let Some(finished) = &state.finished_at else {
        return operation.into();
    };
    let policy = operation.retry.unwrap_or_default();
    let at = later(
        finished.0,
        policy.wait(operation.retry_count.saturating_sub(1)),
    );
    let possible = || possible_now(state, &heal::actionable(world, terms, comparison));
    if world.now < at && !possible() {
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

/// A new commit takes the place of an automated operation that waits: for health, a deletion or its next try.
fn superseded(world: &World, terms: &Terms<'_>, operation: Operation) -> Operation {
    match operation.initiator {
        Initiator::Automated if terms.intent.automated.is_none() => Operation {
            ending: Ending::Refused(
                OperationPhase::Failed,
                "automatic sync was turned off and the source moved on".into(),
            ),
            ..operation
        },
        Initiator::Automated => begin(world, terms, None, 0),
        Initiator::Requested(_) => Operation {
            revisions: terms.source.revisions.clone(),
            decision: Decision::Start,
            started_at: world.now,
            retry_count: 0,
            ..operation
        },
    }
}

/// An operation of the sync policy, whole or only for what is healed.
pub(in crate::sync) fn begin(
    world: &World,
    terms: &Terms<'_>,
    only: Option<BTreeSet<ObjectKey>>,
    heals: u32,
) -> Operation {
    let intent = terms.intent;
    let prune = intent.automated.is_some_and(|automated| automated.prune);
    let resource = |key: &ObjectKey| SyncResource {
        group: key.group.clone(),
        kind: key.kind.clone(),
        name: key.name.clone(),
        namespace: key.namespace_or_empty().to_owned(),
        ..SyncResource::default()
    };
    let (revision, revisions) = terms.source.revisions.fields(&world.application.spec);
    let sync = SyncOperation {
        revision,
        revisions,
        prune,
        resources: only.iter().flatten().map(resource).collect(),
        auto_heal_attempts_count: (heals > 0).then_some(heals.into()),
        ..SyncOperation::default()
    };
    Operation {
        revisions: terms.source.revisions.clone(),
        prune,
        create_namespace: intent.create_namespace,
        only,
        stored: crds::Operation {
            sync: Some(sync),
            initiated_by: Some(InitiatedBy {
                automated: true,
                ..InitiatedBy::default()
            }),
            retry: Some(stored_retry(world)),
            ..crds::Operation::default()
        },
        retry: Some(intent.retry.unwrap_or_default()),
        ..blank(world)
    }
}

fn stored_retry(world: &World) -> Retry {
    let policy = world.application.spec.sync_policy.as_ref();
    let own = policy.and_then(|policy| policy.retry.clone());
    own.unwrap_or_else(|| Retry {
        limit: RetryPolicy::default().limit.map(i64::from),
        ..Retry::default()
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
    match state.filter(|state| attempted(world, terms, state)) {
        None => begin(world, terms, None, 0).into(),
        Some(state) if state.phase == "Succeeded" => heal::heal(world, terms, state, actionable),
        Some(state) if possible_now(state, &actionable) => begin(world, terms, None, 0).into(),
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

/// These revisions of these sources were tried already.
fn attempted(world: &World, terms: &Terms<'_>, state: &OperationState) -> bool {
    let spec = &world.application.spec;
    let about = state
        .sync_result
        .as_ref()
        .is_some_and(|result| is_about(result.source.as_ref(), &result.sources, spec));
    about && recorded::pinned(state).as_ref() == Some(&terms.source.revisions)
}

/// What an earlier pass had to leave out can be dealt with now.
fn possible_now(state: &OperationState, actionable: &BTreeSet<ObjectKey>) -> bool {
    actionable
        .iter()
        .any(|key| recorded::left_out(state, key).is_some())
}

/// A time that lies `wait` after another.
pub(in crate::sync) fn later(time: Timestamp, wait: std::time::Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    time.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// When an operation that fails now is tried again, if it is.
pub(in crate::sync) fn next_try(world: &World, operation: &Operation) -> Option<Timestamp> {
    let policy = operation.retry?;
    let more = policy
        .limit
        .is_none_or(|limit| operation.retry_count < limit);
    more.then(|| later(world.now, policy.wait(operation.retry_count)))
}
