//! `syncResult.resources`: what an operation created, changed, pruned, skipped or failed at.
//! Objects that were as wanted are not listed, and no value of an object is.

use std::collections::BTreeMap;

use crds::{ManagedNamespaceMetadata, ResourceResult, SyncOperationResult};

use super::status::cut;
use crate::sync::items::Items;
use crate::sync::key::ObjectKey;
use crate::sync::outcome::{Done, Failure, FailureReason, Outcome};
use crate::sync::plan::namespace;
use crate::sync::plan::recorded::{self, key_of_result};
use crate::sync::plan::{
    Comparison, Decision, Difference, HookPhase, HookState, LeftOut, Operation, Scope, Step,
};
use crate::sync::revisions::sources_of;
use crate::sync::world::{DestinationNamespace, HealthStatus, World};

/// So many objects are listed; the rest is counted.
const LISTED: usize = 500;
/// Longest text of one result: with all of them a status stays below 1 MiB.
const LONGEST_TEXT: usize = 256;
/// So many of them a record of the operation tells.
const TOLD: usize = 10;

/// The results so far with those of this pass.
pub(super) fn merged(
    world: &World,
    operation: &Operation,
    comparison: Option<&Comparison>,
    before: Vec<ResourceResult>,
    outcomes: &[Outcome],
) -> SyncOperationResult {
    let mut results: BTreeMap<Row, ResourceResult> = BTreeMap::new();
    let mut put = |result: ResourceResult| results.insert(row(&result), result);
    for result in kept(world, operation).chain(before) {
        put(judged(world, result));
    }
    for outcome in outcomes {
        if let Some((key, status, message)) = result(outcome) {
            put(new(comparison, &key, status, &message));
        }
        if let Some(result) = begun(world, outcome) {
            put(result);
        }
    }
    for (key, left_out) in &operation.left_out {
        put(left(comparison, key, left_out));
    }
    for state in &operation.hooks {
        put(of_hook(state));
    }
    if operation.scope == Scope::Whole {
        for result in skipped(comparison, operation.prune) {
            put(result);
        }
    }
    let (listed, omitted) = listed(results.into_values().collect());
    let spec = &world.application.spec;
    let (revision, revisions) = operation.revisions.fields(spec);
    let (source, sources) = sources_of(spec);
    SyncOperationResult {
        resources: listed,
        revision,
        revisions,
        source,
        sources,
        managed_namespace_metadata: namespace_metadata(world, comparison, outcomes),
        omitted_resources: i64::try_from(omitted).unwrap_or(i64::MAX),
        ..SyncOperationResult::default()
    }
}

/// Jobs that an earlier try of the operation has made. One that removed itself once it was done leaves nothing else to know it by.
fn kept(world: &World, operation: &Operation) -> impl Iterator<Item = ResourceResult> {
    let application = &world.application;
    let state = recorded::operation(application).filter(|state| {
        operation.decision == Decision::Retry
            && recorded::pinned(state).as_ref() == Some(&operation.revisions)
            && recorded::is_of_sources(application, state)
    });
    let results = state.and_then(|state| state.sync_result.as_ref());
    let results = results.into_iter().flat_map(|result| &result.resources);
    results.filter(|result| is_job(result)).cloned()
}

/// A Job that has failed is to be made again by the next try.
fn judged(world: &World, mut result: ResourceResult) -> ResourceResult {
    let live = world.live.get(&key_of_result(&result));
    let health = live.and_then(|live| live.health.as_ref());
    let broken = health.filter(|health| health.status == HealthStatus::Degraded);
    if let Some(health) = broken.filter(|_| is_job(&result)) {
        result.status = "SyncFailed".to_owned();
        result.message = cut(&health.message, LONGEST_TEXT);
    }
    result
}

/// The result of a Job that was written.
fn is_job(result: &ResourceResult) -> bool {
    recorded::is_applied(result) && key_of_result(result).is("batch", "Job")
}

/// The results that are listed, and how many are not. Those of hooks and Jobs are more than news: without them one would run again.
fn listed(mut results: Vec<ResourceResult>) -> (Vec<ResourceResult>, usize) {
    let runs_again = |result: &ResourceResult| !result.hook_type.is_empty() || is_job(result);
    results.sort_by_key(|result| {
        let is_no_hook = result.hook_type.is_empty();
        (is_no_hook, !is_job(result), result.status != "SyncFailed")
    });
    let kept = results.partition_point(runs_again);
    let omitted = results.len().saturating_sub(LISTED.max(kept));
    results.truncate(LISTED.max(kept));
    (results, omitted)
}

