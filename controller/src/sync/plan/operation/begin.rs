//! Operations as they begin, and as an earlier pass wrote them down.
//! Whether one of them is in effect is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crds::{InitiatedBy, OperationState, Retry, SyncOperation, SyncResource};
use k8s_openapi::jiff::Timestamp;

use crate::dialect::{self, ApplyPolicy, OperationRequest, RetryPolicy};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::inventory;
use crate::sync::plan::recorded;
use crate::sync::plan::{
    Comparison, Decision, Ending, Initiator, Operation, OperationPhase, Scope,
};
use crate::sync::revisions::Revisions;
use crate::sync::world::World;

/// The operation that a request asks for; or what in it the Application does not have.
pub(super) fn requested(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    request: &OperationRequest,
) -> Result<Operation, String> {
    let scope = requested_scope(comparison, request)?;
    let mut stored = asked(world);
    if let Some(sync) = &mut stored.sync {
        sync.resources = resources(&scope);
    }
    Ok(Operation {
        revisions: terms.source.revisions.clone(),
        initiator: Initiator::Requested(request.initiated_by.username.clone()),
        prune: request.prune,
        create_namespace: terms.options.create_namespace,
        dry_run: request.dry_run,
        runs_hooks: request.runs_hooks && !request.dry_run && scope == Scope::Whole,
        apply: request.options.defaults.apply,
        scope,
        retry: request.retry,
        stored,
        ..blank(world)
    })
}

fn requested_scope(comparison: &Comparison, request: &OperationRequest) -> Result<Scope, String> {
    if request.only.is_empty() {
        return Ok(Scope::Whole);
    }
    let mut keys = BTreeSet::new();
    for object in &request.only {
        let is_meant = |key: &&ObjectKey| {
            key.is(&object.group, &object.kind)
                && key.name() == object.name
                && (object.namespace.is_none() || object.namespace.as_deref() == key.namespace())
        };
        let mut meant = comparison.objects.keys().filter(is_meant).peekable();
        if meant.peek().is_none() {
            let kind = GroupKind::new(&*object.group, &*object.kind);
            let key = ObjectKey::new(&kind, object.namespace.as_deref(), &object.name);
            return Err(format!(
                "operation.sync.resources: found {key}, expected an object of the Application"
            ));
        }
        keys.extend(meant.cloned());
    }
    Ok(Scope::Objects(keys))
}

/// A scope as the status keeps it.
fn resources(scope: &Scope) -> Vec<SyncResource> {
    let resource = |key: &ObjectKey| SyncResource {
        group: key.group().to_owned(),
        kind: key.kind().to_owned(),
        name: key.name().to_owned(),
        namespace: key.namespace_or_empty().to_owned(),
        ..SyncResource::default()
    };
    match scope {
        Scope::Whole => Vec::new(),
        Scope::Objects(keys) => keys.iter().map(resource).collect(),
    }
}

/// An operation that begins now and has not done anything.
fn blank(world: &World) -> Operation {
    Operation {
        revisions: Revisions::default(),
        initiator: Initiator::Automated,
        prune: false,
        create_namespace: false,
        dry_run: false,
        apply: ApplyPolicy::default(),
        scope: Scope::Whole,
        left_out: BTreeMap::new(),
        runs_hooks: true,
        hooks: Vec::new(),
        failed: None,
        has_aftermath: false,
        retry_count: 0,
        started_at: begins_at(world),
        stored: crds::Operation::default(),
        retry: None,
        decision: Decision::Start,
        ending: Ending::AfterSteps,
    }
}

/// Now; or the second after the last operation began, when that is this very second: times are kept in whole seconds, and
/// runs of hooks are told apart by them.
pub(super) fn begins_at(world: &World) -> Timestamp {
    let last = recorded::operation(&world.application).and_then(|state| state.started_at.as_ref());
    let now = world.now.as_second();
    let last = last.map(|last| last.0.as_second());
    let next = last.filter(|last| (now..now + 2).contains(last));
    next.and_then(|last| Timestamp::from_second(last + 1).ok())
        .unwrap_or(world.now)
}

