//! A sync that somebody asked for by writing `.operation`, in our own words.
//! It must not decide whether the sync may run.

use crds::{Application, InitiatedBy};

use super::argocd;
use super::intent::{ObjectDefaults, RetryPolicy};
use super::refusal::Refusal;

/// A sync that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRequest {
    /// Sync to these revisions, one for each source, instead of the Application's.
    pub revisions: Option<Vec<String>>,
    /// Delete what left the repository.
    pub prune: bool,
    /// Make the destination namespace when it does not exist, also if the spec does not say so.
    pub create_namespace: bool,
    /// Restrictions in addition to the Application's.
    pub defaults: ObjectDefaults,
    /// How to try again; `None` is once.
    pub retry: Option<RetryPolicy>,
    /// Who asked.
    pub initiated_by: InitiatedBy,
}

/// The sync that `.operation` asks for; `None` when there is no request.
///
/// # Errors
/// Every field and option of the request that is refused.
pub fn operation(application: &Application) -> Result<Option<OperationRequest>, Vec<Refusal>> {
    application
        .operation
        .as_ref()
        .map(|operation| argocd::operation::request(operation, &application.spec))
        .transpose()
}
