//! What became of workloads whose Pods were to know of changes of Secrets.
//! It names Secrets and items and never a value.

use std::collections::BTreeMap;

use super::Event;
use crate::restart::plan::{Changed, Plan, named, plan};
use crate::restart::report::{FAILED, RESTARTED};
use crate::sync::key::ObjectKey;
use crate::sync::outcome::{Done, FailureReason, Outcome};
use crate::sync::plan::{SecretsNote, Step};
use crate::sync::world::World;

/// An event on the Application for each that was restarted, or could not be; `None` for one that was noted on. It is told whether or not
/// there is a report to write. One that somebody else wrote meanwhile is looked at again.
pub fn restarts(world: &World, outcomes: &[Outcome]) -> BTreeMap<ObjectKey, Option<Event>> {
    let told = outcomes.iter().filter_map(|outcome| {
        let step = &outcome.step.step;
        match &outcome.result {
            Ok(done) => succeeded(world, step, done),
            Err(failure) if failure.reason == FailureReason::Conflict => None,
            Err(failure) => {
                let key = &note(step)?.key;
                Some((key.clone(), Some(failed(key, &failure.message))))
            }
        }
    });
    told.collect()
}

fn note(step: &Step) -> Option<&SecretsNote> {
    match step {
        Step::NoteSecrets(note) | Step::Restart { note, .. } => Some(note),
        _ => None,
    }
}

fn succeeded(world: &World, step: &Step, done: &Done) -> Option<(ObjectKey, Option<Event>)> {
    if let Step::NoteSecrets(note) = step {
        return Some((note.key.clone(), None));
    }
    let (key, changed) = match step {
        Step::Restart { note, changed } => (&note.key, changed.clone()),
        // What was to be written anyway has taken it along.
        step => {
            let key = step
                .written()
                .filter(|_| matches!(done, Done::Configured(_)))?;
            match plan(world.restarts.get(key)?) {
                Plan::Restart { changed, .. } => (key, changed),
                Plan::Rest | Plan::Note(_) => return None,
            }
        }
    };
    Some((key.clone(), Some(restarted(key, &changed))))
}

fn restarted(key: &ObjectKey, changed: &Changed) -> Event {
    let changed = named(changed);
    Event {
        warning: false,
        reason: RESTARTED,
        message: format!("started the Pods of {key} anew, since Secrets have changed: {changed}"),
    }
}

fn failed(key: &ObjectKey, error: &str) -> Event {
    Event {
        warning: true,
        reason: FAILED,
        message: format!("can't note which Secrets the Pods of {key} were started with: {error}"),
    }
}