/// `.operation` as somebody wrote it, who is not the sync policy.
fn asked(world: &World) -> crds::Operation {
    let mut asked = world.application.operation.clone().unwrap_or_default();
    if let Some(by) = &mut asked.initiated_by {
        by.automated = false;
    }
    asked
}

pub(super) fn refused(world: &World, phase: OperationPhase, message: String) -> Operation {
    let stored = asked(world);
    let username = stored.initiated_by.as_ref().map(|by| by.username.clone());
    Operation {
        initiator: Initiator::Requested(username.unwrap_or_default()),
        stored,
        ending: Ending::Over(phase, message),
        ..blank(world)
    }
}

/// The operation ends now and has failed, whatever it waits for.
pub(super) fn ended(world: &World, state: &OperationState, why: String) -> Operation {
    Operation {
        ending: Ending::Over(OperationPhase::Failed, why),
        ..stored(world, state)
    }
}

/// The operation as an earlier pass, maybe of an earlier process, wrote it down.
pub(in crate::sync) fn stored(world: &World, state: &OperationState) -> Operation {
    let sync = state.operation.sync.clone().unwrap_or_default();
    let automated = recorded::is_automated(state);
    let username = state
        .operation
        .initiated_by
        .as_ref()
        .map(|by| by.username.clone());
    let request = recorded::request(&world.application, state).filter(|_| !automated);
    let intent = world.intent.as_ref().ok();
    let mut operation = state.operation.clone();
    recorded::set_failure(&mut operation, None);
    Operation {
        revisions: recorded::pinned(state).unwrap_or_default(),
        initiator: match automated {
            true => Initiator::Automated,
            false => Initiator::Requested(username.unwrap_or_default()),
        },
        prune: sync.prune,
        create_namespace: inventory::options(world).create_namespace,
        dry_run: sync.dry_run,
        runs_hooks: scope(&sync) == Scope::Whole
            && !sync.dry_run
            && !dialect::applies_without_hooks(&sync),
        failed: recorded::failure(state),
        apply: request
            .as_ref()
            .map(|request| request.options.defaults.apply)
            .unwrap_or_default(),
        scope: scope(&sync),
        retry_count: u32::try_from(state.retry_count).unwrap_or(u32::MAX),
        started_at: state.started_at.as_ref().map_or(world.now, |time| time.0),
        stored: operation,
        retry: match automated {
            true => Some(intent.and_then(|intent| intent.retry).unwrap_or_default()),
            false => request.and_then(|request| request.retry),
        },
        decision: Decision::Continue,
        ..blank(world)
    }
}

fn scope(sync: &SyncOperation) -> Scope {
    let key = |object: &SyncResource| {
        let kind = GroupKind::new(&*object.group, &*object.kind);
        ObjectKey::new(&kind, Some(&object.namespace), &object.name)
    };
    match sync.resources.is_empty() {
        true => Scope::Whole,
        false => Scope::Objects(sync.resources.iter().map(key).collect()),
    }
}

/// An operation of the sync policy, whole or only for what is healed.
pub(in crate::sync) fn begin(
    world: &World,
    terms: &Terms<'_>,
    scope: Scope,
    heals: u32,
) -> Operation {
    let intent = terms.intent;
    let prune = intent.automated.is_some_and(|automated| automated.prune);
    // Healing puts objects back: nothing is installed or migrated by it.
    let runs_hooks = heals == 0;
    let (revision, revisions) = terms.source.revisions.fields(&world.application.spec);
    let sync = SyncOperation {
        revision,
        revisions,
        prune,
        resources: resources(&scope),
        sync_strategy: (!runs_hooks && scope == Scope::Whole).then(dialect::strategy_without_hooks),
        auto_heal_attempts_count: (heals > 0).then_some(heals.into()),
        ..SyncOperation::default()
    };
    Operation {
        revisions: terms.source.revisions.clone(),
        prune,
        create_namespace: intent.options.create_namespace,
        runs_hooks,
        scope,
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
