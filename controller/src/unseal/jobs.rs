//! The work in hand: each job brings one SealedSecret into effect, or deletes the Secret of one that has gone.
//! It must not lose a job: whatever becomes of one, its name and number come back.

use std::collections::HashMap;
use std::sync::Arc;

use crds::SealedSecret;
use kube::core::DynamicObject;
use tokio::task::{Id, JoinSet};

use super::queue::{Ended, Job, JobId};
use super::{ObjectName, UnsealOutcome, Unsealer, apply};
use crate::run;

/// Jobs that run. Those that the queue did not give out have no number there.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    running: JoinSet<Ended>,
    ids: HashMap<Id, Option<JobId>>,
}

impl Jobs {
    pub(super) fn spawn(
        &mut self,
        id: Option<JobId>,
        job: impl Future<Output = Ended> + Send + 'static,
    ) {
        let task = self.running.spawn(job).id();
        self.ids.insert(task, id);
    }

    /// How many run.
    pub(super) fn len(&self) -> usize {
        self.running.len()
    }

    /// The next job that ends. One that panics has failed like any other: its object is tried again after a pause.
    pub(super) async fn next(&mut self) -> Option<(Option<JobId>, Ended)> {
        let (task, how) = match self.running.join_next_with_id().await? {
            Ok((task, how)) => (task, how),
            Err(error) => (error.id(), Ended::Failed),
        };
        let id = self
            .ids
            .remove(&task)
            .expect("invariant: each running job was noted");
        Some((id, how))
    }
}

pub(super) fn decode(object: &DynamicObject) -> Result<SealedSecret, crds::DecodeError> {
    let mut value = serde_json::Map::new();
    let parts = [
        ("metadata", serde_json::to_value(&object.metadata).ok()),
        ("spec", object.data.get("spec").cloned()),
        ("status", object.data.get("status").cloned()),
    ];
    value.extend(
        parts
            .into_iter()
            .filter_map(|(field, part)| Some((field.to_owned(), part?))),
    );
    crds::decode(&value.into())
}

/// Brings one SealedSecret into effect.
pub(super) async fn work(unsealer: Arc<Unsealer>, job: Job) -> Ended {
    let Job { id, object, hints } = job;
    let name = id.name;
    let result = match object {
        Some(sealed) => unsealer.bring_into_effect(&sealed, hints).await,
        None => match fetch(&unsealer, &name).await {
            Ok(None) => return Ended::Calm,
            Ok(Some(object)) => match decode(&object) {
                Ok(sealed) => unsealer.bring_into_effect(&sealed, hints).await,
                Err(error) => unsealer.refuse_malformed(&object, error.to_string()).await,
            },
            Err(error) => Err(error),
        },
    };
    match result {
        Ok(UnsealOutcome::Unchanged) => Ended::Calm,
        Ok(UnsealOutcome::Created | UnsealOutcome::Updated) => Ended::Wrote,
        Ok(UnsealOutcome::Refused(_)) => Ended::Failed,
        Err(error) => {
            tracing::warn!(key = %name, error = run::chain(&error), "Error updating, will retry");
            Ended::Unreachable
        }
    }
}

async fn fetch(unsealer: &Unsealer, name: &ObjectName) -> kube::Result<Option<DynamicObject>> {
    apply::sealed_secrets(&unsealer.client, name)
        .get_opt(&name.name)
        .await
        .inspect_err(|_| unsealer.count_error("fetch", name))
}

pub(super) async fn delete(
    unsealer: Arc<Unsealer>,
    name: ObjectName,
    owner: Option<String>,
) -> Ended {
    let _held = unsealer.locks.hold(&name).await;
    if let Err(error) = apply::delete_secret(&unsealer.client, &name, owner.as_deref()).await {
        tracing::warn!(key = %name, error = run::chain(&error), "can't delete the Secret");
    }
    Ended::Calm
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::super::queue::{Place, Policy, Queue};
    use super::*;

    #[tokio::test]
    async fn a_job_that_panics_comes_back_as_failed() {
        let mut queue = Queue::new(Policy {
            quick_retries: 0,
            self_heal: true,
        });
        let mut take = |name: &str| {
            let name = ObjectName {
                namespace: "ns".to_owned(),
                name: name.to_owned(),
            };
            queue.exists(&name, 1);
            queue.want(&name, None, Place::Fresh);
            queue.take(Instant::now()).map(|job| job.id)
        };
        let mut jobs = Jobs::default();
        for (id, how) in [
            (take("odd"), Ended::Failed),
            (take("sound"), Ended::Calm),
            (None, Ended::Calm),
        ] {
            jobs.spawn(id.clone(), async move {
                match how {
                    Ended::Failed => panic!("a defect of ours"),
                    how => how,
                }
            });
            assert_eq!(jobs.next().await, Some((id, how)));
        }
        assert_eq!(jobs.next().await, None);
        assert!(jobs.ids.is_empty());
    }
}
