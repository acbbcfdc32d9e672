//! What the Application's status says of earlier passes: the inventory, the last synced revision, the last operation.
//! It reads leniently: another controller may have written it.

use std::collections::BTreeMap;

use crds::{
    Application, ApplicationStatus, Info, ManagedNamespaceMetadata, Operation, OperationState,
    ResourceResult, ResourceStatus,
};

use crate::dialect::{self, OperationRequest, Phase, Refusal};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::HookPhase;
use crate::sync::plan::operation::is_running;
use crate::sync::revisions::{Revisions, is_about};
use crate::sync::world::AppFacts;

/// The inventory: what belongs to the Application, with the version each was last seen in. Hooks don't belong to it.
pub(in crate::sync) fn inventory(status: &ApplicationStatus) -> BTreeMap<ObjectKey, String> {
    let objects = status
        .resources
        .iter()
        .filter(|resource| !resource.hook && !resource.name.is_empty());
    objects
        .map(|resource| (key_of(resource), resource.version.clone()))
        .collect()
}

/// What of the inventory is deleted only once somebody approves it.
pub(in crate::sync) fn asked(status: &ApplicationStatus) -> impl Iterator<Item = ObjectKey> {
    let resources = status.resources.iter();
    let asked = resources.filter(|resource| resource.requires_deletion_confirmation);
    asked.map(key_of)
}

/// The key of an entry of `status.resources`.
pub(in crate::sync) fn key_of(resource: &ResourceStatus) -> ObjectKey {
    let kind = GroupKind::new(&*resource.group, &*resource.kind);
    ObjectKey::new(&kind, Some(&resource.namespace), &resource.name)
}

/// The key of an entry of `status.operationState.syncResult.resources`.
pub(in crate::sync) fn key_of_result(result: &ResourceResult) -> ObjectKey {
    let kind = GroupKind::new(&*result.group, &*result.kind);
    ObjectKey::new(&kind, Some(&result.namespace), &result.name)
}

/// What the cluster was last compared with.
pub(in crate::sync) fn compared(status: &ApplicationStatus) -> Option<Revisions> {
    let sync = status.sync.as_ref()?;
    Some(Revisions::stored(&sync.revision, &sync.revisions))
}

/// What was last synced as a whole from the sources as they stand in the spec.
pub(in crate::sync) fn synced(application: &AppFacts) -> Option<Revisions> {
    let spec = &application.spec;
    let last = application.status.history.last();
    if let Some(entry) = last.filter(|entry| is_about(entry.source.as_ref(), &entry.sources, spec))
    {
        return Some(Revisions::stored(&entry.revision, &entry.revisions));
    }
    let state = last_sync(application).filter(|state| state.phase == "Succeeded")?;
    let result = state.sync_result.as_ref()?;
    let about = is_about(result.source.as_ref(), &result.sources, spec);
    (!is_partial(state) && about).then(|| Revisions::stored(&result.revision, &result.revisions))
}

/// What the objects in the cluster are from: what they were last compared with when nothing differed, else what was synced last.
pub(in crate::sync) fn deployed(application: &AppFacts) -> Option<Revisions> {
    let sync = application.status.sync.as_ref();
    let to = sync
        .filter(|sync| sync.status == "Synced")
        .and_then(|sync| sync.compared_to.as_ref());
    let spec = &application.spec;
    to.filter(|to| is_about(to.source.as_ref(), &to.sources, spec))
        .and_then(|_| compared(&application.status))
        .or_else(|| synced(application))
}

/// The object was applied at these revisions: by a sync, or by the operation that runs, in whichever try of it.
pub(in crate::sync) fn has_applied(
    application: &AppFacts,
    revisions: &Revisions,
    key: &ObjectKey,
) -> bool {
    let mut resources = application.status.resources.iter();
    let was_synced = synced(application).as_ref() == Some(revisions)
        || is_as_it_was_compared(application, revisions);
    let by_a_sync = was_synced
        && resources.any(|resource| resource.status == "Synced" && key_of(resource) == *key);
    let by_this_one = || {
        let state = operation(application).filter(|state| is_running(state))?;
        let results = &state.sync_result.as_ref()?.resources;
        let applied = |result: &ResourceResult| is_applied(result) && key_of_result(result) == *key;
        let is_at_it =
            pinned(state).as_ref() == Some(revisions) && is_of_sources(application, state);
        is_at_it.then(|| results.iter().any(applied))
    };
    by_a_sync || by_this_one().unwrap_or_default()
}

/// The result of an object that was written.
pub(in crate::sync) fn is_applied(result: &ResourceResult) -> bool {
    result.hook_type.is_empty() && result.status == "Synced"
}

/// The objects were last compared with these revisions, and no whole sync to them has begun since: who keeps no history is left with
/// that once a heal has taken the place of the sync.
fn is_as_it_was_compared(application: &AppFacts, revisions: &Revisions) -> bool {
    let status = &application.status;
    let sync = status.sync.as_ref();
    let to = sync.and_then(|sync| sync.compared_to.as_ref());
    operation(application).is_some_and(is_partial)
        && to.is_some_and(|to| is_about(to.source.as_ref(), &to.sources, &application.spec))
        && compared(status).as_ref() == Some(revisions)
}

/// The operation that runs or ran last.
pub(in crate::sync) fn operation(application: &AppFacts) -> Option<&OperationState> {
    application.status.operation_state.as_ref()
}

