//! In which order objects are deleted: the waves mirrored, kinds in reverse order, definitions and Namespaces last.
//! Whether an object may be deleted was decided before.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{Cascade, Phase, guards};
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::holders::{is_holder, sink};
use crate::sync::plan::order::rank;
use crate::sync::plan::{Comparison, Slot, Step};
use crate::sync::world::World;

/// Deletions of one wave.
#[derive(Debug, Default)]
pub(in crate::sync) struct Deletions {
    pub(in crate::sync) due: Vec<Step>,
    pub(in crate::sync) held: Vec<Step>,
    pub(in crate::sync) gone: BTreeSet<ObjectKey>,
    /// Somebody has to approve these.
    pub(in crate::sync) awaited: BTreeSet<ObjectKey>,
}

/// When objects are deleted: the waves mirrored, and after everything else what says so and what waits for somebody, so that it
/// holds up nothing else.
pub(in crate::sync) fn slots<'a>(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    awaited: &BTreeSet<ObjectKey>,
    keys: impl Iterator<Item = &'a ObjectKey>,
) -> BTreeMap<Slot, Vec<&'a ObjectKey>> {
    let says_last = |key: &&ObjectKey| {
        let live = world.live.get(*key);
        awaited.contains(*key)
            || live.is_some_and(|live| guards(&live.metadata, terms.options.defaults).prune_last)
    };
    let (mut last, mut others): (Vec<_>, Vec<_>) = keys.partition(says_last);
    if !last.is_empty() {
        // What takes others along goes no earlier than any of them.
        last.extend(others.extract_if(.., |key| is_holder(key)));
    }
    let waves = others
        .into_iter()
        .map(|key| (key, comparison.slot(key).wave));
    let mut slots: BTreeMap<Slot, Vec<&ObjectKey>> = mirrored(waves.collect())
        .into_iter()
        .map(|(wave, keys)| (Slot::sync(wave), keys))
        .collect();
    if !last.is_empty() {
        let wanted = terms.desired().objects.keys();
        let wanted = wanted.map(|key| comparison.slot(key));
        let before = wanted.chain(slots.keys().copied());
        let before = before.filter(|slot| slot.phase == Phase::Sync).max();
        let wave = before.map_or(0, |slot| slot.wave.saturating_add(1));
        slots.entry(Slot::sync(wave)).or_default().extend(last);
    }
    slots
}

/// Mirrors the waves among themselves: what was applied last is deleted first.
fn mirrored(mut waves: BTreeMap<&ObjectKey, i32>) -> BTreeMap<i32, Vec<&ObjectKey>> {
    sink(&mut waves);
    let distinct: BTreeSet<i32> = waves.values().copied().collect();
    let mirror: BTreeMap<i32, i32> = distinct
        .iter()
        .copied()
        .zip(distinct.iter().rev().copied())
        .collect();
    let mut deletions: BTreeMap<i32, Vec<&ObjectKey>> = BTreeMap::new();
    for (key, wave) in waves {
        deletions.entry(mirror[&wave]).or_default().push(key);
    }
    deletions
}

/// The deletions of one wave. A definition or Namespace waits until everything else of the wave is gone,
/// so that each deletion is seen before its kind or place vanishes.
pub(in crate::sync) fn deletions(
    world: &World,
    mut keys: Vec<&ObjectKey>,
    propagation: Cascade,
    awaited: &BTreeSet<ObjectKey>,
) -> Deletions {
    keys.sort_by_key(|key| (is_holder(key), std::cmp::Reverse(rank(key)), (*key).clone()));
    let mut deletions = Deletions::default();
    let others_left = keys.iter().any(|key| !is_holder(key));
    for key in keys {
        let Some(live) = world.live.get(key) else {
            continue;
        };
        let delete = Step::Delete {
            key: key.clone(),
            uid: live.uid.clone(),
            propagation,
        };
        match (live.deleting, is_holder(key) && others_left) {
            (true, _) => {
                deletions.gone.insert(key.clone());
            }
            _ if awaited.contains(key) => {
                deletions.awaited.insert(key.clone());
            }
            (false, true) => deletions.held.push(delete),
            (false, false) => deletions.due.push(delete),
        }
    }
    deletions
}
