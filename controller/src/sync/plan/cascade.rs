//! Deleting an Application with its objects: highest wave first, one wave at a time, each waited for.
//! What can't be proven to be ours is left alone, and while something is not known nothing is forgotten.

use std::collections::BTreeMap;

use crate::dialect::{Cascade, Consent, Finalizer, Phase, guards};
use crate::sync::key::ObjectKey;
use crate::sync::kinds::Lookup;
use crate::sync::plan::comparison::named;
use crate::sync::plan::consent;
use crate::sync::plan::deletion_hooks::{self, POST, PRE};
use crate::sync::plan::gates;
use crate::sync::plan::holders::{holds, is_holder, needed_by_others, sink};
use crate::sync::plan::hook_runs;
use crate::sync::plan::inventory::{self, is_ours, options};
use crate::sync::plan::prune;
use crate::sync::plan::recorded;
use crate::sync::plan::{Condition, ConditionKind, Finalizers, Plan, PlannedStep, Slot, Step};
use crate::sync::world::{Live, World};

/// The plan of an Application that is being deleted: hooks before its objects go, the objects, hooks once they are gone.
pub(in crate::sync) fn plan(world: &World) -> Plan {
    let Some(propagation) = world.application.marks.cascade else {
        return let_go(world);
    };
    if destination_is_refused(world) {
        return let_go(world);
    }
    stages(world, propagation).unwrap_or_else(error)
}

fn error(problem: String) -> Plan {
    Plan {
        conditions: vec![Condition::new(ConditionKind::DeletionError, problem)],
        ..Plan::default()
    }
}

fn stages(world: &World, propagation: Cascade) -> Result<Plan, String> {
    if let Some(unseen) = unseen(world) {
        return Err(unseen);
    }
    if let Some(plan) = deletion_hooks::plan(world, &PRE) {
        return Ok(plan);
    }
    let Deletable { waves, left } = deletable(world)?;
    let mut plan = objects(world, propagation, waves)
        .or_else(|| deletion_hooks::plan(world, &POST))
        .unwrap_or_else(|| let_go(world));
    plan.conditions.extend(left_to_others(&left));
    Ok(plan)
}

/// What stays for another Application's sake is told as long as there is somebody to tell it of.
fn left_to_others(left: &[String]) -> Option<Condition> {
    let message = format!("not deleted with the Application: {}", named(left)?);
    let kind = ConditionKind::OrphanedResourceWarning;
    Some(Condition::new(kind, message))
}

/// The objects, if there are any, are in a cluster that we don't know: they stay, as with Argo CD.
fn destination_is_refused(world: &World) -> bool {
    let refusals = world.intent.as_ref().err();
    refusals
        .into_iter()
        .flatten()
        .any(|refusal| refusal.field.starts_with("spec.destination"))
}

/// Nothing is deleted any more: what hooks made is let go, and then the Application.
fn let_go(world: &World) -> Plan {
    let finalizers = Finalizers::off(&world.application, &Finalizer::ALL);
    if finalizers.is_empty() {
        return Plan {
            hands_off: Some("it is being deleted, and its objects stay".into()),
            ..Plan::default()
        };
    }
    match unseen(world) {
        Some(unseen) => error(unseen),
        None => Plan {
            steps: hook_runs::release_all(world, None),
            finalizers,
            ..Plan::default()
        },
    }
}

fn unseen(world: &World) -> Option<String> {
    let kind = hook_runs::unseen(world)?;
    Some(format!(
        "objects of the kind {kind}, which hooks make, can't be listed"
    ))
}

