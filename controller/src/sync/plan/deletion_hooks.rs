//! Hooks of a deletion: before an Application's objects go, and once they are gone. What they made is held until all of a phase have
//! succeeded, and that they have tells the Application's finalizer: so a restart runs none again.
//! A failed one stops the deletion until somebody deletes what it made; then it runs again.

use std::collections::BTreeMap;

use crate::dialect::{Finalizer, HookDeletion, Phase, Role, role};
use crate::sync::desired::hooks::Hook;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::{Terms, named, refusal};
use crate::sync::plan::finalizers::is_on;
use crate::sync::plan::hook_runs::{self, Occasion, made, phase_of, release};
use crate::sync::plan::hooks::{Standing, standing, unserved};
use crate::sync::plan::steps::{BACKSTOP, planned};
use crate::sync::plan::{
    Condition, ConditionKind, Finalizers, HookPhase, HookRun, Plan, PlannedStep, Slot, Step, gates,
};
use crate::sync::world::{Live, World};

/// One phase with its finalizers: until its hooks have run, and until what they made is let go.
pub(in crate::sync) struct Stage {
    pub(in crate::sync) phase: Phase,
    pub(in crate::sync) runs: Finalizer,
    pub(in crate::sync) cleans: Finalizer,
}

/// Before the objects go.
pub(in crate::sync) const PRE: Stage = Stage {
    phase: Phase::PreDelete,
    runs: Finalizer::PreDelete,
    cleans: Finalizer::PreDeleteCleanup,
};

/// Once they are gone.
pub(in crate::sync) const POST: Stage = Stage {
    phase: Phase::PostDelete,
    runs: Finalizer::PostDelete,
    cleans: Finalizer::PostDeleteCleanup,
};

/// What is to be done for a stage; `None` when it is over, or has no hooks.
pub(in crate::sync) fn plan(world: &World, stage: &Stage) -> Option<Plan> {
    if is_on(&world.application, stage.runs) {
        return Some(run(world, stage));
    }
    is_on(&world.application, stage.cleans).then(|| match gates::terms(world) {
        Ok(_) => clean(world, stage),
        Err(stop) => waits(world, unknown(&stop.message(), stage)),
    })
}

/// What there is to do in one wave.
#[derive(Default)]
struct Wave {
    due: Vec<Step>,
    held: Vec<Step>,
    running: Vec<HookRun>,
    gone: Vec<ObjectKey>,
    failed: Vec<String>,
}

fn waits(world: &World, why: Condition) -> Plan {
    Plan {
        conditions: vec![why],
        wake_at: world.now.checked_add(BACKSTOP).ok(),
        ..Plan::default()
    }
}

fn run(world: &World, stage: &Stage) -> Plan {
    let terms = match gates::terms(world) {
        Ok(terms) => terms,
        Err(stop) => return waits(world, unknown(&stop.message(), stage)),
    };
    let mut plan = Plan {
        wake_at: world.now.checked_add(BACKSTOP).ok(),
        steps: hook_runs::let_go(world, None, &[]),
        ..Plan::default()
    };
    let leaving: Vec<ObjectKey> = hook_runs::running(world).cloned().collect();
    let mut waves: BTreeMap<Slot, Wave> = BTreeMap::new();
    let hooks = terms.desired().hooks.values();
    for hook in hooks.filter(|hook| hook.id.phase == stage.phase) {
        let wave = waves.entry(hook.slot()).or_default();
        add(world, &terms, hook, wave);
    }
    let mut current = None;
    for (slot, wave) in waves {
        let place = |step: &Step| planned(slot, step);
        if current.is_some() || !leaving.is_empty() {
            let steps = wave.due.iter().chain(&wave.held);
            plan.later.extend(steps.map(place));
            continue;
        }
        if wave.is_done() {
            continue;
        }
        plan.steps.extend(wave.due.iter().map(place));
        plan.steps.extend(wave.waits().iter().map(place));
        plan.later.extend(wave.held.iter().map(place));
        current = Some(wave.failed);
    }
    if !leaving.is_empty() {
        let gone = Step::WaitGone(leaving);
        plan.steps.push(hook_runs::ordinary(gone));
        return plan;
    }
    let Some(failed) = current else {
        plan.finalizers = Finalizers::off(&world.application, &[stage.runs]);
        plan.wake_at = None;
        return plan;
    };
    let failed = named(&failed).map(|failed| {
        let what = format!(
            "one or more {} hooks have not succeeded",
            stage.phase.name()
        );
        let why = format!("{failed}; one that failed runs again once what it made is deleted");
        error(&what, &why, stage)
    });
    plan.conditions.extend(failed);
    plan
}

