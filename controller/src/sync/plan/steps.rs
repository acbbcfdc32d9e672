//! The steps of an operation that runs: what is due now, what waits, and how the operation goes on.
//! All of it comes from comparing wanted and live again, so a pass after a restart continues where the last one stopped.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::dialect::Cascade;
use crate::sync::desired::secrets::{Sealed, blocked_by, sealed, waits_for};
use crate::sync::key::ObjectKey;
use crate::sync::plan::aftermath;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::conditions::of_unknown_kind;
use crate::sync::plan::consent;
use crate::sync::plan::dry_run;
use crate::sync::plan::hooks;
use crate::sync::plan::order::is_sealed_secret;
use crate::sync::plan::preface;
use crate::sync::plan::prune;
use crate::sync::plan::recorded;
use crate::sync::plan::recreate;
use crate::sync::plan::waves::{self, Wave};
use crate::sync::plan::{
    Comparison, Difference, Ending, LeftOut, LeftOutReason, Operation, PlannedStep, Slot, Step,
};
use crate::sync::world::{HealthStatus, Unsealer, World};

/// A waiting operation is looked at again after this time even if no event comes, as Argo CD does.
pub(in crate::sync) const BACKSTOP: SignedDuration = SignedDuration::from_secs(30);

/// Steps of a pass.
#[derive(Debug, Default)]
pub(in crate::sync) struct Work {
    pub(in crate::sync) now: Vec<PlannedStep>,
    pub(in crate::sync) later: Vec<PlannedStep>,
    pub(in crate::sync) wake_at: Option<Timestamp>,
}

/// Everything an operation has to do, wave by wave.
struct Planner<'a> {
    world: &'a World,
    terms: &'a Terms<'a>,
    comparison: &'a Comparison,
    left_out: BTreeMap<ObjectKey, LeftOut>,
    waves: BTreeMap<Slot, Wave>,
}

/// Plans the operation's work and sets its ending.
pub(in crate::sync) fn work(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
) -> Work {
    if let Some(work) = preface::hindrance(world, terms, comparison, operation) {
        return work;
    }
    let mut planner = Planner {
        world,
        terms,
        comparison,
        left_out: BTreeMap::new(),
        waves: BTreeMap::new(),
    };
    operation.has_aftermath = aftermath::is_due(world, terms, operation);
    if operation.failed.is_none() {
        planner.plan_deletions(operation);
        planner.plan_applies(operation);
    }
    operation.left_out = std::mem::take(&mut planner.left_out);
    hooks::plan(world, terms, comparison, operation, &mut planner.waves);
    let mut work = match operation.dry_run {
        true => dry_run::work(world, terms, comparison, operation, &planner.waves),
        false => {
            let mut work = waves::unroll(world, comparison, &planner.waves, operation);
            aftermath::plan(world, terms, operation, &mut work);
            preface::precede(world, terms, comparison, operation, &mut work);
            work
        }
    };
    if matches!(operation.ending, Ending::Open(_)) {
        let backstop = world.now.checked_add(BACKSTOP).ok();
        work.wake_at = work.wake_at.or(backstop);
    }
    work
}

