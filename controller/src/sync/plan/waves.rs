//! The waves of an operation behind each other: the first that is not finished is due, the rest waits for it.
//! What belongs to which wave was decided before.

use std::collections::{BTreeMap, BTreeSet};

use crate::sync::desired::secrets::{Sealed, sealed};
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::named;
use crate::sync::plan::order::is_sealed_secret;
use crate::sync::plan::steps::{Work, planned};
use crate::sync::plan::{
    Comparison, Ending, HookPhase, HookRun, HookState, Operation, PlannedStep, Slot, Step,
};
use crate::sync::world::{HealthStatus, World};

/// As Argo CD says it.
const FOR_APPROVAL: &str = "waiting for pruning confirmation of";

/// What there is to do in one slot.
#[derive(Debug, Default)]
pub(in crate::sync) struct Wave {
    /// Objects of the wave, in order, that are as wanted.
    pub(in crate::sync) done: Vec<ObjectKey>,
    /// What can be executed now.
    pub(in crate::sync) due: Vec<Step>,
    /// What has to wait for something inside the wave.
    pub(in crate::sync) held: Vec<Step>,
    /// What it waits for to become ready.
    pub(in crate::sync) ready: BTreeSet<ObjectKey>,
    /// What it waits for to be gone.
    pub(in crate::sync) gone: BTreeSet<ObjectKey>,
    /// Objects that it deletes once somebody approves that.
    pub(in crate::sync) awaited: BTreeSet<ObjectKey>,
    /// Hooks that have begun and whose results are not written down yet.
    pub(in crate::sync) hooks: Vec<HookState>,
    /// Hooks that have failed, and why.
    pub(in crate::sync) failed: Vec<String>,
}

impl Wave {
    /// Something of it is still to be done or waited for.
    fn is_pending(&self) -> bool {
        !self.due.is_empty()
            || !self.held.is_empty()
            || !self.ready.is_empty()
            || !self.gone.is_empty()
            || !self.awaited.is_empty()
            || !self.hooks.is_empty()
    }

    /// Its steps are not the whole of it.
    fn waits(&self) -> bool {
        let goes_on = |step: &Step| {
            let of_hook = matches!(step, Step::RunHook(_) | Step::DeleteHook { .. });
            of_hook || matches!(step, Step::Delete { .. })
        };
        self.due.iter().any(goes_on)
            || !self.held.is_empty()
            || !self.ready.is_empty()
            || !self.gone.is_empty()
            || !self.awaited.is_empty()
            || !self.hooks.is_empty()
    }
}

/// Puts the waves behind each other: the first that is not finished is due, the rest is later.
pub(in crate::sync) fn unroll(
    world: &World,
    comparison: &Comparison,
    waves: &BTreeMap<Slot, Wave>,
    operation: &mut Operation,
) -> Work {
    let multi_step = waves.len() > 1;
    let mut work = Work::default();
    let mut current = None;
    for (slot, wave) in waves {
        if current.is_some() {
            let approval = approval(wave);
            let steps = wave.due.iter().chain(&wave.held).chain(&approval);
            work.later.extend(steps.map(|step| planned(*slot, step)));
            continue;
        }
        if wave.is_pending() {
            current = Some(wave);
            work.now = wave.due.iter().map(|step| planned(*slot, step)).collect();
            work.now
                .extend(waits(wave).iter().map(|step| planned(*slot, step)));
            work.later = wave.held.iter().map(|step| planned(*slot, step)).collect();
            continue;
        }
        if let Some(failed) = named(&wave.failed) {
            operation.ending = Ending::Failed(format!("one or more hooks failed: {failed}"));
            return work;
        }
        let unhealthy = if multi_step {
            unhealthy(world, comparison, wave)
        } else {
            Unhealthy::default()
        };
        if let Some(broken) = named(&unhealthy.broken) {
            operation.ending = Ending::Failed(format!(
                "one or more objects did not become healthy: {broken}"
            ));
            return work;
        }
        if !unhealthy.waiting.is_empty() {
            current = Some(wave);
            work.now = vec![planned(*slot, &Step::WaitHealthy(unhealthy.waiting))];
        }
    }
    if let Some(wave) = current
        && (multi_step || wave.waits())
    {
        operation.ending = Ending::Open(waiting_for(wave, &work.now));
    }
    // A result that is known and not written down yet: the next pass goes on from what is written.
    let ended = |state: &HookState| state.phase != HookPhase::Running;
    if operation.hooks.iter().any(ended) {
        work.wake_at = Some(world.now);
    }
    work
}

