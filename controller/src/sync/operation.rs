//! Which operation is in effect: the one that runs, one that was asked for, or one that the sync policy begins.
//! It decides from the cluster and the Application's status alone, so that a restart in mid-sync continues.

use super::world::AppFacts;
use crate::dialect::{Intent, OperationRequest};

/// The revision that the source of this pass is to be rendered at: the one asked for by `.operation`; the commit that is
/// pinned by a requested operation that runs; else the Application's own, so that a new commit supersedes an automated one.
pub fn revision_to_render(
    application: &AppFacts,
    intent: &Intent,
    request: Option<&OperationRequest>,
) -> String {
    let own = || intent.source.revision.clone();
    if let Some(request) = request {
        return request.revision.clone().unwrap_or_else(own);
    }
    pinned(application).unwrap_or_else(own)
}

fn pinned(application: &AppFacts) -> Option<String> {
    let running = application
        .status
        .operation_state
        .as_ref()
        .filter(|state| state.phase == "Running")?;
    let automated = running
        .operation
        .initiated_by
        .as_ref()
        .is_some_and(|by| by.automated);
    let revision = &running.sync_result.as_ref()?.revision;
    (!automated && !revision.is_empty()).then(|| revision.clone())
}
