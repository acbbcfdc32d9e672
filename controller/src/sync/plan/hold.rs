//! Rollbacks: an Application stays at the revisions that it was rolled back to until its sources mean others than they did then.
//! It asks no repository; that the sources can't be read now is no reason to leave.

use crds::Hold;

use crate::dialect::Intent;
use crate::sync::plan::comparison::Terms;
use crate::sync::plan::recorded;
use crate::sync::plan::{Condition, ConditionKind, Ending, Initiator, Operation, Scope};
use crate::sync::revisions::Revisions;
use crate::sync::world::World;

/// The hold that stands. `newest` is what the sources mean now, where that is known.
pub(super) fn standing<'a>(intent: &'a Intent, newest: Option<&Revisions>) -> Option<&'a Hold> {
    let hold = intent.hold.as_ref()?;
    let is_about = hold.at.len() == intent.sources.len();
    let moved = newest.is_some_and(|newest| newest.all() != hold.past);
    (is_about && !moved).then_some(hold)
}

/// Nothing is held any more: the sources have moved on, somebody asked for a sync to other revisions, or the rollback itself is not
/// accepted, or not any more, and would else be done by itself.
pub(in crate::sync) fn is_over(world: &World, operation: Option<&Operation>) -> bool {
    let Ok(intent) = &world.intent else {
        return false;
    };
    let Some(hold) = &intent.hold else {
        return false;
    };
    let leaves = |operation: &Operation| {
        let is_asked_for = matches!(operation.initiator, Initiator::Requested(_));
        let revisions = operation.revisions.all();
        operation.starts()
            && is_asked_for
            && operation.scope == Scope::Whole
            && !operation.dry_run
            && !revisions.is_empty()
            && revisions != hold.at
    };
    let is_for_it = |operation: &Operation| {
        let asked = operation.stored.sync.iter();
        let mut asked = asked.map(|sync| Revisions::stored(&sync.revision, &sync.revisions));
        asked.any(|asked| asked.all() == hold.at)
    };
    let ends = |operation: &Operation| {
        leaves(operation) || is_for_it(operation) && is_refused(world, operation)
    };
    standing(intent, world.newest.as_ref()).is_none() || operation.is_some_and(ends)
}

/// A request ends because it is not accepted, or not any more.
fn is_refused(world: &World, operation: &Operation) -> bool {
    let application = &world.application;
    let is_accepted = || match operation.starts() {
        true => world.request.is_ok(),
        false => recorded::operation(application)
            .is_some_and(|state| recorded::request(application, state).is_some()),
    };
    matches!(operation.initiator, Initiator::Requested(_))
        && matches!(operation.ending, Ending::Over(..))
        && !is_accepted()
}

/// That the Application is compared with the revisions of a rollback.
pub(super) fn condition(world: &World, terms: &Terms<'_>) -> Option<Condition> {
    let hold = standing(terms.intent, world.newest.as_ref())?;
    let at = &terms.source.revisions;
    let sources = terms.intent.sources.iter();
    let targets: Vec<&str> = sources.map(|source| source.revision.as_str()).collect();
    let message = format!(
        "a rollback keeps it at {at} until {} means something else than {}; a sync leaves it at once",
        targets.join(", "),
        hold.past.join(", ")
    );
    (at.all() == hold.at).then(|| Condition::new(ConditionKind::RevisionHeld, message))
}
