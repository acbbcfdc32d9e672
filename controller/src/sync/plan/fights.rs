//! Is somebody else taking the same field from us again and again? Then healing would only heat the cluster.
//! It looks at the last five minutes, and forgets what is older or, since the clock was set back, later than now.

use std::collections::BTreeMap;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::sync::key::ObjectKey;
use crate::sync::world::{Take, World};

/// So many takes of one field are a fight.
const TAKES: usize = 3;
/// Takes older than this are forgotten, and healing is tried again.
const MEMORY: SignedDuration = SignedDuration::from_mins(5);

/// A fight over one field.
pub(in crate::sync) struct Fight<'a> {
    pub(in crate::sync) manager: &'a str,
    pub(in crate::sync) field: &'a str,
    /// When the oldest take that makes it a fight is forgotten.
    pub(in crate::sync) until: Timestamp,
}

/// The fight over a live object, if there is one.
pub(in crate::sync) fn fight<'a>(world: &'a World, key: &ObjectKey) -> Option<Fight<'a>> {
    let takes = &world.live.get(key)?.takes;
    let mut by_field: BTreeMap<&str, Vec<&Take>> = BTreeMap::new();
    for take in takes
        .iter()
        .filter(|take| (SignedDuration::ZERO..MEMORY).contains(&world.now.duration_since(take.at)))
    {
        by_field.entry(&take.field).or_default().push(take);
    }
    let (field, takes) = by_field
        .into_iter()
        .find(|(_, takes)| takes.len() >= TAKES)?;
    let oldest = takes.get(takes.len() - TAKES)?;
    Some(Fight {
        manager: &takes.last()?.manager,
        field,
        until: oldest.at.saturating_add(MEMORY).unwrap_or(world.now),
    })
}
