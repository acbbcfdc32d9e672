//! What is in the inventory and no longer wanted: may it be deleted, and if not, why not.
//! The inventory says what may be pruned, the tracking id on the live object proves that it is still ours,
//! and every doubt keeps the object.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{
    Consent, ObjectDefaults, SyncOptions, guards, parse_tracking, requested_options,
};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::kinds::Lookup;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::gates;
use crate::sync::plan::holders::is_holder;
use crate::sync::plan::{Compared, Difference};
use crate::sync::plan::{operation, recorded};
use crate::sync::world::{Live, World};

/// What sync options ask for: those of the Application, and of the request that is pending or runs.
pub(in crate::sync) fn options(world: &World) -> SyncOptions {
    let intent = world.intent.as_ref();
    let own = intent.map(|intent| intent.options).unwrap_or_default();
    let running =
        recorded::operation(&world.application).filter(|state| operation::is_running(state));
    let pending = world.application.operation.as_ref();
    pending
        .or(running.map(|state| &state.operation))
        .map_or(own, |operation| own.with(requested_options(operation)))
}

/// What becomes of an entry that is no longer wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sync) enum Leftover {
    /// It is not in the cluster: the entry goes.
    Gone,
    /// The live object belongs to nobody or to somebody else by now: the entry goes, the object stays.
    NotOurs,
    /// Git speaks of it, as of a hook or of what is left alone: the entry goes, the object stays.
    Apart,
    /// A prune may delete it.
    Prunable,
    /// A guard keeps it.
    Kept(String),
    /// Something is not known, so it is neither deleted nor forgotten.
    InDoubt(String),
    /// The cluster does not serve its kind any more, so there is nothing to delete and nothing to see either.
    OutOfReach,
}

/// What this pass does not know, as far as it forbids deletions.
#[derive(Clone, Debug, Default)]
pub(in crate::sync) struct Doubts {
    /// The source renders nothing, and nobody said that it may.
    empty: bool,
    /// Kinds of wanted objects that can't be compared.
    kinds: BTreeSet<GroupKind>,
}

impl Doubts {
    pub(in crate::sync) fn of(terms: &Terms<'_>, objects: &BTreeMap<ObjectKey, Compared>) -> Self {
        let allowed = terms
            .intent
            .automated
            .is_some_and(|automated| automated.allow_empty);
        let unknown = |compared: &Compared| {
            matches!(
                compared.difference,
                Some(
                    Difference::UnknownKind | Difference::KindUnavailable | Difference::AwaitsKind
                )
            )
        };
        Self {
            empty: terms.desired().objects.is_empty() && !allowed,
            kinds: objects
                .iter()
                .filter(|(_, c)| unknown(c))
                .map(|(key, _)| key.group_kind())
                .collect(),
        }
    }

    /// An unknown kind may be spelled wrong or not be installed yet: its own objects, and what would take such objects
    /// along, stay until it is known.
    fn about(&self, key: &ObjectKey) -> Option<String> {
        if self.empty {
            return Some("the source renders no objects, and automated.allowEmpty is off".into());
        }
        let kind = match is_holder(key) {
            true => self.kinds.first(),
            false => self.kinds.get(&key.group_kind()),
        };
        kind.map(|kind| format!("the cluster does not know the kind {kind}, which is wanted"))
    }
}

/// Judges one entry of the inventory that is no longer wanted.
pub(in crate::sync) fn leftover(
    world: &World,
    terms: &Terms<'_>,
    doubts: &Doubts,
    key: &ObjectKey,
) -> Leftover {
    if terms.desired().is_apart(key) {
        return Leftover::Apart;
    }
    let kind = key.group_kind();
    match world.kinds.lookup_any_version(&kind) {
        Lookup::Known(_) => {}
        Lookup::Unknown => return Leftover::OutOfReach,
        Lookup::Unavailable => {
            return Leftover::InDoubt(format!("the API group {:?} does not answer", key.group()));
        }
    }
    let Some(live) = world.live.get(key) else {
        return match world.unlisted.contains(&kind) {
            true => Leftover::InDoubt(format!("objects of the kind {kind} can't be listed")),
            false => Leftover::Gone,
        };
    };
    if !is_ours(world, key, live) {
        return Leftover::NotOurs;
    }
    if let Some(doubt) = doubts.about(key) {
        return Leftover::InDoubt(doubt);
    }
    match guard(world, terms, key, live) {
        Some(guard) => Leftover::Kept(guard),
        None => Leftover::Prunable,
    }
}

fn guard(world: &World, terms: &Terms<'_>, key: &ObjectKey, live: &Live) -> Option<String> {
    if guards(&live.metadata, terms.options.defaults).prune == Some(Consent::No) {
        return Some("ignored (no prune)".into());
    }
    gates::permits_live(world, terms.project, &terms.intent.destination, key, live).err()
}

/// The live object carries a tracking id that names this Application and this very object.
pub(in crate::sync) fn is_ours(world: &World, key: &ObjectKey, live: &Live) -> bool {
    let tracking = live.tracking.as_deref().and_then(parse_tracking);
    tracking.is_some_and(|tracking| {
        tracking.application == world.application.tracking_name
            && tracking.names(key.group(), key.kind(), key.namespace(), key.name())
    })
}

/// The wave that a live object was applied in.
pub(in crate::sync) fn wave(live: &Live, defaults: ObjectDefaults) -> i32 {
    guards(&live.metadata, defaults).wave
}