/// The revisions that an operation has pinned, if it got that far.
pub(in crate::sync) fn pinned(state: &OperationState) -> Option<Revisions> {
    let result = state.sync_result.as_ref()?;
    let pinned = Revisions::stored(&result.revision, &result.revisions);
    (!pinned.is_empty()).then_some(pinned)
}

/// What the operation that runs has pinned.
pub(in crate::sync) fn running_at(application: &AppFacts) -> Option<Revisions> {
    let running = operation(application).filter(|state| is_running(state));
    running.and_then(pinned)
}

/// The operation is of the sources as they stand in the spec.
pub(in crate::sync) fn is_of_sources(application: &AppFacts, state: &OperationState) -> bool {
    let result = state.sync_result.as_ref();
    let spec = &application.spec;
    result.is_some_and(|result| is_about(result.source.as_ref(), &result.sources, spec))
}

/// The request that began the operation; `None` when it is not accepted any more.
pub(in crate::sync) fn request(
    application: &AppFacts,
    state: &OperationState,
) -> Option<OperationRequest> {
    accepted(application, state).ok().flatten()
}

/// The request that began the operation, or what in it is not accepted any more.
pub(in crate::sync) fn accepted(
    application: &AppFacts,
    state: &OperationState,
) -> Result<Option<OperationRequest>, Vec<Refusal>> {
    let application = Application {
        spec: application.spec.clone(),
        operation: Some(state.operation.clone()),
        ..Application::default()
    };
    dialect::operation(&application, Some(&state.operation))
}

/// It dealt with some objects alone, or wrote none.
pub(in crate::sync) fn is_partial(state: &OperationState) -> bool {
    let sync = state.operation.sync.as_ref();
    sync.is_some_and(|sync| sync.dry_run || !sync.resources.is_empty())
}

/// A request that deals with some objects, or with none.
pub(in crate::sync) fn is_aside(state: &OperationState) -> bool {
    (is_partial(state) || tries_nothing(state)) && !is_automated(state)
}

/// It only asks, or was refused as it began.
pub(in crate::sync) fn tries_nothing(state: &OperationState) -> bool {
    let sync = state.operation.sync.as_ref();
    sync.is_some_and(|sync| sync.dry_run) || pinned(state).is_none()
}

/// The operation that ended last and was not aside.
pub(in crate::sync) fn last_sync(application: &AppFacts) -> Option<&OperationState> {
    let state = operation(application)?;
    match is_aside(state) {
        true => application.status.last_sync.as_deref(),
        false => Some(state).filter(|state| !is_running(state)),
    }
}

/// What the destination namespace was last made to carry.
pub(in crate::sync) fn namespace_metadata(
    status: &ApplicationStatus,
) -> Option<&ManagedNamespaceMetadata> {
    let result = status.operation_state.as_ref()?.sync_result.as_ref()?;
    result.managed_namespace_metadata.as_ref()
}

/// The sync policy began it.
pub(in crate::sync) fn is_automated(state: &OperationState) -> bool {
    state
        .operation
        .initiated_by
        .as_ref()
        .is_some_and(|by| by.automated)
}

/// Why an earlier pass of the operation left the object out, in the spelling of `LeftOutReason`.
pub(in crate::sync) fn left_out<'a>(state: &'a OperationState, key: &ObjectKey) -> Option<&'a str> {
    let results = &state.sync_result.as_ref()?.resources;
    let result = results
        .iter()
        .find(|result| result.hook_type.is_empty() && key_of_result(result) == *key)?;
    reason(result)
}

/// Why the object of a result was left out.
pub(in crate::sync) fn reason(result: &ResourceResult) -> Option<&str> {
    Some(&*result.reason).filter(|reason| !reason.is_empty())
}

/// Results of hooks in the operation that runs or ran last.
pub(in crate::sync) fn hooks(status: &ApplicationStatus) -> impl Iterator<Item = &ResourceResult> {
    let state = status.operation_state.as_ref();
    let results = state.and_then(|state| state.sync_result.as_ref());
    let results = results.into_iter().flat_map(|result| &result.resources);
    results.filter(|result| !result.hook_type.is_empty())
}

/// How the run of a hook stands, by its result.
pub(in crate::sync) fn hook(
    state: &OperationState,
    key: &ObjectKey,
    phase: Phase,
) -> Option<(HookPhase, String)> {
    let results = &state.sync_result.as_ref()?.resources;
    let result = results
        .iter()
        .find(|result| result.hook_type == phase.name() && key_of_result(result) == *key)?;
    Some((
        HookPhase::named(&result.hook_phase)?,
        result.message.clone(),
    ))
}

/// Name of the entry in `operation.info` that says why an operation has failed, while it is not over.
const FAILED: &str = "signet.dev/failed";

/// Why the operation has failed, while what comes after a failure is still to be done.
pub(in crate::sync) fn failure(state: &OperationState) -> Option<String> {
    let mut info = state.operation.info.iter();
    Some(info.find(|info| is_failure(info))?.value.clone())
}

/// It says why its operation has failed.
pub(in crate::sync) fn is_failure(info: &Info) -> bool {
    info.name == FAILED
}

/// Writes down why the operation has failed, or that it has not.
pub(in crate::sync) fn set_failure(operation: &mut Operation, why: Option<String>) {
    let info = &mut operation.info;
    info.retain(|info| !is_failure(info));
    info.extend(why.map(|value| Info {
        name: FAILED.into(),
        value,
        ..Info::default()
    }));
}