/// Objects of a finished wave that the next wave, and the end of the operation, wait for.
fn unhealthy(world: &World, comparison: &Comparison, wave: &Wave) -> Unhealthy {
    let mut unhealthy = Unhealthy::default();
    for key in &wave.done {
        // A SealedSecret that stays closed holds up its users alone.
        let closed = is_sealed_secret(key)
            && matches!(sealed(world, comparison, key), Sealed::Unavailable(_));
        let Some(live) = world.live.get(key).filter(|_| !closed) else {
            continue;
        };
        let Some(health) = &live.health else { continue };
        match health.status {
            HealthStatus::Healthy => {}
            HealthStatus::Degraded => unhealthy.broken.push(format!("{key}: {}", health.message)),
            _ => unhealthy.waiting.push(key.clone()),
        }
    }
    unhealthy
}

#[derive(Default)]
struct Unhealthy {
    waiting: Vec<ObjectKey>,
    broken: Vec<String>,
}

fn waits(wave: &Wave) -> Vec<Step> {
    let mut steps = Vec::new();
    if !wave.gone.is_empty() {
        steps.push(Step::WaitGone(wave.gone.iter().cloned().collect()));
    }
    // What is made in this very pass needs no waiting line of its own.
    let made = |key: &&ObjectKey| {
        let is_made =
            |step: &Step| matches!(step, Step::Unseal(made) | Step::Await(made) if made == *key);
        !wave.due.iter().any(is_made)
    };
    let ready: Vec<ObjectKey> = wave.ready.iter().filter(made).cloned().collect();
    if !ready.is_empty() {
        steps.push(Step::WaitHealthy(ready));
    }
    let running = |state: &&HookState| state.phase == HookPhase::Running;
    let hooks: Vec<HookRun> = wave
        .hooks
        .iter()
        .filter(running)
        .map(|state| state.run.clone())
        .collect();
    if !hooks.is_empty() {
        steps.push(Step::WaitHooks(hooks));
    }
    steps.extend(approval(wave));
    steps
}

fn approval(wave: &Wave) -> Option<Step> {
    let awaited: Vec<ObjectKey> = wave.awaited.iter().cloned().collect();
    (!awaited.is_empty()).then_some(Step::WaitApproval(awaited))
}

fn waiting_for(wave: &Wave, steps: &[PlannedStep]) -> String {
    let mut gone: Vec<String> = wave.gone.iter().map(ToString::to_string).collect();
    let mut ready: Vec<String> = wave.ready.iter().map(ToString::to_string).collect();
    let mut applied = Vec::new();
    let mut hooks: Vec<String> = wave
        .hooks
        .iter()
        .map(|state| state.run.key.to_string())
        .collect();
    for step in steps {
        match &step.step {
            Step::RunHook(run) => hooks.push(run.key.to_string()),
            Step::Delete { key, .. } | Step::DeleteHook { key, .. } => gone.push(key.to_string()),
            Step::WaitHealthy(keys) if ready.is_empty() => {
                ready.extend(keys.iter().map(ToString::to_string))
            }
            step => applied.extend(step.written().map(ToString::to_string)),
        }
    }
    let healthy = if ready.is_empty() { applied } else { ready };
    let awaited: Vec<String> = wave.awaited.iter().map(ToString::to_string).collect();
    match (
        named(&gone),
        named(&hooks),
        named(&awaited),
        named(&healthy),
    ) {
        (Some(gone), ..) => format!("waiting for deletion of {gone}"),
        (None, Some(hooks), ..) => format!("waiting for completion of hook {hooks}"),
        (None, None, Some(awaited), _) => format!("{FOR_APPROVAL} {awaited}"),
        (None, None, None, Some(healthy)) => format!("waiting for healthy state of {healthy}"),
        (None, None, None, None) => "waiting for the next pass".into(),
    }
}
