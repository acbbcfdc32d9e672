//! Unsealing as a step: the same engine as the watch of SealedSecrets, for the object that was just applied.
//! It writes no Secret itself.

use crds::SealedSecret;
use kube::Api;

use super::{
    Answer, Executor,
    answer::{failure, write_failure},
};
use crate::{
    sync::{
        items::Items,
        key::ObjectKey,
        outcome::{Done, Failure, FailureReason},
    },
    unseal::UnsealOutcome,
};

impl Executor<'_> {
    /// Unseals the live SealedSecret of a key.
    pub(super) async fn unseal(&self, key: &ObjectKey) -> Answer {
        let api = Api::<SealedSecret>::namespaced(
            self.engine.context.client.clone(),
            key.namespace_or_empty(),
        );
        let sealed = match api.get(key.name()).await {
            Ok(sealed) => sealed,
            Err(error) => return failure(key, error).map(Err),
        };
        match self.engine.context.unsealer.unseal(&sealed).await {
            Ok(UnsealOutcome::Created) => Ok(Ok(Done::Created(Items::default()))),
            Ok(UnsealOutcome::Updated) => Ok(Ok(Done::Configured(Items::default()))),
            Ok(UnsealOutcome::Unchanged) => Ok(Ok(Done::Unchanged)),
            Ok(UnsealOutcome::Refused(reason)) => Ok(Err(Failure {
                reason: FailureReason::NotUnsealed,
                message: format!("{key}: {reason}"),
            })),
            Err(error) => write_failure(key, error).map(Err),
        }
    }
}
