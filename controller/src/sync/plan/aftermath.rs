//! The end of an operation that runs hooks: what some of them made is deleted, and after a failure others run.
//! Why it has failed stays the first thing that it says.

use crate::dialect::{HookDeletion, Phase};
use crate::sync::desired::hooks::Hook;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::hook_runs::run_of;
use crate::sync::plan::steps::Work;
use crate::sync::plan::{Ending, HookRun, Operation, PlannedStep, Step};
use crate::sync::world::World;

/// There is something to do once the operation has failed.
pub(in crate::sync) fn is_due(world: &World, terms: &Terms<'_>, operation: &Operation) -> bool {
    let mut hooks = terms.desired().hooks.keys();
    operation.runs_hooks
        && (hooks.any(|id| id.phase == Phase::SyncFail)
            || !delete(world, terms, operation, HookDeletion::HookFailed).is_empty())
}

/// The last steps of an operation: what its hooks ask to have deleted. One that has failed ends as failed, whatever comes after.
pub(in crate::sync) fn plan(
    world: &World,
    terms: &Terms<'_>,
    operation: &mut Operation,
    work: &mut Work,
) {
    let Some(failed) = operation.failed.clone() else {
        if operation.ending == Ending::AfterSteps && !operation.falls_short() {
            work.now
                .extend(delete(world, terms, operation, HookDeletion::HookSucceeded));
        }
        return;
    };
    operation.ending = match &operation.ending {
        Ending::Open(waiting) => Ending::Open(format!("{failed}; {waiting}")),
        Ending::Failed(again) => Ending::Failed(format!("{failed}; {again}")),
        _ => Ending::Failed(failed),
    };
    if let Ending::Failed(_) = operation.ending {
        work.now
            .extend(delete(world, terms, operation, HookDeletion::HookFailed));
    }
}

/// Deletes what the hooks of an operation made and asked to have deleted at this end of it.
fn delete(
    world: &World,
    terms: &Terms<'_>,
    operation: &Operation,
    at: HookDeletion,
) -> Vec<PlannedStep> {
    let hooks = terms.desired().hooks.values();
    let hooks = hooks.filter(|hook| operation.runs_hooks && hook.deletions.contains(&at));
    let step = |hook: &Hook| {
        let run = HookRun::of(world, operation.occasion(), hook);
        let live = world.live.get(&run.key)?;
        let of_this_run = run_of(live) == Some(&run.run) && !live.deleting;
        let step = Step::DeleteHook {
            key: run.key,
            uid: live.uid.clone(),
        };
        of_this_run.then_some(PlannedStep {
            slot: hook.slot(),
            step,
        })
    };
    hooks.filter_map(step).collect()
}
