//! Workloads whose Pods were started with other Secrets than there are now: they are started anew, once for each change. At first sight
//! it is only written down what they were started with.
//! Whatever else is to become of a workload comes first: it is written together with that.

use std::collections::BTreeSet;

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::restart::plan::{Plan, digest, plan};
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::gates::permits_still;
use crate::sync::plan::inventory::is_ours;
use crate::sync::plan::steps::{Work, planned};
use crate::sync::plan::{Comparison, Difference, PlannedStep, SecretsNote, Step};
use crate::sync::world::{Live, World};

/// One that fails is tried again after this time, though nothing tells of it.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Adds what is due to the work of a pass, but no restart where a sync window forbids it. Returns when to look again.
pub(super) fn add(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    work: &mut Work,
) -> Option<Timestamp> {
    let due = due(world, comparison, work);
    let is_note = |planned: &PlannedStep| matches!(planned.step, Step::NoteSecrets(_));
    let (notes, mut restarts): (Vec<_>, Vec<_>) = due.into_iter().partition(is_note);
    let windows = terms
        .project
        .windows(&world.application.name, &terms.intent.destination);
    let blocked = windows.block(false, None, world.now);
    let blocked = blocked.filter(|_| !restarts.is_empty());
    if blocked.is_some() {
        restarts.clear();
    }
    let again = world.now.checked_add(AGAIN).ok();
    let again = again.filter(|_| !(notes.is_empty() && restarts.is_empty()));
    // What they were started with is not known any more once the pass has changed a Secret.
    let claims = |planned: &PlannedStep| planned.step == Step::ClaimInventory;
    let first = usize::from(work.now.first().is_some_and(claims));
    work.now.splice(first..first, notes);
    work.now.extend(restarts);
    let window_ends = blocked.and_then(|blocked| blocked.until);
    again.into_iter().chain(window_ends).min()
}

/// What is due to workloads that are not written in this pass.
fn due(world: &World, comparison: &Comparison, work: &Work) -> Vec<PlannedStep> {
    let (now, later) = (written(&work.now), written(&work.later));
    let due = world.restarts.keys().filter_map(|key| {
        let live = world.live.get(key).filter(|_| !now.contains(key))?;
        let step = is_settled(world, comparison, key, live, later.contains(key))
            .then(|| step(world, key, live))
            .flatten()?;
        Some(planned(comparison.slot(key), &step))
    });
    due.collect()
}

fn written(steps: &[PlannedStep]) -> BTreeSet<&ObjectKey> {
    let written = steps.iter().filter_map(|planned| planned.step.written());
    written.collect()
}

/// Nothing else is to become of it first. At first sight nothing has to: what it is held for may be a Secret that changes.
fn is_settled(
    world: &World,
    comparison: &Comparison,
    key: &ObjectKey,
    live: &Live,
    is_held: bool,
) -> bool {
    let difference = comparison.difference(key);
    let is_others = matches!(
        difference,
        Some(Difference::Shared(_) | Difference::Refused(_))
    );
    if live.deleting || is_others {
        return false;
    }
    let is_ours = is_ours(world, key, live) && permits_still(world, key, live);
    let restart = world.restarts.get(key);
    match restart.is_some_and(|restart| restart.started_with.is_none()) {
        true => is_ours || is_held,
        false => is_ours && !is_held && difference != Some(&Difference::Unverified),
    }
}

fn step(world: &World, key: &ObjectKey, live: &Live) -> Option<Step> {
    let note = |started_with, template| SecretsNote {
        key: key.clone(),
        uid: live.uid.clone(),
        started_with,
        template,
    };
    match plan(world.restarts.get(key)?) {
        Plan::Rest => None,
        // What is left out of the template would be taken away, and so start the Pods.
        Plan::Note(started_with) => {
            let template = live.secrets.clone();
            Some(Step::NoteSecrets(note(started_with, template)))
        }
        Plan::Restart {
            started_with,
            changed,
        } => {
            let template = Some(digest(&started_with));
            let note = note(started_with, template);
            Some(Step::Restart { note, changed })
        }
    }
}
