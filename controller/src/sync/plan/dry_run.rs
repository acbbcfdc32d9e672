//! The steps of an operation as questions: what would become of each write.
//! All waves are asked at once, since nothing of one has to be there for the next.

use std::collections::BTreeMap;

use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::steps::{Work, planned};
use crate::sync::plan::waves::Wave;
use crate::sync::plan::{Comparison, Difference, Operation, Slot, Step};
use crate::sync::world::{DestinationNamespace, World};

/// One question for each write of all waves.
pub(in crate::sync) fn work(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: &Operation,
    waves: &BTreeMap<Slot, Wave>,
) -> Work {
    let namespace = Some(terms.intent.destination.namespace.as_str());
    let is_to_be_made =
        operation.create_namespace && world.destination_namespace == DestinationNamespace::Missing;
    let asks = |key: &ObjectKey| {
        comparison.difference(key) != Some(&Difference::AwaitsKind)
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
