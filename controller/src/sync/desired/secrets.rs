//! How a wanted SealedSecret stands, and what that means for the objects that use its Secret.
//! It opens nothing: whether a SealedSecret opens was observed, and its Secret is the unsealing engine's business.

use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::{Comparison, Difference};
use crate::sync::world::{Health, HealthStatus, Unsealer, World};

/// How a wanted SealedSecret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sync) enum Sealed {
    /// Its Secret is made from what is wanted.
    Ready,
    /// Its Secret is to be made, or made anew.
    Pending,
    /// Its Secret can't be made; one that was made before stays as it is.
    Unavailable(String),
}

/// How this SealedSecret stands.
pub(in crate::sync) fn sealed(world: &World, comparison: &Comparison, key: &ObjectKey) -> Sealed {
    let difference = comparison.difference(key);
    let health = world.live.get(key).and_then(|live| live.health.as_ref());
    let opening = world.opening.get(key);
    let opens = matches!(opening, Some(Ok(())));
    match (difference, opening) {
        (None, _) => settled(health, opens && world.unsealer == Unsealer::Ours),
        (
            Some(Difference::Shared(_) | Difference::UnknownKind | Difference::KindUnavailable),
            _,
        ) => settled(health, false),
        (Some(_), Some(Err(why))) => Sealed::Unavailable(why.clone()),
        (Some(_), _) => Sealed::Pending,
    }
}

/// A SealedSecret that is in the cluster as wanted. `again` = it opens now, so what failed before is worth another try.
fn settled(health: Option<&Health>, again: bool) -> Sealed {
    match health {
        Some(health) if health.status == HealthStatus::Healthy => Sealed::Ready,
        Some(health) if health.status == HealthStatus::Degraded && !again => {
            Sealed::Unavailable(health.message.clone())
        }
        _ => Sealed::Pending,
    }
}

/// Why an object that does not exist yet can't be made: it uses a Secret that can't be had.
pub(in crate::sync) fn blocked_by(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    key: &ObjectKey,
) -> Option<String> {
    blocks(world, comparison, used(terms, key))
}

/// Why the Secrets of these SealedSecrets can't be had.
pub(in crate::sync) fn blocks<'a>(
    world: &World,
    comparison: &Comparison,
    mut secrets: impl Iterator<Item = &'a ObjectKey>,
) -> Option<String> {
    secrets.find_map(|secret| match sealed(world, comparison, secret) {
        Sealed::Unavailable(why) => Some(format!(
            "it uses the Secret of {secret}, which can't be had: {why}"
        )),
        Sealed::Ready | Sealed::Pending => None,
    })
}

/// SealedSecrets whose Secrets have to be made before this object is applied in a later pass. An existing object waits for those
/// that change in this sync: only then is it known whether its Pods have to be started anew, and both are one write.
pub(in crate::sync) fn waits_for(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    key: &ObjectKey,
) -> Vec<ObjectKey> {
    let mut waits = pending(world, comparison, used(terms, key));
    if world.unsealer == Unsealer::Ours && world.live.contains_key(key) {
        waits.retain(|secret| comparison.difference(secret).is_some());
    }
    waits
}

/// Of these SealedSecrets those whose Secrets have still to be made.
pub(in crate::sync) fn pending<'a>(
    world: &World,
    comparison: &Comparison,
    secrets: impl Iterator<Item = &'a ObjectKey>,
) -> Vec<ObjectKey> {
    let pending = |secret: &&ObjectKey| sealed(world, comparison, secret) == Sealed::Pending;
    secrets.filter(pending).cloned().collect()
}

fn used<'a>(terms: &Terms<'a>, key: &ObjectKey) -> impl Iterator<Item = &'a ObjectKey> {
    terms.source.desired.uses.get(key).into_iter().flatten()
}