impl Wave {
    fn is_done(&self) -> bool {
        self.due.is_empty()
            && self.held.is_empty()
            && self.running.is_empty()
            && self.gone.is_empty()
            && self.failed.is_empty()
    }

    fn waits(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.gone.is_empty() {
            steps.push(Step::WaitGone(self.gone.clone()));
        }
        if !self.running.is_empty() {
            steps.push(Step::WaitHooks(self.running.clone()));
        }
        steps
    }
}

fn add(world: &World, terms: &Terms<'_>, hook: &Hook, wave: &mut Wave) {
    let occasion = Occasion {
        began: world.application.deletion_timestamp.unwrap_or(world.now),
        retries: 0,
        revisions: &terms.source.revisions,
    };
    let run = HookRun::of(world, occasion, hook);
    let live = world.live.get(&run.key);
    let mut fails = |why: &str| wave.failed.push(format!("{run}: {why}"));
    if let Some(why) = refusal(world, terms, &hook.wanted) {
        return fails(&why);
    }
    match standing(world, hook, &run, None) {
        Some(Standing::Over(..) | Standing::Begun(HookPhase::Succeeded, _)) => {}
        Some(Standing::Begun(HookPhase::Running, _)) => wave.running.push(run),
        Some(Standing::Begun(_, why)) => match live.filter(|live| is_deleted(&run, live)) {
            Some(live) => {
                wave.due.push(release(&run.key, live));
                wave.gone.push(run.key.clone());
                wave.held.push(Step::RunHook(run));
            }
            None => fails(&why),
        },
        Some(Standing::Behind { uid }) => {
            let key = run.key.clone();
            wave.due.push(Step::DeleteHook { key, uid });
            wave.held.push(Step::RunHook(run));
        }
        Some(Standing::BehindDeleted) => {
            wave.gone.push(run.key.clone());
            wave.held.push(Step::RunHook(run));
        }
        Some(Standing::After(_) | Standing::Unseen) => wave.held.push(Step::RunHook(run)),
        Some(Standing::Due) | None => match unserved(world, hook) {
            Some((_, why)) => fails(&why),
            None => wave.due.push(Step::RunHook(run)),
        },
    }
}

/// Somebody deletes what the run made.
fn is_deleted(run: &HookRun, live: &Live) -> bool {
    live.deleting && hook_runs::run_of(live) == Some(&run.run)
}

/// Lets go of what the hooks made; what says so is deleted.
fn clean(world: &World, stage: &Stage) -> Plan {
    let deletes = |live: &Live| match role(&live.metadata) {
        Ok(Role::Hook(policy)) => policy.deletions.contains(&HookDeletion::HookSucceeded),
        _ => false,
    };
    let step = |(key, live): (&ObjectKey, &Live)| match live.deleting {
        false if deletes(live) => Some(Step::DeleteHook {
            key: key.clone(),
            uid: live.uid.clone(),
        }),
        _ => live.hook_finalizer.then(|| release(key, live)),
    };
    let made = made(world).filter(|(_, live)| phase_of(live) == Some(stage.phase));
    let steps: Vec<PlannedStep> = made.filter_map(step).map(hook_runs::ordinary).collect();
    Plan {
        steps,
        finalizers: Finalizers::off(&world.application, &[stage.cleans]),
        ..Plan::default()
    }
}

/// Where nobody knows which hooks there are, the deletion waits.
fn unknown(why: &str, stage: &Stage) -> Condition {
    let what = format!("which {} hooks to run is not known", stage.phase.name());
    error(&what, why, stage)
}

fn error(what: &str, why: &str, stage: &Stage) -> Condition {
    let [runs, cleans] = [stage.runs, stage.cleans].map(|finalizer| finalizer.names()[0]);
    let message = format!(
        "{what}: {why}; to go on without {} hooks, take the finalizers {runs} and {cleans} off the Application",
        stage.phase.name()
    );
    Condition::new(ConditionKind::DeletionError, message)
}
