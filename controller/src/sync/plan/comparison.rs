//! Wanted against live, object by object, and what that makes of the Application as a whole.
//! It decides no step: it says how things stand and why.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::access::Project;
use crate::dialect::{ApplyMode, Intent, SyncOptions, guards, ignores_health, parse_tracking};
use crate::sync::aggregate::{Member, aggregate, counts};
use crate::sync::desired::{Desired, Wanted};
use crate::sync::key::ObjectKey;
use crate::sync::kinds::Lookup;
use crate::sync::plan::consent;
use crate::sync::plan::holders::{holds, is_holder, needed_by_others};
use crate::sync::plan::inventory::{self, Leftover};
use crate::sync::plan::namespace;
use crate::sync::plan::recorded;
use crate::sync::plan::{Compared, Comparison, Condition, Difference, Slot, SyncStatus};
use crate::sync::world::{Health, HealthStatus, Live, LiveState, Source, World};
use crate::sync::{plan::conditions, plan::gates};

/// So many objects are named in a condition; the rest is counted.
const NAMED: usize = 5;

/// What comparing needs besides the World: the parts of it that turned out fine.
#[derive(Clone, Copy)]
pub(in crate::sync) struct Terms<'a> {
    pub(in crate::sync) intent: &'a Intent,
    pub(in crate::sync) project: &'a Project,
    pub(in crate::sync) source: &'a Source,
    /// What the sync options of the Application and of its request ask for.
    pub(in crate::sync) options: SyncOptions,
}

impl Terms<'_> {
    pub(in crate::sync) fn desired(&self) -> &Desired {
        &self.source.desired
    }
}

/// Compares everything, and says which conditions come of it.
pub(in crate::sync) fn compare(world: &World, terms: &Terms<'_>) -> (Comparison, Vec<Condition>) {
    let known = last_known(world, terms);
    let mut objects: BTreeMap<ObjectKey, Compared> = BTreeMap::new();
    for (key, wanted) in &terms.desired().objects {
        objects.insert(key.clone(), compare_wanted(world, terms, &known, wanted));
    }
    let doubts = inventory::Doubts::of(terms, &objects);
    for (key, version) in recorded::inventory(&world.application.status) {
        if terms.desired().objects.contains_key(&key) {
            continue;
        }
        if let Some(compared) = compare_leftover(world, terms, &doubts, &key, version) {
            objects.insert(key, compared);
        }
    }
    keep_holders(world, &mut objects);
    consent::mark(world, terms, &mut objects);
    let conditions = conditions::conditions(world, terms, &objects);
    let namespace = namespace::difference(world, terms);
    let comparison = Comparison {
        status: namespace::lowers(namespace.as_ref(), overall(objects.values())),
        namespace,
        revisions: terms.source.revisions.clone(),
        objects,
    };
    (comparison, conditions)
}

/// A Namespace that left Git stays while anything in it stays, and so does a definition while its kind is in use; whether it is ours or
/// another Application's.
fn keep_holders(world: &World, objects: &mut BTreeMap<ObjectKey, Compared>) {
    let goes = |compared: &Compared| compared.difference == Some(Difference::Extra);
    let holders = objects
        .iter()
        .filter(|(key, compared)| is_holder(key) && goes(compared));
    let kept: Vec<(ObjectKey, String)> = holders
        .filter_map(|(holder, _)| {
            let stays = |(key, compared): &(&ObjectKey, &Compared)| {
                !goes(compared) && holds(&world.kinds, holder, key)
            };
            let own = objects.iter().find(stays);
            let why = own.map(|(key, _)| format!("{key} would go with it"));
            let why = why.or_else(|| needed_by_others(world, holder))?;
            Some((holder.clone(), why))
        })
        .collect();
    for (holder, why) in kept {
        if let Some(compared) = objects.get_mut(&holder) {
            compared.difference = Some(Difference::Kept(why));
            compared.requires_pruning = false;
        }
    }
}

fn compare_wanted(
    world: &World,
    terms: &Terms<'_>,
    known: &LastKnown,
    wanted: &Wanted,
) -> Compared {
    let live = world.live.get(&wanted.key);
    let difference = refusal(world, terms, wanted)
        .map(Difference::Refused)
        .or_else(|| kind_problem(world, terms.desired(), wanted))
        .or_else(|| difference(world, terms, wanted, live));
    Compared {
        version: wanted.version.clone(),
        status: match difference {
            Some(Difference::Unverified | Difference::Unlisted) => {
                known.get(&wanted.key).copied().unwrap_or_default()
            }
            ref difference => status(difference.as_ref()),
        },
        difference,
        slot: wanted.slot,
        health: live.and_then(|live| live.health.clone()),
        requires_pruning: false,
        asks: false,
        ignored: false,
    }
}

