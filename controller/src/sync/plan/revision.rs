//! At which revisions the sources of a pass are rendered: what an operation stays at, and when a newer commit takes over.
//! It must not ask a repository what a revision means.

use crds::OperationState;

use crate::dialect::{Intent, OperationRequest};
use crate::sync::plan::operation::is_running;
use crate::sync::plan::recorded;
use crate::sync::plan::{HeldBack, hold};
use crate::sync::revisions::Revisions;
use crate::sync::world::AppFacts;

/// The revision that each source is to be rendered at in this pass: those asked for by `.operation`; the commits that an
/// operation that runs stays at; those that a rollback keeps; else the newest, so that they take over. `newest` are the revisions
/// that the sources mean now, looked up where there was a rollback or these may not begin. An Application that is deleted is read at what it brought into
/// the cluster: the newest commit may not have its directory any more.
pub fn revisions_to_render(
    application: &AppFacts,
    intent: &Intent,
    request: Option<&OperationRequest>,
    newest: Option<&Revisions>,
    held_back: Option<&HeldBack>,
) -> Vec<String> {
    if application.deletion_timestamp.is_some() {
        let deployed = recorded::deployed(application);
        let fits = |deployed: &Revisions| deployed.all().len() == intent.sources.len();
        let all = deployed
            .filter(fits)
            .map(|deployed| deployed.all().to_vec());
        return all.unwrap_or_else(|| own(intent, newest));
    }
    if let Some(request) = request {
        let asked_for = request.revisions.clone();
        return asked_for.unwrap_or_else(|| written(intent));
    }
    let Some(state) = recorded::operation(application).filter(|state| is_running(state)) else {
        return own(intent, newest);
    };
    let request = recorded::request(application, state).filter(|_| !recorded::is_automated(state));
    let waits = held_back.is_some_and(|held_back| held_back.is(newest));
    if (waits || stays(application, intent, request.as_ref(), state))
        && let Some(pinned) = recorded::pinned(state)
        // A spec that has got another number of sources since then is another spec.
        && pinned.all().len() == intent.sources.len()
    {
        return pinned.all().to_vec();
    }
    request
        .and_then(|request| request.revisions)
        .unwrap_or_else(|| own(intent, newest))
}

fn own(intent: &Intent, newest: Option<&Revisions>) -> Vec<String> {
    match hold::standing(intent, newest) {
        Some(hold) => hold.at.clone(),
        None => written(intent),
    }
}

/// What the spec says.
pub(in crate::sync) fn written(intent: &Intent) -> Vec<String> {
    let sources = intent.sources.iter();
    sources.map(|source| source.revision.clone()).collect()
}

/// A request stays at the commit it began with, an automated operation gives way to a newer one of the same source; once
/// it failed, it is as `retry.refresh` says.
fn stays(
    application: &AppFacts,
    intent: &Intent,
    request: Option<&OperationRequest>,
    state: &OperationState,
) -> bool {
    let failed = state.retry_count > 0;
    match recorded::is_automated(state) {
        true => {
            failed
                && !intent.retry.unwrap_or_default().refresh
                && recorded::is_of_sources(application, state)
        }
        false => {
            let retry = request.and_then(|request| request.retry);
            !(failed && retry.is_some_and(|retry| retry.refresh))
        }
    }
}
