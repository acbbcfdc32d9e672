//! A sync that somebody asked for by writing `.operation`, in our own words.
//! It must not decide whether the sync may run.

use crds::{Application, InitiatedBy, Operation, SyncOperation, SyncStrategy, SyncStrategyOptions};

use super::argocd;
use super::intent::RetryPolicy;
use super::refusal::Refusal;
use super::sync_options::SyncOptions;

/// A sync that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationRequest {
    /// Sync to these revisions, one for each source, instead of the Application's.
    pub revisions: Option<Vec<String>>,
    /// Sync these objects alone; all when it is empty.
    pub only: Vec<RequestedObject>,
    /// Delete what left the repository.
    pub prune: bool,
    /// Ask the API server what would become of each write, and write nothing.
    pub dry_run: bool,
    /// Hooks run in it.
    pub runs_hooks: bool,
    /// What its sync options ask for, in addition to the Application's own.
    pub options: SyncOptions,
    /// How to try again; `None` is once.
    pub retry: Option<RetryPolicy>,
    /// Who asked.
    pub initiated_by: InitiatedBy,
}

/// An object that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedObject {
    /// Its API group; empty for the core group.
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace; without it the one of that name, wherever it is.
    pub namespace: Option<String>,
}

/// The sync that `.operation` asks for; `None` when there is no request. The `application` is redacted, so that its sources compare with
/// what a status repeats of them; `written` is its request before that, in which nothing is left out.
///
/// # Errors
/// Every field and option of the request that is refused.
pub fn operation(
    application: &Application,
    written: Option<&Operation>,
) -> Result<Option<OperationRequest>, Vec<Refusal>> {
    let Some((operation, written)) = application.operation.as_ref().zip(written) else {
        return Ok(None);
    };
    argocd::operation::request(operation, written, &application.spec).map(Some)
}

/// What the options of a request ask for, in addition to the Application's own. It never fails: what else is wrong with
/// the request takes no protection away.
pub fn requested_options(operation: &Operation) -> SyncOptions {
    argocd::operation::options(operation)
}

/// The operation applies objects and runs no hooks.
pub fn applies_without_hooks(sync: &SyncOperation) -> bool {
    let strategy = sync.sync_strategy.as_ref();
    strategy.is_some_and(|strategy| strategy.apply.is_some())
}

/// What an operation carries that applies objects and runs no hooks.
pub fn strategy_without_hooks() -> SyncStrategy {
    SyncStrategy {
        apply: Some(SyncStrategyOptions::default()),
        ..SyncStrategy::default()
    }
}
