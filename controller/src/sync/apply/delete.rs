//! Deleting one object: exactly the one that was looked at, its children before or after it.
//! It never deletes by name alone.

use kube::api::{DeleteParams, Preconditions, PropagationPolicy};

use super::{Answer, Executor, answer::failure};
use crate::{
    dialect::Cascade,
    sync::{key::ObjectKey, outcome::Done},
};

/// Only the object with this uid is deleted.
pub(super) fn params(uid: &str, propagation: Cascade) -> DeleteParams {
    DeleteParams {
        propagation_policy: Some(match propagation {
            Cascade::Foreground => PropagationPolicy::Foreground,
            Cascade::Background => PropagationPolicy::Background,
            Cascade::Orphan => PropagationPolicy::Orphan,
        }),
        preconditions: Some(Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    }
}

impl Executor<'_> {
    /// Asks for deletion. That it is gone, the live index tells.
    pub(super) async fn delete(&self, key: &ObjectKey, uid: &str, propagation: Cascade) -> Answer {
        self.delete_with(key, &params(uid, propagation)).await
    }

    pub(super) async fn delete_with(&self, key: &ObjectKey, params: &DeleteParams) -> Answer {
        let (api, _) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        match api.delete(&key.name, params).await {
            Ok(_) => Ok(Ok(Done::Deleted)),
            // In plain text where its kind has gone too, so only the code says it.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Ok(Done::Deleted)),
            Err(error) => failure(key, error).map(Err),
        }
    }
}
