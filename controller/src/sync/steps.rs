//! The steps of an operation that runs: what is due now, what waits, and how the operation goes on.
//! All of it comes from comparing wanted and live again, so a pass after a restart continues where the last one stopped.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::comparison::{Terms, named};
use super::gates;
use super::health;
use super::key::ObjectKey;
use super::order::is_sealed_secret;
use super::plan::{
    Comparison, Decision, Difference, Ending, LeftOut, LeftOutReason, Operation, OperationPhase,
    PlannedStep, Step,
};
use super::prune::{self, Deletions};
use super::recorded;
use super::secrets::{Sealed, blocked_by, sealed, waits_for};
use super::world::{DestinationNamespace, HealthStatus, Live, Unsealer, World};

/// A waiting operation is looked at again after this time even if no event comes, as Argo CD does.
const BACKSTOP: SignedDuration = SignedDuration::from_secs(30);

/// Steps of a pass.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) now: Vec<PlannedStep>,
    pub(super) later: Vec<PlannedStep>,
    pub(super) wake_at: Option<Timestamp>,
}

/// One wave's share.
#[derive(Debug, Default)]
struct Wave {
    /// Objects of the wave, in order, that are as wanted.
    done: Vec<ObjectKey>,
    /// What can be executed now.
    due: Vec<Step>,
    /// What has to wait for something inside the wave.
    held: Vec<Step>,
    /// What it waits for to become ready.
    ready: BTreeSet<ObjectKey>,
    /// What it waits for to be gone.
    gone: BTreeSet<ObjectKey>,
}

impl Wave {
    fn is_pending(&self) -> bool {
        !self.due.is_empty()
            || !self.held.is_empty()
            || !self.ready.is_empty()
            || !self.gone.is_empty()
    }
}

impl Wave {
    /// Its steps are not the whole of it.
    fn waits(&self) -> bool {
        let deletes = self
            .due
            .iter()
            .any(|step| matches!(step, Step::Delete { .. }));
        deletes || !self.held.is_empty() || !self.ready.is_empty() || !self.gone.is_empty()
    }
}

/// Everything an operation has to do, wave by wave.
struct Planner<'a> {
    world: &'a World,
    terms: &'a Terms<'a>,
    comparison: &'a Comparison,
    left_out: BTreeMap<ObjectKey, LeftOut>,
    waves: BTreeMap<i32, Wave>,
}

/// Plans the operation's work and sets its ending.
pub(super) fn work(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
) -> Work {
    if let Some(work) = hindrance(world, terms, comparison, operation) {
        return work;
    }
    let mut planner = Planner {
        world,
        terms,
        comparison,
        left_out: BTreeMap::new(),
        waves: BTreeMap::new(),
    };
    planner.plan_deletions(operation);
    planner.plan_applies(operation);
    operation.left_out = std::mem::take(&mut planner.left_out);
    let mut work = planner.unroll(operation);
    precede(world, terms, comparison, operation, &mut work);
    if matches!(operation.ending, Ending::Open(_)) {
        work.wake_at = world.now.checked_add(BACKSTOP).ok();
    }
    work
}

/// What has to be settled before any step.
fn hindrance(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
) -> Option<Work> {
    if world.destination_namespace == DestinationNamespace::Terminating {
        let namespace = &terms.intent.destination.namespace;
        operation.ending = Ending::Open(format!(
            "waiting for Namespace {namespace}, which is being deleted"
        ));
        return Some(Work::default());
    }
    let questions: Vec<&ObjectKey> = gates::in_question(world, terms, comparison).collect();
    if questions.is_empty() {
        return None;
    }
    let steps = questions
        .into_iter()
        .map(|key| step(comparison, key, &verify_step(key, true)));
    operation.ending = Ending::Open("comparing SealedSecrets that can't be opened".into());
    Some(Work {
        now: steps.collect(),
        ..Work::default()
    })
}

