//! What runs of hooks leave behind: their objects, the finalizer that keeps them, their results.
//! A finalizer goes once the result is written down, and in any pass when no operation waits for it any more.

use std::fmt;

use k8s_openapi::jiff::Timestamp;

use crate::dialect::{HOOK_RUN, Phase, is_hook};
use crate::sync::desired::hooks::Hook;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::gates::permits_still;
use crate::sync::plan::inventory::is_ours;
use crate::sync::plan::{
    Decision, Ending, HookPhase, HookRun, Operation, PlannedStep, Slot, Step, recorded,
};
use crate::sync::revisions::Revisions;
use crate::sync::world::{HealthStatus, Live, World};

/// So many letters of a commit are in a generated name.
const SHORT_COMMIT: usize = 7;
/// Longest name of an object.
const LONGEST_NAME: usize = 253;

/// What hooks run for: a try of an operation, or the deletion of the Application.
#[derive(Clone, Copy)]
pub(in crate::sync) struct Occasion<'a> {
    /// When it began.
    pub(in crate::sync) began: Timestamp,
    /// How often it was tried before.
    pub(in crate::sync) retries: u32,
    /// Where the hooks are written.
    pub(in crate::sync) revisions: &'a Revisions,
}

impl Operation {
    /// This try of it.
    pub(in crate::sync) fn occasion(&self) -> Occasion<'_> {
        Occasion {
            began: self.started_at,
            retries: self.retry_count,
            revisions: &self.revisions,
        }
    }
}

impl HookRun {
    /// The run of a hook on an occasion: the same after every restart.
    pub(in crate::sync) fn of(world: &World, occasion: Occasion<'_>, hook: &Hook) -> Self {
        let key = &hook.id.key;
        let key = match hook.generated {
            true => {
                let name = generated_name(occasion, hook.id.phase, key.name());
                ObjectKey::new(&key.group_kind(), key.namespace(), &name)
            }
            false => key.clone(),
        };
        Self {
            id: hook.id.clone(),
            key,
            run: run(world, occasion, hook.id.phase),
        }
    }
}

impl fmt::Display for HookRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hook {}", self.id.phase.name(), self.key)
    }
}

/// The Application is named by its uid: another controller in the cluster may have one of the same name.
fn run(world: &World, occasion: Occasion<'_>, phase: Phase) -> String {
    let uid = &world.application.uid;
    let Occasion { began, retries, .. } = occasion;
    format!("{uid}/{}/{retries}/{}", began.as_second(), phase.name())
}

/// As Argo CD names them; a further try has its number at the end.
fn generated_name(occasion: Occasion<'_>, phase: Phase, prefix: &str) -> String {
    let revision = occasion.revisions.all().first();
    let commit: String = revision
        .into_iter()
        .flat_map(|revision| revision.chars())
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '-'
            }
        })
        .take(SHORT_COMMIT)
        .collect();
    let began = occasion.began.as_second();
    let mut end = format!("{commit}-{}-{began}", phase.name()).to_lowercase();
    if occasion.retries > 0 {
        end = format!("{end}-r{}", occasion.retries);
    }
    let room = LONGEST_NAME.saturating_sub(end.len());
    let prefix: String = prefix.chars().take(room).collect();
    format!("{prefix}{end}")
}

/// The run that an object says it is of.
pub(in crate::sync) fn run_of(live: &Live) -> Option<&str> {
    live.metadata.get("annotations")?.get(HOOK_RUN)?.as_str()
}

/// The phase of the run that an object says it is of.
pub(in crate::sync) fn phase_of(live: &Live) -> Option<Phase> {
    Phase::named(run_of(live)?.rsplit('/').next()?)
}

/// It is ours, or nobody's and says that it was made as a hook: by Helm, or by an Argo CD that tracked by labels.
pub(in crate::sync) fn is_made_by_hook(world: &World, key: &ObjectKey, live: &Live) -> bool {
    is_ours(world, key, live) || (live.tracking.is_none() && is_hook(&live.metadata))
}

/// The result of a run, as far as it is written down in this try of the operation.
pub(in crate::sync) fn recorded(
    world: &World,
    operation: &Operation,
    run: &HookRun,
) -> Option<(HookPhase, String)> {
    let state = recorded::operation(&world.application)
        .filter(|_| operation.decision == Decision::Continue)?;
    recorded::hook(state, &run.key, run.id.phase)
}

/// Objects that runs of this very Application have made, where the project permits us to touch them.
pub(in crate::sync) fn made(world: &World) -> impl Iterator<Item = (&ObjectKey, &Live)> {
    let made = move |(key, live): &(&ObjectKey, &Live)| {
        let run = run_of(live).and_then(|run| run.split_once('/'));
        run.is_some_and(|(uid, _)| uid == world.application.uid)
            && is_hook(&live.metadata)
            && is_ours(world, key, live)
            && permits_still(world, key, live)
    };
    world.live.iter().filter(made)
}

