//! From a World to a Plan: the gates, the comparison, the operation in effect and its work, in this order.
//! It is total, synchronous and deterministic; each part decides in a file of its own.

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use crate::sync::plan::comparison::Terms;
use crate::sync::plan::steps::Work;
use crate::sync::plan::{
    Compared, Comparison, Condition, ConditionKind, Difference, Ending, HeldBack, Initiator,
    Operation, OperationPhase, Plan, UNDECIDED_AGAIN,
};
use crate::sync::revisions::Revisions;
use crate::sync::world::{SourceReason, World};
use crate::sync::{
    plan::blocked::{Blocked, blocked},
    plan::cascade,
    plan::comparison,
    plan::finalizers,
    plan::gates,
    plan::hook_runs,
    plan::operation,
    plan::refusals,
    plan::restart,
    plan::room,
    plan::steps,
};

/// Shortest and longest wait before a source that could not be read is looked at again. A server that fails is no busier for
/// it, and no event tells that a commit can be fetched now, or that there is room on a disk.
const LOOK_AGAIN: (SignedDuration, SignedDuration) = (
    SignedDuration::from_secs(10),
    SignedDuration::from_secs(120),
);

/// A commit that may not begin is looked at again after this time while a sync of an earlier one runs.
const HELD_BACK: SignedDuration = SignedDuration::from_secs(60);

/// What keeps a Namespace or definition of ours for another Application's sake is looked at again after this time.
const OTHERS_AGAIN: SignedDuration = SignedDuration::from_secs(60);

/// Decides what this pass does. Total, synchronous and deterministic: the same World gives the same Plan.
pub fn plan(world: &World) -> Plan {
    let application = &world.application;
    let (namespace, marks) = (&application.namespace, &application.marks);
    if let Some(reason) = gates::hands_off(namespace, world.another_controller, marks) {
        return Plan {
            hands_off: Some(reason),
            ..Plan::default()
        };
    }
    if world.application.deletion_timestamp.is_some() {
        return cascade::plan(world);
    }
    match gates::terms(world) {
        Ok(terms) => compared(world, &terms),
        Err(stop) => unreadable(world, &stop).unwrap_or_else(|| stopped(world, &stop)),
    }
}

/// A newer commit that can't be synced as it is: the sync that runs goes on meanwhile.
fn unreadable(world: &World, stop: &gates::Stop) -> Option<Plan> {
    if world.held_back.is_some() {
        // It is held back already, and what runs can't be read either.
        return None;
    }
    let problem = world.source.as_ref().err()?;
    let is_of_commit = problem.reason != SourceReason::Fetch;
    let newer = world.newest.as_ref().filter(|_| is_of_commit)?;
    let asks = !matches!(world.request, Ok(None));
    (!asks)
        .then(|| held_back(world, newer, &stop.conditions, None))
        .flatten()
}

fn stopped(world: &World, stop: &gates::Stop) -> Plan {
    let operation = operation::decide_stopped(world, stop);
    Plan {
        conditions: stop.conditions.clone(),
        health: Some(comparison::health_of_inventory(world)),
        steps: hook_runs::let_go(world, operation.as_ref(), &[]),
        operation,
        wake_at: stop.passes.then(|| looks_again_at(world)),
        ..Plan::default()
    }
}