impl Planner<'_> {
    fn plan_deletions(&mut self, operation: &Operation) {
        if !operation.prune {
            return;
        }
        let prunable = |key: &&ObjectKey| {
            operation.scope.covers(key) && self.difference(key) == Some(&Difference::Extra)
        };
        let keys = self.comparison.objects.keys().filter(prunable);
        let propagation = self.terms.options.propagation;
        let propagation = propagation.unwrap_or(Cascade::Foreground);
        let (world, comparison) = (self.world, self.comparison);
        let awaited = consent::awaited(world, comparison, operation);
        for (slot, keys) in prune::slots(world, self.terms, comparison, &awaited, keys) {
            let deletions = prune::deletions(world, keys, propagation, &awaited);
            let share = self.waves.entry(slot).or_default();
            share.due.extend(deletions.due);
            share.held.extend(deletions.held);
            share.gone.extend(deletions.gone);
            share.awaited.extend(deletions.awaited);
        }
    }

    fn plan_applies(&mut self, operation: &Operation) {
        let keys = self
            .terms
            .source
            .desired
            .order
            .iter()
            .filter(|key| operation.scope.covers(key));
        let mut unseal: Vec<(Slot, Step)> = Vec::new();
        for key in keys {
            let slot = self.comparison.slot(key);
            if !is_sealed_secret(key) || unseal.first().is_some_and(|(at, _)| *at != slot) {
                self.flush(&mut unseal);
            }
            self.plan_apply(operation, key, slot);
            unseal.extend(self.unseal_step(key).map(|step| (slot, step)));
        }
        self.flush(&mut unseal);
    }

    fn flush(&mut self, steps: &mut Vec<(Slot, Step)>) {
        for (slot, step) in steps.drain(..) {
            self.waves.entry(slot).or_default().due.push(step);
        }
    }

    fn plan_apply(&mut self, operation: &Operation, key: &ObjectKey, slot: Slot) {
        let place = match self.place(key) {
            Ok(place) => place,
            Err(left_out) => {
                self.left_out.insert(key.clone(), left_out);
                return;
            }
        };
        let wanted = &self.terms.desired().objects[key];
        let first = self
            .difference(key)
            .and_then(|difference| recreate::first(self.world, operation, wanted, difference));
        let goes = matches!(place, Place::OnceGone) || matches!(first, Some(Step::Delete { .. }));
        let stays = self.world.live.contains_key(key) && !goes;
        let write = recreate::write(operation, wanted, stays);
        let wave = self.waves.entry(slot).or_default();
        match (place, first) {
            (Place::Done, _) => wave.done.push(key.clone()),
            (Place::Due, Some(first)) => {
                wave.due.push(first);
                wave.held.push(write);
            }
            (Place::Due, None) => wave.due.push(write),
            (Place::After(ready), _) => {
                wave.held.push(write);
                wave.ready.extend(ready);
            }
            (Place::OnceGone, _) => {
                wave.held.push(write);
                wave.gone.insert(key.clone());
            }
        }
    }

    fn difference(&self, key: &ObjectKey) -> Option<&Difference> {
        self.comparison.difference(key)
    }

    fn place(&self, key: &ObjectKey) -> Result<Place, LeftOut> {
        let leave = |reason, message: String| Err(LeftOut { reason, message });
        match self.difference(key) {
            None
            | Some(
                Difference::Refused(_)
                | Difference::Finished
                | Difference::Extra
                | Difference::Kept(_)
                | Difference::Doubt(_)
                | Difference::OutOfReach,
            ) => Ok(Place::Done),
            Some(Difference::Missing) => {
                match blocked_by(self.world, self.terms, self.comparison, key) {
                    Some(why) => leave(LeftOutReason::SecretUnavailable, why),
                    None => Ok(self.after_its_secrets(key)),
                }
            }
            Some(
                Difference::Changed
                | Difference::Drift(_)
                | Difference::Immutable(_)
                | Difference::Forbidden(_)
                | Difference::Unverified
                | Difference::Unlisted,
            ) => Ok(self.after_its_secrets(key)),
            Some(Difference::Deleting) => Ok(Place::OnceGone),
            Some(Difference::AwaitsKind) => self.after_its_definition(key),
            Some(Difference::UnknownKind) => {
                let remedy = of_unknown_kind(&key.group_kind());
                let message = format!("{}; {remedy}", unknown_kind(key));
                leave(LeftOutReason::UnknownKind, message)
            }
            Some(Difference::Shared(owner)) => leave(
                LeftOutReason::SharedResource,
                format!("it belongs to Application {owner}"),
            ),
            Some(Difference::KindUnavailable) => leave(
                LeftOutReason::Unreadable,
                format!("the API group {:?} does not answer", key.group()),
            ),
            Some(Difference::Unreadable(why)) => leave(LeftOutReason::Unreadable, why.clone()),
        }
    }

    fn after_its_secrets(&self, key: &ObjectKey) -> Place {
        let secrets = waits_for(self.world, self.terms, self.comparison, key);
        match secrets.is_empty() {
            true => Place::Due,
            false => Place::After(secrets),
        }
    }

    fn after_its_definition(&self, key: &ObjectKey) -> Result<Place, LeftOut> {
        let definition = self.terms.source.desired.definitions.get(&key.group_kind());
        let definition = definition.map(|definition| &definition.key);
        let broken = definition.and_then(|definition| {
            let health = self.world.live.get(definition)?.health.as_ref()?;
            (health.status == HealthStatus::Degraded).then(|| health.message.clone())
        });
        match broken {
            Some(why) => Err(LeftOut {
                reason: LeftOutReason::UnknownKind,
                message: format!(
                    "{}: its definition is not established: {why}",
                    unknown_kind(key)
                ),
            }),
            None => Ok(Place::After(definition.cloned().into_iter().collect())),
        }
    }

    /// The step that makes the Secret of a SealedSecret of this pass, or of one that was applied before.
    fn unseal_step(&self, key: &ObjectKey) -> Option<Step> {
        let due = is_sealed_secret(key)
            && !self.left_out.contains_key(key)
            && !matches!(
                self.difference(key),
                Some(Difference::AwaitsKind | Difference::Deleting)
            )
            && sealed(self.world, self.comparison, key) == Sealed::Pending;
        due.then(|| match self.world.unsealer {
            Unsealer::Ours => Step::Unseal(key.clone()),
            Unsealer::Other => Step::Await(key.clone()),
        })
    }
}

/// Where an object stands in its wave.
enum Place {
    Done,
    Due,
    After(Vec<ObjectKey>),
    OnceGone,
}

fn unknown_kind(key: &ObjectKey) -> String {
    format!("the cluster does not know the kind {}", key.group_kind())
}

pub(in crate::sync) fn planned(slot: Slot, step: &Step) -> PlannedStep {
    PlannedStep {
        slot,
        step: step.clone(),
    }
}

pub(in crate::sync) fn step(comparison: &Comparison, key: &ObjectKey, step: &Step) -> PlannedStep {
    planned(comparison.slot(key), step)
}

/// Comparisons that are still open and that no step settles. They never hold up an operation's own steps.
pub(in crate::sync) fn verify(
    world: &World,
    comparison: &Comparison,
    work: &Work,
) -> Vec<PlannedStep> {
    if !work.now.is_empty() {
        return Vec::new();
    }
    let settled: BTreeSet<&ObjectKey> = work
        .later
        .iter()
        .filter_map(|step| match &step.step {
            Step::Verify { key, .. } => Some(key),
            step => step.written(),
        })
        .collect();
    let known = recorded::compared(&world.application.status);
    let urgent = known.as_ref() != Some(&comparison.revisions);
    let open = comparison.objects.iter().filter(|(key, compared)| {
        let is_open = match &compared.difference {
            Some(Difference::Unverified) => true,
            Some(Difference::Forbidden(_) | Difference::Unreadable(_)) => world.tries_again,
            _ => false,
        };
        is_open && !settled.contains(key)
    });
    open.map(|(key, compared)| planned(compared.slot, &verify_step(key, urgent)))
        .collect()
}

pub(in crate::sync) fn verify_step(key: &ObjectKey, urgent: bool) -> Step {
    Step::Verify {
        key: key.clone(),
        urgent,
    }
}