/// No hook runs for an operation that is over: what it made is deleted.
pub(super) fn end_hooks(result: &mut SyncOperationResult) {
    let running = HookPhase::Running.name();
    let rows = result.resources.iter_mut();
    for hook in rows.filter(|row| row.hook_phase == running) {
        hook.hook_phase = HookPhase::Error.name().into();
        hook.message = "its operation ended while it ran".into();
    }
}

/// What the namespace carries of what the Application says; while that is not so yet, what it said before.
fn namespace_metadata(
    world: &World,
    comparison: Option<&Comparison>,
    outcomes: &[Outcome],
) -> Option<ManagedNamespaceMetadata> {
    let is_applied = |outcome: &Outcome| {
        matches!(outcome.step.step, Step::ApplyNamespace(_)) && outcome.result.is_ok()
    };
    let exists = world.destination_namespace == DestinationNamespace::Exists;
    let carries = exists && comparison.is_some_and(|comparison| comparison.namespace.is_none());
    match carries || outcomes.iter().any(is_applied) {
        true => {
            let policy = world.application.spec.sync_policy.as_ref()?;
            policy.managed_namespace_metadata.clone()
        }
        false => recorded::namespace_metadata(&world.application.status).cloned(),
    }
}

/// How many objects and hooks an operation dealt with, and what became of the first of them.
pub(super) fn changes(result: &SyncOperationResult) -> (i64, Vec<String>) {
    let is_change = |result: &&ResourceResult| result.status != "PruneSkipped";
    let changes = result.resources.iter().filter(is_change);
    let count = i64::try_from(changes.clone().count()).unwrap_or(i64::MAX);
    let told = changes.take(TOLD).map(told);
    (count + result.omitted_resources, told.collect())
}

fn told(result: &ResourceResult) -> String {
    let key = key_of_result(result).to_string();
    match (result.hook_phase.as_str(), result.message.as_str()) {
        // What failed is named by itself.
        ("", message) if message.starts_with(&key) => message.to_owned(),
        ("", message) => format!("{key}: {message}"),
        (phase, "") => format!("{key}: {phase}"),
        (phase, message) => format!("{key}: {phase}: {message}"),
    }
}

/// The first failures of a pass, for the operation's message. A conflict is none: the next pass looks again.
pub(super) fn failures(outcomes: &[Outcome]) -> Vec<String> {
    let failed = |outcome: &Outcome| match &outcome.result {
        Err(_) if is_beside(&outcome.step.step) => None,
        Err(failure) if !is_conflict(failure) => Some(failure.message.clone()),
        _ => None,
    };
    outcomes.iter().filter_map(failed).collect()
}

/// Something changed under our hands; the next pass looks again.
pub(super) fn conflicts(outcomes: &[Outcome]) -> bool {
    let conflicts = |outcome: &Outcome| {
        !is_beside(&outcome.step.step) && outcome.result.as_ref().is_err_and(is_conflict)
    };
    outcomes.iter().any(conflicts)
}

/// It is no part of an operation, which neither fails nor waits for it.
fn is_beside(step: &Step) -> bool {
    matches!(
        step,
        Step::ReleaseHook { .. } | Step::NoteSecrets(_) | Step::Restart { .. }
    )
}

fn is_conflict(failure: &Failure) -> bool {
    failure.reason == FailureReason::Conflict
}

fn result(outcome: &Outcome) -> Option<(ObjectKey, &'static str, String)> {
    let (step, note) = match &outcome.step.step {
        Step::DryRun { step, .. } => (&**step, " (dry run)"),
        step => (step, ""),
    };
    let key = match step {
        Step::Apply(key) | Step::Merge(key) | Step::Replace(key) => key.clone(),
        Step::Unseal(key) | Step::Delete { key, .. } => key.clone(),
        Step::CreateNamespace(name) | Step::ApplyNamespace(name) => namespace::key(name),
        _ => return None,
    };
    let prunes = matches!(step, Step::Delete { .. });
    let unseals = matches!(step, Step::Unseal(_));
    let told = |status, message: &str| Some((key.clone(), status, format!("{message}{note}")));
    match &outcome.result {
        Err(failure) if is_conflict(failure) => None,
        Err(failure) => told("SyncFailed", &failure.message),
        Ok(Done::Deleted) if prunes => told("Pruned", "pruned"),
        Ok(Done::Created(items)) if !unseals => told("Synced", &written("created", items)),
        Ok(Done::Configured(items)) if !unseals => told("Synced", &written("configured", items)),
        Ok(_) => None,
    }
}

fn written(what: &str, items: &Items) -> String {
    match items.is_empty() {
        true => what.to_owned(),
        false => format!("{what} ({items})"),
    }
}