/// Those that hooks of syncs have made.
fn made_by_syncs(world: &World) -> impl Iterator<Item = (&ObjectKey, &Live)> {
    made(world).filter(|(_, live)| !phase_of(live).is_some_and(Phase::is_of_deletion))
}

/// Of those what is not let go.
pub(in crate::sync) fn held(world: &World) -> impl Iterator<Item = &ObjectKey> {
    let held = made_by_syncs(world).filter(|(_, live)| live.hook_finalizer);
    held.map(|(key, _)| key)
}

/// A kind that hooks make objects of, and that can't be listed now: nobody knows then what is held.
pub(in crate::sync) fn unseen(world: &World) -> Option<GroupKind> {
    let source = world.source.as_ref().ok().into_iter();
    let hooks = source.flat_map(|source| source.desired.hooks.keys());
    let results = recorded::hooks(&world.application.status).map(recorded::key_of_result);
    let mut keys = hooks.map(|id| id.key.clone()).chain(results);
    keys.find_map(|key| world.unlisted.get(&key.group_kind()).cloned())
}

/// What of those still runs, or is being stopped.
pub(in crate::sync) fn running(world: &World) -> impl Iterator<Item = &ObjectKey> {
    let running = made_by_syncs(world).filter(|(key, live)| runs(key, live));
    running.map(|(key, _)| key)
}

/// What still runs, or is being stopped, for an operation that is over.
pub(in crate::sync) fn leaving<'a>(
    world: &'a World,
    operation: &'a Operation,
) -> impl Iterator<Item = &'a ObjectKey> {
    let leaving = move |(key, live): &(&ObjectKey, &Live)| {
        runs(key, live) && awaited(world, operation, key, live).is_none()
    };
    made_by_syncs(world).filter(leaving).map(|(key, _)| key)
}

/// Lets go of what no operation waits for any more: takes our finalizer off it, and deletes it where it still runs.
/// What `planned` deletes is let go by that.
pub(in crate::sync) fn let_go(
    world: &World,
    operation: Option<&Operation>,
    planned: &[PlannedStep],
) -> Vec<PlannedStep> {
    let is_deleted = |key: &ObjectKey| {
        let deletes = |planned: &PlannedStep| matches!(&planned.step, Step::DeleteHook { key: deleted, .. } if deleted == key);
        planned.iter().any(deletes)
    };
    let at_work = operation.filter(|operation| {
        !matches!(operation.ending, Ending::Over(..))
            && !matches!(operation.decision, Decision::Wait(_))
    });
    let step = |(key, live): (&ObjectKey, &Live)| {
        let awaited = at_work.and_then(|operation| awaited(world, operation, key, live));
        let (key, uid) = (key.clone(), live.uid.clone());
        match awaited {
            Some(Awaited::Yes) => None,
            None if runs(&key, live) && !live.deleting => Some(Step::DeleteHook { key, uid }),
            _ if live.hook_finalizer => Some(Step::ReleaseHook { key, uid }),
            _ => None,
        }
    };
    let others = made_by_syncs(world).filter(|(key, _)| !is_deleted(key));
    others.filter_map(step).map(ordinary).collect()
}

/// Takes our finalizer off everything that hooks have made, but for those of a phase that is not over.
pub(in crate::sync) fn release_all(world: &World, but: Option<Phase>) -> Vec<PlannedStep> {
    let is_over = |live: &Live| but.is_none_or(|phase| phase_of(live) != Some(phase));
    let held = made(world).filter(|(_, live)| live.hook_finalizer && is_over(live));
    let steps = held.map(|(key, live)| release(key, live));
    steps.map(ordinary).collect()
}

/// Takes our finalizer off an object.
pub(in crate::sync) fn release(key: &ObjectKey, live: &Live) -> Step {
    Step::ReleaseHook {
        key: key.clone(),
        uid: live.uid.clone(),
    }
}

pub(in crate::sync) fn ordinary(step: Step) -> PlannedStep {
    PlannedStep {
        slot: Slot::sync(0),
        step,
    }
}

/// Whether an operation waits for an object of one of its own runs.
enum Awaited {
    Yes,
    /// Its result is written down.
    NoMore,
}

fn awaited(world: &World, operation: &Operation, key: &ObjectKey, live: &Live) -> Option<Awaited> {
    let phase = phase_of(live)?;
    if run_of(live) != Some(&run(world, operation.occasion(), phase)) {
        return None;
    }
    let state = recorded::operation(&world.application);
    let result = state.and_then(|state| recorded::hook(state, key, phase));
    let over = result.is_some_and(|(phase, _)| phase != HookPhase::Running);
    Some(if over { Awaited::NoMore } else { Awaited::Yes })
}

/// One of our runs that has not come to its end. Only of kinds that have one: a Deployment is never done.
fn runs(key: &ObjectKey, live: &Live) -> bool {
    let ends = key.is("batch", "Job") || key.is("", "Pod");
    let light = live.health.as_ref().map(|health| health.status);
    let at_work = matches!(
        light,
        None | Some(HealthStatus::Progressing | HealthStatus::Suspended)
    );
    ends && at_work
}