/// Deletes the highest wave; `None` when all is gone.
fn objects(world: &World, propagation: Cascade, mut waves: Waves) -> Option<Plan> {
    let awaited = consent::awaited_with_application(world, waves.values().flatten());
    let mut plan = Plan {
        steps: hook_runs::release_all(world, Some(Phase::PostDelete)),
        ..Plan::default()
    };
    let Some((wave, keys)) = waves.pop_last() else {
        return (!plan.steps.is_empty()).then_some(plan);
    };
    let planned = |step: Step| PlannedStep {
        slot: Slot::sync(wave),
        step,
    };
    let deletions = prune::deletions(world, keys.iter().collect(), propagation, &awaited);
    plan.steps.extend(deletions.due.into_iter().map(planned));
    if !deletions.gone.is_empty() {
        plan.steps.push(planned(Step::WaitGone(
            deletions.gone.into_iter().collect(),
        )));
    }
    let asked: Vec<String> = deletions.awaited.iter().map(ToString::to_string).collect();
    if let Some(asked) = named(&asked) {
        let message = format!("waiting for deletion confirmation of {asked}");
        plan.conditions
            .push(Condition::new(ConditionKind::DeletionBlocked, message));
        plan.steps.push(planned(Step::WaitApproval(
            deletions.awaited.into_iter().collect(),
        )));
    }
    plan.later.extend(deletions.held.into_iter().map(planned));
    for (wave, keys) in waves.iter().rev() {
        let deletions = prune::deletions(world, keys.iter().collect(), propagation, &awaited);
        let steps = deletions.due.into_iter().chain(deletions.held);
        plan.later.extend(steps.map(|step| PlannedStep {
            slot: Slot::sync(*wave),
            step,
        }));
    }
    Some(plan)
}

type Waves = BTreeMap<i32, Vec<ObjectKey>>;

/// What goes with the Application.
struct Deletable {
    waves: Waves,
    /// Namespaces and definitions that stay for another Application's sake, each with the reason.
    left: Vec<String>,
}

/// Objects of the inventory, and those that hooks have made, as far as they go with the Application; or why that can't be said now.
fn deletable(world: &World) -> Result<Deletable, String> {
    project(world)?;
    let mut going: BTreeMap<ObjectKey, i32> = BTreeMap::new();
    let mut staying = Vec::new();
    let mut unknown = Vec::new();
    let inventory = recorded::inventory(&world.application.status).into_keys();
    let made_by_hooks = hook_runs::made(world)
        .filter(|(_, live)| hook_runs::phase_of(live) != Some(Phase::PostDelete))
        .map(|(key, _)| key.clone());
    for key in inventory.chain(made_by_hooks) {
        unknown.extend(doubt(world, &key));
        match world.live.get(&key) {
            Some(live) if goes(world, &key, live) => {
                going.insert(key, inventory::wave(live, options(world).defaults));
            }
            Some(_) => staying.push(key),
            None => {}
        }
    }
    if let Some(doubts) = named(&unknown) {
        return Err(doubts);
    }
    let held = |holder: &ObjectKey| staying.iter().any(|key| holds(&world.kinds, holder, key));
    going.retain(|key, _| !is_holder(key) || !held(key));
    let mut left = Vec::new();
    going.retain(|key, _| {
        let why = is_holder(key)
            .then(|| needed_by_others(world, key))
            .flatten();
        left.extend(why.iter().map(|why| format!("{key}: {why}")));
        why.is_none()
    });
    sink(&mut going);
    let mut waves = Waves::new();
    for (key, wave) in going {
        waves.entry(wave).or_default().push(key);
    }
    Ok(Deletable { waves, left })
}

/// It is ours, nothing says to keep it, and the project permits to delete it.
fn goes(world: &World, key: &ObjectKey, live: &Live) -> bool {
    is_ours(world, key, live)
        && guards(&live.metadata, options(world).defaults).delete != Some(Consent::No)
        && gates::permits_still(world, key, live)
}

/// Project rules hold for deleting too; without a project nothing is permitted.
fn project(world: &World) -> Result<(), String> {
    let Err(denied) = &world.project else {
        return Ok(());
    };
    let texts: Vec<String> = denied.iter().map(ToString::to_string).collect();
    Err(named(&texts).unwrap_or_default())
}

/// An object that may be there although it is not seen. Of a kind that the cluster does not serve there is none.
fn doubt(world: &World, key: &ObjectKey) -> Option<String> {
    let kind = key.group_kind();
    match world.kinds.lookup_any_version(&kind) {
        Lookup::Unavailable => Some(format!(
            "{key}: the API group {:?} does not answer",
            kind.group
        )),
        Lookup::Known(_) if world.unlisted.contains(&kind) && !world.live.contains_key(key) => {
            Some(format!("{key}: objects of the kind {kind} can't be listed"))
        }
        Lookup::Known(_) | Lookup::Unknown => None,
    }
}