fn new(
    comparison: Option<&Comparison>,
    key: &ObjectKey,
    status: &str,
    message: &str,
) -> ResourceResult {
    let compared = comparison.and_then(|comparison| comparison.objects.get(key));
    ResourceResult {
        group: key.group().to_owned(),
        version: compared.map_or_else(|| "v1".to_owned(), |compared| compared.version.clone()),
        kind: key.kind().to_owned(),
        namespace: key.namespace_or_empty().to_owned(),
        name: key.name().to_owned(),
        status: status.to_owned(),
        message: cut(message, LONGEST_TEXT),
        sync_phase: "Sync".into(),
        ..ResourceResult::default()
    }
}

/// An object and a hook of one name have a result each, and so has a hook in each of its phases.
type Row = (ObjectKey, String);

fn row(result: &ResourceResult) -> Row {
    (key_of_result(result), result.hook_type.clone())
}

/// A hook whose run begins in this pass, or can't begin.
fn begun(world: &World, outcome: &Outcome) -> Option<ResourceResult> {
    let Step::RunHook(run) = &outcome.step.step else {
        return None;
    };
    let (phase, message) = match &outcome.result {
        Err(failure) if is_conflict(failure) => return None,
        Err(failure) => (HookPhase::Error, failure.message.clone()),
        Ok(_) => (HookPhase::Running, String::new()),
    };
    let desired = &world.source.as_ref().ok()?.desired;
    Some(of_hook(&HookState {
        run: run.clone(),
        version: desired.hooks.get(&run.id)?.wanted.version.clone(),
        phase,
        message,
    }))
}

fn of_hook(state: &HookState) -> ResourceResult {
    let HookState { run, phase, .. } = state;
    let status = match phase {
        HookPhase::Error => "SyncFailed",
        HookPhase::Running | HookPhase::Succeeded | HookPhase::Failed => "Synced",
    };
    let name = run.id.phase.name();
    ResourceResult {
        version: state.version.clone(),
        hook_type: name.into(),
        hook_phase: phase.name().into(),
        sync_phase: name.into(),
        ..new(None, &run.key, status, &state.message)
    }
}

fn left(comparison: Option<&Comparison>, key: &ObjectKey, left_out: &LeftOut) -> ResourceResult {
    ResourceResult {
        reason: left_out.reason.name().to_owned(),
        ..new(comparison, key, "SyncFailed", &left_out.message)
    }
}

/// Objects that left Git and stay, by the words that Argo CD has for each case.
fn skipped(comparison: Option<&Comparison>, prune: bool) -> Vec<ResourceResult> {
    let objects = comparison
        .into_iter()
        .flat_map(|comparison| &comparison.objects);
    let why = |difference: &Difference| match difference {
        Difference::Extra if !prune => Some("ignored (requires pruning)".to_owned()),
        Difference::Kept(guard) => Some(guard.clone()),
        Difference::Doubt(doubt) => Some(format!("ignored ({doubt})")),
        Difference::OutOfReach => {
            Some("ignored (the cluster does not know its kind any more)".to_owned())
        }
        _ => None,
    };
    let skipped =
        objects.filter_map(|(key, compared)| Some((key, why(compared.difference.as_ref()?)?)));
    skipped
        .map(|(key, why)| new(comparison, key, "PruneSkipped", &why))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(count: usize, hook: &str, status: &str) -> impl Iterator<Item = ResourceResult> {
        std::iter::repeat_n(
            ResourceResult {
                hook_type: hook.to_owned(),
                status: status.to_owned(),
                ..ResourceResult::default()
            },
            count,
        )
    }

    #[test]
    fn as_many_results_are_listed_as_a_status_can_hold_and_those_of_hooks_before_all() {
        let objects = results(600, "", "Synced").chain(results(2, "", "SyncFailed"));
        let (listed, omitted) = listed(objects.chain(results(3, "PreSync", "Synced")).collect());
        assert_eq!((listed.len(), omitted), (LISTED, 105));
        assert!(
            listed[..3]
                .iter()
                .all(|result| result.hook_type == "PreSync")
        );
        assert!(
            listed[3..5]
                .iter()
                .all(|result| result.status == "SyncFailed")
        );
    }

    #[test]
    fn a_job_that_was_written_is_listed_before_what_failed() {
        let job = ResourceResult {
            group: "batch".to_owned(),
            kind: "Job".to_owned(),
            ..results(1, "", "Synced").next().unwrap()
        };
        let (listed, omitted) = listed(
            results(600, "", "SyncFailed")
                .chain([job.clone()])
                .collect(),
        );
        assert_eq!((&listed[0], listed.len(), omitted), (&job, LISTED, 101));
    }

    #[test]
    fn no_result_of_a_hook_is_left_out() {
        let all = results(600, "Sync", "Synced").chain(results(1, "", "Synced"));
        let (listed, omitted) = listed(all.collect());
        assert_eq!((listed.len(), omitted), (600, 1));
    }
}
