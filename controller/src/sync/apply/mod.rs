//! Executes the steps of a plan, in order: what it finds due it does, and tells what became of each.
//! It decides nothing; an object that refuses is an outcome, and only an API server that is away ends it early.

pub(super) mod adoption;

pub(super) mod answer;
mod body;
mod delete;
mod dry_run;
mod hook;
mod namespace;
pub(super) mod replace;
mod restart;
mod unseal;
pub(super) mod verify;
mod write;

use futures::{StreamExt, TryStreamExt, stream};
use kube::{Api, api::DynamicObject, core::ApiResource};

use write::TakeOver;

use crate::sync::{
    desired::Wanted,
    engine::Engine,
    items::Items,
    key::ObjectKey,
    observe::discovery::api_resource,
    outcome::{Done, Failure, FailureReason, Outcome},
    plan::{PlannedStep, Step},
    world::World,
};

/// Requests of one pass at a time. Together with the passes at once it stays in the range that one client is allowed.
const REQUESTS: usize = 8;

/// What became of one step; `Err` only when the API server is away.
type Answer = Result<Result<Done, Failure>, kube::Error>;

/// Executes steps for one Application as one World shows it.
pub(crate) struct Executor<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) world: &'a World,
}

impl Executor<'_> {
    /// Executes all steps. Steps that follow a failed one they stand on are left to a later plan.
    ///
    /// # Errors
    /// When the API server is away, or was for so long that another process may have begun to write.
    pub(crate) async fn execute(&self, steps: &[PlannedStep]) -> Result<Vec<Outcome>, kube::Error> {
        let mut outcomes = Vec::new();
        for batch in steps.chunk_by(goes_together) {
            if !self.engine.context.leadership.leads() {
                return Err(kube::Error::Service("another process may write now".into()));
            }
            let steps: Vec<_> = batch.iter().map(|step| self.step(step)).collect();
            let done: Vec<Outcome> = stream::iter(steps).buffered(REQUESTS).try_collect().await?;
            let stop = done.iter().any(stops_the_rest);
            outcomes.extend(done);
            if stop {
                break;
            }
        }
        Ok(outcomes)
    }

    async fn step(&self, planned: &PlannedStep) -> Result<Outcome, kube::Error> {
        let result = match &planned.step {
            Step::CreateNamespace(name) => self.create_namespace(name).await?,
            Step::ApplyNamespace(name) => self.apply_namespace(name).await?,
            Step::Verify { key, urgent } => self.verify(key, *urgent).await?,
            Step::Apply(key) => self.apply(key, TakeOver::Yes).await?,
            Step::Merge(key) => self.apply(key, TakeOver::No).await?,
            Step::Replace(key) => self.replace(key).await?,
            Step::NoteSecrets(note) | Step::Restart { note, .. } => self.note_secrets(note).await?,
            Step::Unseal(key) => self.unseal(key).await?,
            Step::Delete {
                key,
                uid,
                propagation,
            } => self.delete(key, uid, *propagation).await?,
            Step::DryRun { asks: false, .. } => Ok(Done::Created(Items::default())),
            Step::DryRun { step, asks: true } => self.dry_run(step).await?,
            Step::RunHook(run) => self.run_hook(run).await?,
            Step::ReleaseHook { key, uid } => self.release_hook(key, uid).await?,
            Step::DeleteHook { key, uid } => self.delete_hook(key, uid).await?,
            // It writes the Application itself: the pass does, before it calls us.
            Step::ClaimInventory => Ok(Done::Noted),
            Step::Await(_)
            | Step::WaitHealthy(_)
            | Step::WaitGone(_)
            | Step::WaitApproval(_)
            | Step::WaitHooks(_) => Ok(Done::Noted),
        };
        Ok(Outcome {
            step: planned.clone(),
            result,
        })
    }

    /// Where requests for a live or wanted object go.
    fn api(&self, key: &ObjectKey) -> Result<(Api<DynamicObject>, ApiResource), Failure> {
        self.api_of(key, self.version(key))
    }

    fn api_of(
        &self,
        key: &ObjectKey,
        version: Option<String>,
    ) -> Result<(Api<DynamicObject>, ApiResource), Failure> {
        let kind = key.group_kind();
        let found = version.and_then(|version| api_resource(&self.world.kinds, &kind, &version));
        let Some((resource, namespaced)) = found else {
            return Err(Failure {
                reason: FailureReason::NotFound,
                message: format!("{key}: the cluster does not serve this kind"),
            });
        };
        let client = self.engine.context.client.clone();
        let api = match (key.namespace(), namespaced) {
            (Some(namespace), true) => Api::namespaced_with(client, namespace, &resource),
            _ => Api::all_with(client, &resource),
        };
        Ok((api, resource))
    }

    /// The version Git writes, else one that the cluster serves.
    fn version(&self, key: &ObjectKey) -> Option<String> {
        match self.wanted(key) {
            Some(wanted) => Some(wanted.version.clone()),
            None => self
                .world
                .kinds
                .versions(&key.group_kind())
                .next()
                .map(str::to_owned),
        }
    }

    fn wanted(&self, key: &ObjectKey) -> Option<&Wanted> {
        self.world.source.as_ref().ok()?.desired.objects.get(key)
    }
}

/// Neighbouring steps that may run at once: the same deed, on the same kind, in the same place.
fn goes_together(first: &PlannedStep, second: &PlannedStep) -> bool {
    first.slot == second.slot
        && match (&first.step, &second.step) {
            (Step::Verify { .. }, Step::Verify { .. }) | (Step::Unseal(_), Step::Unseal(_)) => true,
            (Step::Delete { .. }, Step::Delete { .. })
            | (Step::ReleaseHook { .. }, Step::ReleaseHook { .. })
            | (Step::DeleteHook { .. }, Step::DeleteHook { .. })
            | (Step::NoteSecrets(_), Step::NoteSecrets(_))
            | (Step::DryRun { .. }, Step::DryRun { .. }) => true,
            (Step::RunHook(first), Step::RunHook(second)) => {
                first.key.is(second.key.group(), second.key.kind())
            }
            (Step::Apply(first), Step::Apply(second))
            | (Step::Merge(first), Step::Merge(second))
            | (Step::Replace(first), Step::Replace(second)) => {
                first.is(second.group(), second.kind())
            }
            _ => false,
        }
}

/// Nothing can go into a namespace that is not there, and users of a Secret come after it.
fn stops_the_rest(outcome: &Outcome) -> bool {
    outcome.result.is_err()
        && matches!(
            outcome.step.step,
            Step::CreateNamespace(_) | Step::ApplyNamespace(_) | Step::Unseal(_)
        )
}
