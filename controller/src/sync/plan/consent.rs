//! Deletions that somebody has to approve first: what says so itself, what holds data or other objects, and too much at once.
//! An approval counts for the operation in which it was asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{Consent, guards};
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::holders::is_holder;
use crate::sync::plan::inventory::options;
use crate::sync::plan::{Compared, Comparison, Difference, Operation, recorded};
use crate::sync::world::World;

/// Of an Application with fewer objects any share is soon a large one.
const MANY: usize = 10;

/// Finds the objects whose deletion has to be approved.
pub(super) fn mark(world: &World, terms: &Terms<'_>, objects: &mut BTreeMap<ObjectKey, Compared>) {
    let is_much = is_much(world, terms, objects);
    let asked: BTreeSet<ObjectKey> = match is_limited(terms) {
        true => recorded::asked(&world.application.status).collect(),
        false => BTreeSet::new(),
    };
    for (key, compared) in objects {
        let live = world.live.get(key).filter(|_| is_extra(compared));
        let Some(live) = live else { continue };
        compared.asks = match guards(&live.metadata, terms.options.defaults).prune {
            Some(consent) => consent == Consent::Ask,
            None => is_much || is_precious(key) || asked.contains(key),
        };
    }
}

/// What of these an operation does not delete until somebody approves it. One that only asks the API server needs no approval.
pub(super) fn awaited(
    world: &World,
    comparison: &Comparison,
    operation: &Operation,
) -> BTreeSet<ObjectKey> {
    let is_approved = is_later(world, operation) && !operation.starts();
    if operation.dry_run || is_approved {
        return BTreeSet::new();
    }
    let asks = comparison.objects.iter().filter(|(_, it)| it.asks);
    asks.map(|(key, _)| key.clone()).collect()
}

/// An approval lies after the beginning of an operation that begins only now: it was for another, and the clock was ahead. It has to
/// go, or the operation would take it for its own.
pub(in crate::sync) fn is_misdated(world: &World, operation: &Operation) -> bool {
    is_later(world, operation) && operation.starts()
}

fn is_later(world: &World, operation: &Operation) -> bool {
    let approved = world.application.marks.deletion_approved;
    approved.is_some_and(|approved| approved > operation.started_at)
}

/// What of these goes with the Application only once somebody approves it.
pub(super) fn awaited_with_application<'a>(
    world: &World,
    keys: impl Iterator<Item = &'a ObjectKey>,
) -> BTreeSet<ObjectKey> {
    let application = &world.application;
    if application.marks.deletion_approved > application.deletion_timestamp {
        return BTreeSet::new();
    }
    let defaults = options(world).defaults;
    let asks = |key: &&ObjectKey| {
        let live = world.live.get(*key);
        live.is_some_and(|live| guards(&live.metadata, defaults).delete == Some(Consent::Ask))
    };
    keys.filter(asks).cloned().collect()
}

fn is_extra(compared: &Compared) -> bool {
    compared.difference == Some(Difference::Extra)
}

/// It takes others along, or data that nobody brings back.
fn is_precious(key: &ObjectKey) -> bool {
    is_holder(key) || key.is("", "PersistentVolumeClaim")
}

/// More left the repository than may go unasked, of what was there before. Once the operation has made what is new the share is
/// smaller, so that what asked goes on asking.
fn is_much(world: &World, terms: &Terms<'_>, objects: &BTreeMap<ObjectKey, Compared>) -> bool {
    let inventory = recorded::inventory(&world.application.status);
    let all = inventory.keys().filter(|key| world.live.contains_key(*key));
    let all = all.count();
    let extra = objects.values().filter(|compared| is_extra(compared));
    let share = extra.count() * 100;
    all >= MANY && is_limited(terms) && share > all * usize::from(terms.intent.prune_limit)
}

/// Where nothing at all is left, that was said to be right.
fn is_limited(terms: &Terms<'_>) -> bool {
    terms.intent.prune_limit < 100 && !terms.desired().objects.is_empty()
}