/// Why a wanted object is not accepted: something in it, or its project.
pub(in crate::sync) fn refusal(
    world: &World,
    terms: &Terms<'_>,
    wanted: &Wanted,
) -> Option<String> {
    if let Err(refusals) = &wanted.policy {
        let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        return Some(texts.join(", "));
    }
    gates::permits_wanted(world, terms, wanted).err()
}

fn kind_problem(world: &World, desired: &Desired, wanted: &Wanted) -> Option<Difference> {
    let kind = wanted.key.group_kind();
    match world.kinds.lookup(&kind, &wanted.version) {
        Lookup::Known(_) => None,
        Lookup::Unavailable => Some(Difference::KindUnavailable),
        Lookup::Unknown => {
            let definition = desired.definitions.get(&kind);
            match definition.is_some_and(|definition| definition.versions.contains(&wanted.version))
            {
                true => Some(Difference::AwaitsKind),
                false => Some(Difference::UnknownKind),
            }
        }
    }
}

fn difference(
    world: &World,
    terms: &Terms<'_>,
    wanted: &Wanted,
    live: Option<&Live>,
) -> Option<Difference> {
    let Some(live) = live else {
        return Some(if removed_itself(world, terms, wanted) {
            Difference::Finished
        } else if world.unlisted.contains(&wanted.key.group_kind()) {
            Difference::Unlisted
        } else {
            Difference::Missing
        });
    };
    if let Some(owner) = other_owner(world, &wanted.key, live) {
        return Some(Difference::Shared(owner));
    }
    if live.deleting {
        return Some(Difference::Deleting);
    }
    if wanted.apply_policy().mode == ApplyMode::IfNotPresent {
        return None;
    }
    match &live.state {
        LiveState::Matches(hash) if *hash == wanted.hash => None,
        LiveState::Differs {
            wanted: hash,
            fields,
        } if *hash == wanted.hash => Some(Difference::Drift(fields.clone())),
        LiveState::Immutable {
            wanted: hash,
            message,
        } if *hash == wanted.hash => Some(Difference::Immutable(message.clone())),
        LiveState::Forbidden {
            wanted: hash,
            message,
        } if *hash == wanted.hash => Some(Difference::Forbidden(message.clone())),
        LiveState::Unreadable {
            wanted: hash,
            message,
        } if *hash == wanted.hash => Some(Difference::Unreadable(message.clone())),
        LiveState::Forbidden { .. } | LiveState::Unreadable { .. } | LiveState::Unverified => {
            Some(Difference::Unverified)
        }
        LiveState::Matches(_) | LiveState::Differs { .. } | LiveState::Immutable { .. } => {
            // What changed may be a field that does not count, which only the live object tells.
            Some(match wanted.ignored.has_managers() {
                true => Difference::Unverified,
                false => Difference::Changed,
            })
        }
    }
}

/// A Job that asks to be removed when it is done, and that was applied at this very revision.
fn removed_itself(world: &World, terms: &Terms<'_>, wanted: &Wanted) -> bool {
    let ttl = wanted.object.pointer("/spec/ttlSecondsAfterFinished");
    wanted.key.is("batch", "Job")
        && ttl.is_some_and(Value::is_number)
        && recorded::has_applied(&world.application, &terms.source.revisions, &wanted.key)
}

/// The other existing Application whose tracking id a live object carries. A copied id speaks of another object.
fn other_owner(world: &World, key: &ObjectKey, live: &Live) -> Option<String> {
    let tracking = parse_tracking(live.tracking.as_deref()?)?;
    let others = tracking.application != world.application.tracking_name;
    let exists = world.applications.contains(&tracking.application);
    let names = tracking.names(key.group(), key.kind(), key.namespace(), key.name());
    (others && exists && names).then_some(tracking.application)
}

fn status(difference: Option<&Difference>) -> SyncStatus {
    match difference {
        None | Some(Difference::Finished) => SyncStatus::Synced,
        Some(
            Difference::Refused(_)
            | Difference::KindUnavailable
            | Difference::Forbidden(_)
            | Difference::Unreadable(_)
            | Difference::Unverified
            | Difference::Unlisted
            | Difference::OutOfReach,
        ) => SyncStatus::Unknown,
        Some(_) => SyncStatus::OutOfSync,
    }
}

type LastKnown = BTreeMap<ObjectKey, SyncStatus>;

