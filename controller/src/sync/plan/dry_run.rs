//! The steps of an operation as questions: what would become of each write.
//! All waves are asked at once, since nothing of one has to be there for the next. What has to be compared first, for nobody knows
//! whether it can be written in place, is compared in a pass of its own.

use std::collections::{BTreeMap, BTreeSet};

use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::steps::{Work, planned};
use crate::sync::plan::waves::Wave;
use crate::sync::plan::{Comparison, Difference, Ending, Operation, Slot, Step};
use crate::sync::world::{DestinationNamespace, World};

/// One question for each write of all waves, once everything is compared that has to be.
pub(in crate::sync) fn work(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &mut Operation,
    waves: &BTreeMap<Slot, Wave>,
) -> Work {
    let comparisons = comparisons(waves);
    if !comparisons.now.is_empty() {
        operation.ending = Ending::Open("waiting for the next pass".to_owned());
        return comparisons;
    }
    let anew = deleted(waves);
    let namespace = Some(terms.intent.destination.namespace.as_str());
    let is_to_be_made =
        operation.create_namespace && world.destination_namespace == DestinationNamespace::Missing;
    let asks = |key: &ObjectKey| {
        comparison.difference(key) != Some(&Difference::AwaitsKind)
            && !anew.contains(key)
            && !(is_to_be_made && key.namespace() == namespace)
    };
    let question = |step: &Step| {
        let asks = match step {
            Step::Delete { .. } => true,
            step => asks(step.written()?),
        };
        let step = Box::new(step.clone());
        Some(Step::DryRun { step, asks })
    };
    let mut work = Work::default();
    for (slot, wave) in waves {
        let questions = wave.due.iter().chain(&wave.held).filter_map(question);
        work.now.extend(questions.map(|step| planned(*slot, &step)));
    }
    work
}

fn comparisons(waves: &BTreeMap<Slot, Wave>) -> Work {
    let mut work = Work::default();
    for (slot, wave) in waves {
        let steps = wave.due.iter();
        let steps = steps.filter(|step| matches!(step, Step::Verify { .. }));
        work.now.extend(steps.map(|step| planned(*slot, step)));
    }
    work
}

/// What is deleted, be it to be made anew: how that would be written can't be asked while it is there.
fn deleted(waves: &BTreeMap<Slot, Wave>) -> BTreeSet<&ObjectKey> {
    let steps = waves.values().flat_map(|wave| &wave.due);
    let keys = steps.filter_map(|step| match step {
        Step::Delete { key, .. } => Some(key),
        _ => None,
    });
    keys.collect()
}
