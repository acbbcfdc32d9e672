//! Deleting one object: exactly the one that was looked at, its children before or after it.
//! It never deletes by name alone.

use kube::api::{DeleteParams, Preconditions, PropagationPolicy};

use super::{Answer, Executor, answer::write_failure};
use crate::{
    dialect::Cascade,
    sync::{
        key::ObjectKey,
        outcome::{Done, Failure},
    },
};

/// How far a deletion is.
enum Deletion {
    /// Something keeps the object: its children, or a finalizer.
    Begun,
    /// There is no such object.
    Over,
}

/// Only the object with this uid is deleted.
fn params(uid: &str, propagation: Cascade) -> DeleteParams {
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
    /// Asks for deletion. What is answered counts at once: the watch that tells of it too may be interrupted, and until it goes on the
    /// object would be deleted again and again.
    pub(super) async fn delete(&self, key: &ObjectKey, uid: &str, propagation: Cascade) -> Answer {
        let deleted = self.delete_with(key, &params(uid, propagation)).await?;
        Ok(deleted.map(|state| {
            match state {
                Deletion::Begun => self.engine.live.index().deleting(key, uid),
                Deletion::Over => self.engine.live.lose(key, uid),
            }
            Done::Deleted
        }))
    }

    /// Asks whether it would be deleted.
    pub(super) async fn delete_dry(
        &self,
        key: &ObjectKey,
        uid: &str,
        propagation: Cascade,
    ) -> Answer {
        let params = params(uid, propagation).dry_run();
        let deleted = self.delete_with(key, &params).await?;
        Ok(deleted.map(|_| Done::Deleted))
    }

    async fn delete_with(
        &self,
        key: &ObjectKey,
        params: &DeleteParams,
    ) -> Result<Result<Deletion, Failure>, kube::Error> {
        let (api, _) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        match api.delete(key.name(), params).await {
            // The object is answered while it is there, and a `Status` once it is not.
            Ok(answer) if answer.is_left() => Ok(Ok(Deletion::Begun)),
            Ok(_) => Ok(Ok(Deletion::Over)),
            // In plain text where its kind has gone too, so only the code says it.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Ok(Deletion::Over)),
            Err(error) => write_failure(key, error).map(Err),
        }
    }
}