impl Planner<'_> {
    fn plan_deletions(&mut self, operation: &Operation) {
        if !operation.prune {
            return;
        }
        let prunable = |key: &&ObjectKey| {
            in_scope(operation, key) && self.difference(key) == Some(&Difference::Extra)
        };
        let keys = self.comparison.objects.keys().filter(prunable);
        let waves: BTreeMap<&ObjectKey, i32> = keys
            .map(|key| (key, self.comparison.objects[key].wave))
            .collect();
        for (wave, keys) in prune::mirrored(waves) {
            let Deletions { due, held, gone } =
                prune::deletions(self.world, keys, crate::dialect::Cascade::Foreground);
            let share = self.waves.entry(wave).or_default();
            share.due.extend(due);
            share.held.extend(held);
            share.gone.extend(gone);
        }
    }

    fn plan_applies(&mut self, operation: &Operation) {
        let keys = self
            .terms
            .source
            .desired
            .order
            .iter()
            .filter(|key| in_scope(operation, key));
        let mut unseal: Vec<(i32, Step)> = Vec::new();
        for key in keys {
            let wave = self
                .comparison
                .objects
                .get(key)
                .map_or(0, |compared| compared.wave);
            if !is_sealed_secret(key) || unseal.first().is_some_and(|(at, _)| *at != wave) {
                self.flush(&mut unseal);
            }
            self.plan_apply(key, wave);
            unseal.extend(self.unseal_step(key).map(|step| (wave, step)));
        }
        self.flush(&mut unseal);
    }

    fn flush(&mut self, steps: &mut Vec<(i32, Step)>) {
        for (wave, step) in steps.drain(..) {
            self.waves.entry(wave).or_default().due.push(step);
        }
    }

    fn plan_apply(&mut self, key: &ObjectKey, wave: i32) {
        let share = match self.place(key) {
            Ok(place) => place,
            Err(left_out) => {
                self.left_out.insert(key.clone(), left_out);
                return;
            }
        };
        let wave = self.waves.entry(wave).or_default();
        match share {
            Place::Done => wave.done.push(key.clone()),
            Place::Due => wave.due.push(Step::Apply(key.clone())),
            Place::After(ready) => {
                wave.held.push(Step::Apply(key.clone()));
                wave.ready.extend(ready);
            }
            Place::OnceGone => {
                wave.held.push(Step::Apply(key.clone()));
                wave.gone.insert(key.clone());
            }
        }
    }

    fn difference(&self, key: &ObjectKey) -> Option<&Difference> {
        self.comparison.objects.get(key)?.difference.as_ref()
    }

    fn place(&self, key: &ObjectKey) -> Result<Place, LeftOut> {
        let leave = |reason, message: String| Err(LeftOut { reason, message });
        match self.difference(key) {
            None
            | Some(
                Difference::Refused(_)
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
                | Difference::Unverified,
            ) => Ok(self.after_its_secrets(key)),
            Some(Difference::Deleting) => Ok(Place::OnceGone),
            Some(Difference::AwaitsKind) => self.after_its_definition(key),
            Some(Difference::UnknownKind) => leave(LeftOutReason::UnknownKind, unknown_kind(key)),
            Some(Difference::Shared(owner)) => leave(
                LeftOutReason::SharedResource,
                format!("it belongs to Application {owner}"),
            ),
            Some(Difference::KindUnavailable) => leave(
                LeftOutReason::Unreadable,
                format!("the API group {:?} does not answer", key.group),
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

    /// Puts the waves behind each other: the first that is not finished is due, the rest is later.
    fn unroll(self, operation: &mut Operation) -> Work {
        let multi_step = self.waves.len() > 1;
        let mut work = Work::default();
        let mut current = None;
        for (number, wave) in &self.waves {
            if current.is_some() {
                let steps = wave.due.iter().chain(&wave.held);
                work.later.extend(steps.map(|step| planned(*number, step)));
                continue;
            }
            if wave.is_pending() {
                current = Some(wave);
                work.now = wave.due.iter().map(|step| planned(*number, step)).collect();
                work.now
                    .extend(waits(wave).iter().map(|step| planned(*number, step)));
                work.later = wave
                    .held
                    .iter()
                    .map(|step| planned(*number, step))
                    .collect();
                continue;
            }
            let unhealthy = if multi_step {
                self.unhealthy(wave)
            } else {
                Unhealthy::default()
            };
            if let Some(broken) = named(&unhealthy.broken) {
                operation.ending = Ending::Failed(format!(
                    "one or more objects did not become healthy: {broken}"
                ));
                return work;
            }
            if !unhealthy.waiting.is_empty() {
                current = Some(wave);
                work.now = vec![planned(*number, &Step::WaitHealthy(unhealthy.waiting))];
            }
        }
        if let Some(wave) = current
            && (multi_step || wave.waits())
        {
            operation.ending = Ending::Open(waiting_for(wave, &work.now));
        }
        work
    }

    /// Objects of a finished wave that the next wave, and the end of the operation, wait for.
    fn unhealthy(&self, wave: &Wave) -> Unhealthy {
        let mut unhealthy = Unhealthy::default();
        for key in &wave.done {
            // A SealedSecret that stays closed holds up its users alone.
            let closed = is_sealed_secret(key)
                && matches!(
                    sealed(self.world, self.comparison, key),
                    Sealed::Unavailable(_)
                );
            let Some(live) = self.world.live.get(key).filter(|_| !closed) else {
                continue;
            };
            match light(key, live) {
                Some((HealthStatus::Healthy, _)) | None => {}
                Some((HealthStatus::Degraded, why)) => {
                    unhealthy.broken.push(format!("{key}: {why}"))
                }
                Some(_) => unhealthy.waiting.push(key.clone()),
            }
        }
        unhealthy
    }
}

/// Where an object stands in its wave.
enum Place {
    Done,
    Due,
    After(Vec<ObjectKey>),
    OnceGone,
}

#[derive(Default)]
struct Unhealthy {
    waiting: Vec<ObjectKey>,
    broken: Vec<String>,
}

/// The health that counts; of a kind with a rule no health yet means: on its way.
fn light<'a>(key: &ObjectKey, live: &'a Live) -> Option<(HealthStatus, &'a str)> {
    match &live.health {
        Some(health) => Some((health.status, &health.message)),
        None => health::has_rule(&key.group_kind()).then_some((HealthStatus::Progressing, "")),
    }
}

/// An object that is to be dealt with by the operation.
fn in_scope(operation: &Operation, key: &ObjectKey) -> bool {
    operation
        .only
        .as_ref()
        .is_none_or(|only| only.contains(key))
}

fn unknown_kind(key: &ObjectKey) -> String {
    format!("the cluster does not know the kind {}", key.group_kind())
}

fn planned(wave: i32, step: &Step) -> PlannedStep {
    PlannedStep {
        wave,
        step: step.clone(),
    }
}

fn step(comparison: &Comparison, key: &ObjectKey, step: &Step) -> PlannedStep {
    planned(
        comparison
            .objects
            .get(key)
            .map_or(0, |compared| compared.wave),
        step,
    )
}

fn waits(wave: &Wave) -> Vec<Step> {
    let mut steps = Vec::new();
    if !wave.gone.is_empty() {
        steps.push(Step::WaitGone(wave.gone.iter().cloned().collect()));
    }
    // What is made in this very pass needs no waiting line of its own.
    let made = |key: &&ObjectKey| {
        let is_made =
            |step: &Step| matches!(step, Step::Unseal(made) | Step::Await(made) if made == *key);
        !wave.due.iter().any(is_made)
    };
    let ready: Vec<ObjectKey> = wave.ready.iter().filter(made).cloned().collect();
    if !ready.is_empty() {
        steps.push(Step::WaitHealthy(ready));
    }
    steps
}

fn waiting_for(wave: &Wave, steps: &[PlannedStep]) -> String {
    let mut gone: Vec<String> = wave.gone.iter().map(ToString::to_string).collect();
    let mut ready: Vec<String> = wave.ready.iter().map(ToString::to_string).collect();
    let mut applied = Vec::new();
    for step in steps {
        match &step.step {
            Step::Delete { key, .. } => gone.push(key.to_string()),
            Step::WaitHealthy(keys) if ready.is_empty() => {
                ready.extend(keys.iter().map(ToString::to_string))
            }
            Step::Apply(key) => applied.push(key.to_string()),
            _ => {}
        }
    }
    let healthy = if ready.is_empty() { applied } else { ready };
    match (named(&gone), named(&healthy)) {
        (Some(gone), _) => format!("waiting for deletion of {gone}"),
        (None, Some(healthy)) => format!("waiting for healthy state of {healthy}"),
        (None, None) => "waiting for the next pass".into(),
    }
}

/// What comes before the first write: the claim, and the namespace.
fn precede(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
    work: &mut Work,
) {
    let Some(first) = work
        .now
        .iter()
        .find(|step| writes(&step.step))
        .map(|step| step.wave)
    else {
        return;
    };
    if makes_namespace(world, terms, operation, work) {
        if let Err(denied) = gates::permits_namespace(world, terms) {
            operation.ending = Ending::Refused(OperationPhase::Failed, denied);
            *work = Work::default();
            return;
        }
        let namespace = terms.intent.destination.namespace.clone();
        work.now
            .insert(0, planned(first, &Step::CreateNamespace(namespace)));
    }
    if operation.decision != Decision::Continue || !is_claimed(world, comparison) {
        work.now.insert(0, planned(first, &Step::ClaimInventory));
    }
}

fn writes(step: &Step) -> bool {
    matches!(
        step,
        Step::Apply(_) | Step::Delete { .. } | Step::Unseal(_) | Step::CreateNamespace(_)
    )
}

fn makes_namespace(world: &World, terms: &Terms<'_>, operation: &Operation, work: &Work) -> bool {
    let namespace = &terms.intent.destination.namespace;
    let rendered = |key: &ObjectKey| key.is("", "Namespace") && key.name == *namespace;
    let lands_there = |step: &PlannedStep| matches!(&step.step, Step::Apply(key) if key.namespace.as_ref() == Some(namespace));
    operation.create_namespace
        && world.destination_namespace == DestinationNamespace::Missing
        && !terms.desired().objects.keys().any(rendered)
        && work.now.iter().any(lands_there)
}

/// The inventory in the status already holds everything old and new.
fn is_claimed(world: &World, comparison: &Comparison) -> bool {
    let inventory = recorded::inventory(&world.application.status);
    comparison
        .objects
        .keys()
        .all(|key| inventory.contains_key(key))
}

/// Comparisons that are still open and that no step of this pass settles.
pub(super) fn verify(world: &World, comparison: &Comparison, work: &Work) -> Vec<PlannedStep> {
    let settled: BTreeSet<&ObjectKey> = work
        .now
        .iter()
        .chain(&work.later)
        .filter_map(|step| match &step.step {
            Step::Apply(key) | Step::Verify { key, .. } => Some(key),
            _ => None,
        })
        .collect();
    let status = world.application.status.sync.as_ref();
    let urgent = status.is_none_or(|sync| sync.revision != comparison.revision);
    let open = comparison.objects.iter().filter(|(key, compared)| {
        compared.difference == Some(Difference::Unverified) && !settled.contains(key)
    });
    open.map(|(key, compared)| planned(compared.wave, &verify_step(key, urgent)))
        .collect()
}

fn verify_step(key: &ObjectKey, urgent: bool) -> Step {
    Step::Verify {
        key: key.clone(),
        urgent,
    }
}
