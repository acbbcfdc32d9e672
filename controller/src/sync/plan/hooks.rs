//! How each hook stands, and what is due for those of an operation: to run, to be waited for, to be cleared away first.
//! It knows from the cluster and the operation's results alone, so that no restart runs a hook again.

use std::collections::BTreeMap;

use super::hook_runs::{self, is_made_by_hook, run_of};
use crate::dialect::{HookDeletion, Phase};
use crate::sync::desired::hooks::Hook;
use crate::sync::desired::secrets::{blocks, pending};
use crate::sync::key::ObjectKey;
use crate::sync::kinds::Lookup;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::conditions::of_unknown_kind;
use crate::sync::plan::waves::Wave;
use crate::sync::plan::{Comparison, HookPhase, HookRun, HookState, Operation, Slot, Step};
use crate::sync::world::{HealthStatus, Live, World};

/// How a hook stands on an occasion to run.
pub(in crate::sync) enum Standing {
    /// Its result is written down: it is never looked at again.
    Over(HookPhase, String),
    /// It runs, or its result is to be written down before anything else.
    Begun(HookPhase, String),
    /// What an earlier run made is in its way.
    Behind { uid: String },
    /// What an earlier run made is being deleted.
    BehindDeleted,
    /// It runs once these are ready.
    After(Vec<ObjectKey>),
    /// Objects of its kind can't be listed now, so nobody knows whether it was begun.
    Unseen,
    /// It is to run, beside nothing that an operation which is over left running.
    Due,
}

/// Puts what there is to do for the hooks of the operation into their slots: those of failure once it has failed,
/// else all others, but for those of success where it falls short.
pub(in crate::sync) fn plan(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
    waves: &mut BTreeMap<Slot, Wave>,
) {
    if !operation.runs_hooks {
        return;
    }
    let failed = operation.failed.is_some();
    let falls_short = operation.falls_short();
    let leaving: Vec<ObjectKey> = hook_runs::leaving(world, operation).cloned().collect();
    let hooks = terms.desired().hooks.values();
    let hooks = hooks.filter(|hook| !hook.id.phase.is_of_deletion());
    let hooks = hooks.filter(|hook| hook.id.phase != Phase::PostSync || !falls_short);
    for hook in hooks.filter(|hook| (hook.id.phase == Phase::SyncFail) == failed) {
        let run = HookRun::of(world, operation.occasion(), hook);
        let wave = waves.entry(hook.slot()).or_default();
        let recorded = hook_runs::recorded(world, operation, &run);
        let standing = standing(world, hook, &run, recorded.as_ref());
        match standing.unwrap_or_else(|| beginning(world, terms, comparison, hook)) {
            Standing::Over(HookPhase::Succeeded, _) => {}
            Standing::Over(_, why) => wave.failed.push(format!("{run}: {why}")),
            Standing::Begun(phase, message) => {
                let state = HookState {
                    run,
                    version: hook.wanted.version.clone(),
                    phase,
                    message,
                };
                wave.hooks.push(state.clone());
                operation.hooks.push(state);
            }
            Standing::Behind { uid } => {
                let key = run.key.clone();
                wave.due.push(Step::DeleteHook { key, uid });
                wave.held.push(Step::RunHook(run));
            }
            Standing::BehindDeleted => {
                wave.gone.insert(run.key.clone());
                wave.held.push(Step::RunHook(run));
            }
            Standing::After(ready) => {
                wave.held.push(Step::RunHook(run));
                wave.ready.extend(ready);
            }
            Standing::Unseen => wave.held.push(Step::RunHook(run)),
            Standing::Due if leaving.is_empty() => wave.due.push(Step::RunHook(run)),
            Standing::Due => {
                wave.gone.extend(leaving.iter().cloned());
                wave.held.push(Step::RunHook(run));
            }
        }
    }
}

/// How a hook stands by what is there, and by the result that is written down; `None` when nothing keeps it from beginning.
pub(in crate::sync) fn standing(
    world: &World,
    hook: &Hook,
    run: &HookRun,
    recorded: Option<&(HookPhase, String)>,
) -> Option<Standing> {
    if let Some((phase, message)) = recorded
        && *phase != HookPhase::Running
    {
        return Some(Standing::Over(*phase, message.clone()));
    }
    let unlisted = world.unlisted.contains(&run.key.group_kind());
    Some(match world.live.get(&run.key) {
        Some(live) if run_of(live) == Some(&run.run) => match judge(live) {
            (HookPhase::Running, _) if live.deleting => {
                Standing::Begun(HookPhase::Error, "deleted while it ran".into())
            }
            (phase, message) => Standing::Begun(phase, message),
        },
        None if unlisted => Standing::Unseen,
        None if recorded.is_some() => Standing::Begun(
            HookPhase::Error,
            "missing, it might have been deleted".into(),
        ),
        Some(live) if !is_made_by_hook(world, &run.key, live) => {
            let why = "an object of this name is there already, and it is not this Application's: delete it, or rename the hook";
            Standing::Begun(HookPhase::Error, why.into())
        }
        Some(live) if live.deleting => Standing::BehindDeleted,
        Some(live) if hook.deletions.contains(&HookDeletion::BeforeHookCreation) => {
            let uid = live.uid.clone();
            Standing::Behind { uid }
        }
        // It is applied over what is there, as Argo CD does.
        Some(_) | None => return None,
    })
}

/// How the object of a run stands, by its health; of a kind without health it is enough to be there.
fn judge(live: &Live) -> (HookPhase, String) {
    let Some(found) = &live.health else {
        return (HookPhase::Succeeded, String::new());
    };
    let phase = match found.status {
        HealthStatus::Healthy => HookPhase::Succeeded,
        HealthStatus::Degraded | HealthStatus::Unknown => HookPhase::Failed,
        HealthStatus::Progressing | HealthStatus::Suspended | HealthStatus::Missing => {
            HookPhase::Running
        }
    };
    (phase, found.message.clone())
}

/// Why the cluster takes no object of a hook's kind now.
pub(in crate::sync) fn unserved<'a>(world: &'a World, hook: &Hook) -> Option<(Lookup<'a>, String)> {
    let kind = hook.id.key.group_kind();
    let found = world.kinds.lookup(&kind, &hook.wanted.version);
    let why = match &found {
        Lookup::Known(_) => return None,
        Lookup::Unavailable => format!("the API group {:?} does not answer", kind.group),
        Lookup::Unknown => format!(
            "the cluster does not know the kind {kind}; {}",
            of_unknown_kind(&kind)
        ),
    };
    Some((found, why))
}

/// Whether a hook can run now, and what it stands on.
fn beginning(world: &World, terms: &Terms<'_>, comparison: &Comparison, hook: &Hook) -> Standing {
    let error = |why: String| Standing::Begun(HookPhase::Error, why);
    let kind = hook.id.key.group_kind();
    match (
        unserved(world, hook),
        terms.desired().definitions.get(&kind),
    ) {
        (None, _) => {}
        (Some((Lookup::Unknown, _)), Some(definition)) if hook.id.phase != Phase::SyncFail => {
            return Standing::After(vec![definition.key.clone()]);
        }
        (Some((_, why)), _) => return error(why),
    }
    // After a failure nothing more is unsealed: the hook takes what there is.
    if hook.id.phase == Phase::SyncFail {
        return Standing::Due;
    }
    if let Some(why) = blocks(world, comparison, hook.secrets.iter()) {
        return error(why);
    }
    let secrets = pending(world, comparison, hook.secrets.iter());
    match secrets.is_empty() {
        true => Standing::Due,
        false => Standing::After(secrets),
    }
}