/// After as long again as it could not be read already.
fn looks_again_at(world: &World) -> Timestamp {
    let conditions = &world.application.status.conditions;
    let name = ConditionKind::ComparisonError.name();
    let since = conditions
        .iter()
        .find(|condition| condition.type_ == name)
        .and_then(|condition| condition.last_transition_time.as_ref());
    let lasts = since.map_or(LOOK_AGAIN.0, |since| world.now.duration_since(since.0));
    let wait = lasts.clamp(LOOK_AGAIN.0, LOOK_AGAIN.1);
    world.now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn compared(world: &World, terms: &Terms<'_>) -> Plan {
    let (comparison, mut conditions) = comparison::compare(world, terms);
    if let Some(condition) = room::lacks(&comparison) {
        let stop = gates::Stop {
            conditions: vec![condition],
            passes: false,
        };
        return stopped(world, &stop);
    }
    let mut decided = operation::decide(world, terms, &comparison);
    let refusal = refusals::refuses(world, terms, &comparison);
    let due = decided.operation.as_ref().filter(|due| due.has_work());
    let blocked = due.and_then(|operation| blocked(world, terms, operation));
    if decided
        .operation
        .as_ref()
        .is_some_and(Operation::begins_by_itself)
    {
        if let Some(refusal) = &refusal {
            let message = format!("nothing of this revision is applied: {refusal}");
            conditions.push(Condition::new(ConditionKind::SyncError, message));
        }
        conditions.extend(blocked.iter().map(|blocked| blocked.condition.clone()));
        let mut in_question = gates::in_question(world, terms, &comparison);
        if refusal.is_some() || blocked.is_some() {
            if let Some(plan) = held_back(
                world,
                &terms.source.revisions,
                &conditions,
                blocked.as_ref(),
            ) {
                return plan;
            }
            decided.operation = operation::left_behind(world, terms);
        } else if in_question.next().is_some() {
            decided.operation = None;
        }
    }
    let mut work = Work::default();
    if let Some(operation) = decided
        .operation
        .as_mut()
        .filter(|operation| operation.has_work())
    {
        match (refusal, &blocked) {
            (Some(refusal), _) => operation.ending = Ending::Over(OperationPhase::Failed, refusal),
            (None, Some(blocked)) => operation.ending = Ending::Open(blocked.waiting.clone()),
            (None, None) => work = steps::work(world, terms, &comparison, operation),
        }
    }
    let looks_again = others_again_at(world, &comparison);
    let held_back = world.held_back.iter();
    conditions.extend(held_back.flat_map(|held_back| held_back.conditions.clone()));
    conditions.extend(decided.condition);
    conditions.sort();
    conditions.dedup();
    let verify = steps::verify(world, &comparison, &work);
    work.now.extend(verify);
    let wake_at = decided
        .operation
        .as_ref()
        .and_then(|operation| operation.looks_again_at(world, &work));
    let window_ends = restart::add(world, terms, &comparison, &mut work);
    let running = operation::running_elsewhere(world, &terms.source.revisions);
    let at_work = decided.operation.as_ref().or(running.as_ref());
    let let_go = hook_runs::let_go(world, at_work, &work.now);
    work.now.extend(let_go);
    let operation = decided.operation.as_ref();
    let finalizers = finalizers::change(world, terms, &comparison, operation, &work.now);
    let lets_go_at = operation.and_then(|operation| finalizers::looks_again_at(world, operation));
    Plan {
        hands_off: None,
        held_back: None,
        health: Some(comparison::health(world, terms, &comparison)),
        conditions,
        comparison: Some(comparison),
        operation: decided.operation,
        steps: work.now,
        later: work.later,
        finalizers,
        wake_at: wake_at
            .into_iter()
            .chain(decided.wake_at)
            .chain(lets_go_at)
            .chain(work.wake_at)
            .chain(window_ends)
            .chain(blocked.and_then(|blocked| blocked.until))
            .chain(world.held_back.as_ref().map(|held_back| held_back.until))
            .chain(looks_again)
            .min(),
    }
}

/// When to look again at what nothing tells of: objects that could not be compared, and those of other Applications that keep ours.
fn others_again_at(world: &World, comparison: &Comparison) -> Option<Timestamp> {
    let is_undecided = |compared: &Compared| {
        matches!(
            compared.difference,
            Some(Difference::Forbidden(_) | Difference::Unreadable(_))
        )
    };
    let again = |wait| world.now.saturating_add(wait).unwrap_or(Timestamp::MAX);
    if comparison.objects.values().any(is_undecided) {
        return Some(again(UNDECIDED_AGAIN));
    }
    (!world.others.is_empty()).then(|| again(OTHERS_AGAIN))
}

/// The newer commit has to wait for the sync that runs, which is of the same sources and goes on meanwhile.
fn held_back(
    world: &World,
    newer: &Revisions,
    conditions: &[Condition],
    blocked: Option<&Blocked>,
) -> Option<Plan> {
    operation::running_elsewhere(world, newer)?;
    let again = world
        .now
        .saturating_add(HELD_BACK)
        .unwrap_or(Timestamp::MAX);
    let until = blocked.and_then(|blocked| blocked.until);
    let said = |Condition { kind, message }: &Condition| {
        let message = format!("{newer} does not take the place of the sync that runs: {message}");
        Condition::new(*kind, message)
    };
    Some(Plan {
        held_back: Some(HeldBack {
            revisions: newer.clone(),
            conditions: conditions.iter().map(said).collect(),
            until: until.into_iter().chain([again]).min().unwrap_or(again),
        }),
        ..Plan::default()
    })
}

impl Operation {
    /// The sync policy would begin it, so it can as well wait until nothing speaks against it.
    fn begins_by_itself(&self) -> bool {
        self.initiator == Initiator::Automated && self.starts()
    }

    /// What nothing but the clock will wake: the next try, and what comes after an operation that ends without a step.
    fn looks_again_at(&self, world: &World, work: &Work) -> Option<Timestamp> {
        let fails = match self.ending {
            Ending::Failed(_) => true,
            Ending::AfterSteps => self.falls_short(),
            _ => false,
        };
        if fails && self.has_aftermath && self.failed.is_none() {
            return Some(world.now);
        }
        match &self.ending {
            Ending::Failed(_) => operation::next_try(world, self),
            Ending::AfterSteps if self.falls_short() => operation::next_try(world, self),
            Ending::AfterSteps | Ending::Over(..) if work.now.is_empty() => Some(world.now),
            _ => None,
        }
    }

    /// It is to be worked on in this pass.
    fn has_work(&self) -> bool {
        self.ending == Ending::AfterSteps
    }
}
