//! How an object is written: in place, or by deleting it and making it anew, as `Force` asks.
//! What would take others or data along is never deleted for that.

use crate::dialect::{ApplyMode, ApplyPolicy, Cascade};
use crate::sync::desired::Wanted;
use crate::sync::key::ObjectKey;
use crate::sync::plan::holders::is_holder;
use crate::sync::plan::inventory::is_ours;
use crate::sync::plan::steps::verify_step;
use crate::sync::plan::{Difference, Operation, Step};
use crate::sync::world::World;

/// What comes before the write of an object that is there.
pub(in crate::sync) fn first(
    world: &World,
    operation: &Operation,
    wanted: &Wanted,
    difference: &Difference,
) -> Option<Step> {
    let key = &wanted.key;
    let ApplyPolicy { mode, force } = policy(operation, wanted);
    let live = world
        .live
        .get(key)
        .filter(|live| is_ours(world, key, live))?;
    if !force || !is_possible(key) {
        return None;
    }
    let delete = || Step::Delete {
        key: key.clone(),
        uid: live.uid.clone(),
        propagation: Cascade::Foreground,
    };
    match (difference, mode) {
        (Difference::Immutable(_), _) => Some(delete()),
        (Difference::Changed | Difference::Drift(_), ApplyMode::Replace) => Some(delete()),
        // Whether it can be changed in place, a dry-run knows.
        (Difference::Changed, _) => Some(verify_step(key, true)),
        _ => None,
    }
}

/// What would be lost with it can't be made anew.
fn is_possible(key: &ObjectKey) -> bool {
    !is_holder(key) && !key.is("", "PersistentVolumeClaim")
}

/// What to do about an object that can't be changed in place; `None` where a sync does it.
pub(in crate::sync) fn remedy(wanted: &Wanted) -> Option<&'static str> {
    match (is_possible(&wanted.key), wanted.apply_policy().force) {
        (true, true) => None,
        (true, false) => Some("; its sync option Force=true deletes it and makes it anew"),
        (false, _) => Some("; delete it by hand if nothing of it is needed any more"),
    }
}

/// The step that writes an object; `stays` when it is one that is there.
pub(in crate::sync) fn write(operation: &Operation, wanted: &Wanted, stays: bool) -> Step {
    let key = wanted.key.clone();
    match policy(operation, wanted).mode {
        ApplyMode::Replace if stays => Step::Replace(key),
        ApplyMode::Merge => Step::Merge(key),
        ApplyMode::Apply | ApplyMode::Replace | ApplyMode::IfNotPresent => Step::Apply(key),
    }
}

fn policy(operation: &Operation, wanted: &Wanted) -> ApplyPolicy {
    wanted.apply_policy().with(operation.apply)
}
