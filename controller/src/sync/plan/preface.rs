//! What comes before an operation's first write: questions that are settled first, the claim, the namespace.
//! The work itself is planned elsewhere.

use crate::dialect::Finalizer;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::finalizers::{is_on, makes_hooks};
use crate::sync::plan::gates;
use crate::sync::plan::namespace;
use crate::sync::plan::recorded;
use crate::sync::plan::steps::{Work, planned, step, verify_step};
use crate::sync::plan::{Comparison, Decision, Ending, Operation, OperationPhase, Slot, Step};
use crate::sync::world::{DestinationNamespace, World};

/// What has to be settled before any step.
pub(in crate::sync) fn hindrance(
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

/// What comes before the first write: the claim, with what keeps the Application until its hooks are let go, and the namespace.
pub(in crate::sync) fn precede(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
    work: &mut Work,
) {
    let namespace = namespace::step(world, terms, comparison, operation, work);
    let write = work.now.iter().find(|step| writes(&step.step));
    let first = match (write, &namespace) {
        (Some(step), _) => step.slot,
        (None, Some(_)) => Slot::sync(0),
        (None, None) => return,
    };
    if let Some(step) = namespace {
        if let Err(denied) = gates::permits_namespace(world, terms) {
            operation.ending = Ending::Over(OperationPhase::Failed, denied);
            *work = Work::default();
            return;
        }
        work.now.insert(0, planned(first, &step));
    }
    let is_kept = is_on(&world.application, Finalizer::Hooks) || !makes_hooks(terms, operation);
    if operation.decision != Decision::Continue || !is_claimed(world, comparison) || !is_kept {
        work.now.insert(0, planned(first, &Step::ClaimInventory));
    }
}

fn writes(step: &Step) -> bool {
    let of_hook = matches!(step, Step::RunHook(_) | Step::DeleteHook { .. });
    step.written().is_some() || of_hook || matches!(step, Step::Delete { .. } | Step::Unseal(_))
}

/// The inventory in the status already holds everything old and new.
fn is_claimed(world: &World, comparison: &Comparison) -> bool {
    let inventory = recorded::inventory(&world.application.status);
    comparison
        .objects
        .keys()
        .all(|key| inventory.contains_key(key))
}
