//! In which order objects are deleted: the waves mirrored, users before what they use, definitions and Namespaces last.
//! Whether an object may be deleted was decided before.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::Cascade;
use crate::sync::key::ObjectKey;
use crate::sync::plan::Step;
use crate::sync::plan::holders::{is_holder, sink};
use crate::sync::plan::order::rank;
use crate::sync::world::World;

/// Deletions of one wave.
#[derive(Debug, Default)]
pub(in crate::sync) struct Deletions {
    pub(in crate::sync) due: Vec<Step>,
    pub(in crate::sync) held: Vec<Step>,
    pub(in crate::sync) gone: BTreeSet<ObjectKey>,
}

/// Mirrors the waves among themselves: what was applied last is deleted first.
pub(in crate::sync) fn mirrored(
    mut waves: BTreeMap<&ObjectKey, i32>,
) -> BTreeMap<i32, Vec<&ObjectKey>> {
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
            (false, true) => deletions.held.push(delete),
            (false, false) => deletions.due.push(delete),
        }
    }
    deletions
}
