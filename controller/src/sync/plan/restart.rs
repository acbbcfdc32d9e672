//! Workloads whose Pods were started with other Secrets than there are now: they are started anew, once for each change.
//! Whatever else is to become of a workload comes first: it is written together with that.

use std::collections::BTreeMap;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::gates::permits_still;
use crate::sync::plan::inventory::is_ours;
use crate::sync::plan::steps::{Work, planned};
use crate::sync::plan::{Comparison, Difference, Step};
use crate::sync::world::World;

/// One that fails is tried again after this time, though nothing tells of it.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Adds the restarts that are due to the work of a pass, or none where a sync window forbids them. Returns when to look again.
pub(super) fn add(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    work: &mut Work,
) -> Option<Timestamp> {
    let mut due: BTreeMap<&ObjectKey, &String> = world.restarts.iter().collect();
    due.retain(|key, digest| is_due(world, comparison, key, digest));
    let writes = work.now.iter().chain(&work.later);
    for written in writes.filter_map(|planned| planned.step.written()) {
        due.remove(written);
    }
    if due.is_empty() {
        return None;
    }
    let windows = terms
        .project
        .windows(&world.application.name, &terms.intent.destination);
    if let Some(blocked) = windows.block(false, None, world.now) {
        return blocked.until;
    }
    let steps = due.into_iter().map(|(key, digest)| {
        let step = Step::Restart {
            key: key.clone(),
            uid: world.live[key].uid.clone(),
            secrets: digest.clone(),
        };
        planned(comparison.slot(key), &step)
    });
    work.now.extend(steps);
    world.now.checked_add(AGAIN).ok()
}

/// Its Pods were started with other Secrets, and nothing else is to be found out about it first.
fn is_due(world: &World, comparison: &Comparison, key: &ObjectKey, digest: &str) -> bool {
    let settled = !matches!(
        comparison.difference(key),
        Some(Difference::Unverified | Difference::Shared(_) | Difference::Refused(_))
    );
    let live = world.live.get(key);
    settled
        && live.is_some_and(|live| {
            !live.deleting
                && live.secrets.as_deref() != Some(digest)
                && is_ours(world, key, live)
                && permits_still(world, key, live)
        })
}