/// After a restart an object's status is what it was at this revision, until it is compared again.
fn last_known(world: &World, terms: &Terms<'_>) -> LastKnown {
    let status = &world.application.status;
    if recorded::compared(status).as_ref() != Some(&terms.source.revisions) {
        return LastKnown::new();
    }
    let known = status.resources.iter().filter_map(|resource| {
        let status = match resource.status.as_str() {
            "Synced" => SyncStatus::Synced,
            "OutOfSync" => SyncStatus::OutOfSync,
            _ => return None,
        };
        Some((recorded::key_of(resource), status))
    });
    known.collect()
}

fn compare_leftover(
    world: &World,
    terms: &Terms<'_>,
    doubts: &inventory::Doubts,
    key: &ObjectKey,
    version: String,
) -> Option<Compared> {
    let live = world.live.get(key);
    let difference = match inventory::leftover(world, terms, doubts, key) {
        Leftover::Gone | Leftover::NotOurs | Leftover::Apart => return None,
        Leftover::Prunable => Difference::Extra,
        Leftover::Kept(guard) => Difference::Kept(guard),
        Leftover::InDoubt(doubt) => Difference::Doubt(doubt),
        Leftover::OutOfReach => Difference::OutOfReach,
    };
    let guards = live.map(|live| guards(&live.metadata, terms.options.defaults));
    Some(Compared {
        version,
        status: status(Some(&difference)),
        slot: Slot::sync(guards.map_or(0, |guards| guards.wave)),
        health: live.and_then(|live| live.health.clone()),
        requires_pruning: matches!(difference, Difference::Extra),
        asks: false,
        ignored: guards.is_some_and(|guards| guards.ignore_extraneous),
        difference: Some(difference),
    })
}

/// The one word for all objects. What is out of reach is told by a condition and does not count: it is not wanted any more;
/// nor does what says of itself that it does not.
pub(in crate::sync) fn overall<'a>(objects: impl Iterator<Item = &'a Compared>) -> SyncStatus {
    let mut overall = SyncStatus::Synced;
    let counts = |compared: &&Compared| {
        !compared.ignored && !matches!(compared.difference, Some(Difference::OutOfReach))
    };
    for compared in objects.filter(counts) {
        match compared.status {
            SyncStatus::Unknown => return SyncStatus::Unknown,
            SyncStatus::OutOfSync => overall = SyncStatus::OutOfSync,
            SyncStatus::Synced => {}
        }
    }
    overall
}

/// Whether an object counts as there: also where it removed itself once it was done.
pub(in crate::sync) fn is_present(world: &World, key: &ObjectKey, compared: &Compared) -> bool {
    world.live.contains_key(key) || compared.difference == Some(Difference::Finished)
}

/// Nobody can say whether it is there: then it says nothing of the Application.
pub(in crate::sync) fn is_unseen(compared: &Compared) -> bool {
    matches!(
        compared.difference,
        Some(Difference::Unlisted | Difference::KindUnavailable)
    )
}

/// The Application's light: the worst of what is wanted.
pub(in crate::sync) fn health(world: &World, terms: &Terms<'_>, comparison: &Comparison) -> Health {
    let members = comparison.objects.iter().map(|(key, compared)| Member {
        key,
        health: compared.health.as_ref(),
        present: is_present(world, key, compared),
        counts: counts(world, terms.desired(), key) && !is_unseen(compared),
    });
    aggregate(&members.collect::<Vec<_>>())
}

/// The light while nothing can be compared: what the Application last owned still works or not.
pub(in crate::sync) fn health_of_inventory(world: &World) -> Health {
    let unknown = Health {
        status: HealthStatus::Unknown,
        message: String::new(),
    };
    let inventory = recorded::inventory(&world.application.status);
    if inventory.is_empty() {
        return unknown;
    }
    let members = inventory.keys().map(|key| Member {
        key,
        health: world.live.get(key).and_then(|live| live.health.as_ref()),
        present: world.live.contains_key(key),
        counts: world
            .live
            .get(key)
            .is_none_or(|live| !ignores_health(&live.metadata))
            && (world.live.contains_key(key) || can_be_seen(world, key)),
    });
    aggregate(&members.collect::<Vec<_>>())
}

/// Where it is not seen it is not there.
fn can_be_seen(world: &World, key: &ObjectKey) -> bool {
    let kind = key.group_kind();
    !world.unlisted.contains(&kind) && world.kinds.lookup_any_version(&kind) != Lookup::Unavailable
}

/// The first few of a list, and how many more there are; `None` when it is empty.
pub(in crate::sync) fn named(texts: &[String]) -> Option<String> {
    let more = texts.len().saturating_sub(NAMED);
    let first = texts
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match (texts.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(first),
        (false, more) => Some(format!("{first} and {more} more")),
    }
}
