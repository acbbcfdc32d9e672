//! Which of our finalizers an Application is to carry: it must not go before its hooks of deletion have run, nor while something
//! that hooks of a sync made is held.
//! What a deletion does is decided elsewhere.

use std::collections::BTreeSet;

use k8s_openapi::jiff::Timestamp;

use crate::dialect::Finalizer;
use crate::sync::key::ObjectKey;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::deletion_hooks::{POST, PRE};
use crate::sync::plan::gates::is_new_revision;
use crate::sync::plan::hook_runs;
use crate::sync::plan::{Comparison, Ending, Finalizers, Operation, PlannedStep, Step, SyncStatus};
use crate::sync::world::{AppFacts, World};

impl Finalizers {
    /// These come off, as far as they are on.
    pub(in crate::sync) fn off(application: &AppFacts, finalizers: &[Finalizer]) -> Self {
        let on = finalizers.iter().copied();
        Self {
            add: BTreeSet::new(),
            remove: on.filter(|one| is_on(application, *one)).collect(),
        }
    }

    /// Nothing changes.
    pub(in crate::sync) fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    fn set(&mut self, application: &AppFacts, finalizer: Finalizer, on: bool) {
        match (on, is_on(application, finalizer)) {
            (true, false) => drop(self.add.insert(finalizer)),
            (false, true) => drop(self.remove.insert(finalizer)),
            _ => {}
        }
    }
}

/// The Application carries it.
pub(in crate::sync) fn is_on(application: &AppFacts, finalizer: Finalizer) -> bool {
    let mut names = application.finalizers.iter();
    names.any(|name| Finalizer::named(name) == Some(finalizer))
}

/// What is to change while the Application is not being deleted. Hooks of deletion are those of what was synced, and run only where
/// the objects go too; while the last of a sync's hooks is let go by `steps`, its finalizer comes off with them.
pub(in crate::sync) fn change(
    world: &World,
    terms: &Terms<'_>,
    comparison: &Comparison,
    operation: Option<&Operation>,
    steps: &[PlannedStep],
) -> Finalizers {
    let application = &world.application;
    let mut change = Finalizers::default();
    if comparison.status == SyncStatus::Synced || !is_new_revision(world, terms) {
        let cascades = application.marks.cascade.is_some();
        for stage in [PRE, POST] {
            let mut hooks = terms.desired().hooks.keys();
            let runs = cascades && hooks.any(|id| id.phase == stage.phase);
            change.set(application, stage.runs, runs);
            change.set(application, stage.cleans, runs);
        }
    }
    let holds = operation.is_some_and(|operation| makes_hooks(terms, operation));
    let kept = hook_runs::held(world).any(|key| !is_let_go(steps, key));
    if holds || kept || hook_runs::unseen(world).is_none() {
        change.set(application, Finalizer::Hooks, holds || kept);
    }
    change
}

/// An operation that is not over, and makes objects that are held.
pub(in crate::sync) fn makes_hooks(terms: &Terms<'_>, operation: &Operation) -> bool {
    let mut hooks = terms.desired().hooks.keys();
    operation.runs_hooks
        && !matches!(operation.ending, Ending::Over(..))
        && hooks.any(|id| !id.phase.is_of_deletion())
}

/// An operation that may end in this pass: what keeps the Application for its hooks comes off in the next.
pub(in crate::sync) fn looks_again_at(world: &World, operation: &Operation) -> Option<Timestamp> {
    let ends = !matches!(operation.ending, Ending::Open(_));
    (ends && is_on(&world.application, Finalizer::Hooks)).then_some(world.now)
}

fn is_let_go(steps: &[PlannedStep], held: &ObjectKey) -> bool {
    let lets_go = |planned: &PlannedStep| {
        matches!(&planned.step,
            Step::ReleaseHook { key, .. } | Step::DeleteHook { key, .. } if key == held)
    };
    steps.iter().any(lets_go)
}
