//! Comparing one object closely: read it, compare what is wanted with what is there, and let a dry-run decide where they differ.
//! It writes nothing; what it finds stays in the live index until somebody changes the object.

use crds::names::FIELD_MANAGER;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};

use super::{
    Answer, Executor,
    answer::{failure, refuses_dry_run},
};
use crate::sync::{
    compare::close::{self, Predicted},
    desired::Wanted,
    key::ObjectKey,
    outcome::{Done, Failure, FailureReason},
    world::LiveState,
};

/// How long a field taken from us is remembered: three times within it is a fight.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(5);

impl Executor<'_> {
    /// Compares the wanted object of a key with the live one.
    pub(super) async fn verify(&self, key: &ObjectKey, urgent: bool) -> Answer {
        let _pace = if urgent {
            None
        } else {
            self.engine.pace.acquire().await.ok()
        };
        let (api, resource) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let object = match api.get_opt(&key.name).await {
            Ok(Some(object)) => object,
            Ok(None) => {
                self.engine.live.index().absent(key);
                return Ok(Ok(Done::Noted));
            }
            Err(error) => return self.unread(key, failure(key, error)?),
        };
        let seen = self.engine.live.sight(object.clone(), &resource);
        let digest = seen.digest;
        self.engine.live.see(key, seen);
        if let Some(wanted) = self.wanted(key) {
            let state = self.compare(&api, wanted, &object).await?;
            if let LiveState::Differs { .. } = &state {
                self.remember_takes(wanted, &object);
            }
            self.engine.live.index().compared(key, digest, state);
        }
        Ok(Ok(Done::Noted))
    }

    async fn compare(
        &self,
        api: &Api<DynamicObject>,
        wanted: &Wanted,
        object: &DynamicObject,
    ) -> Result<LiveState, kube::Error> {
        if let Some(state) = close::at_first_sight(wanted, object) {
            return Ok(state);
        }
        let params = PatchParams::apply(FIELD_MANAGER).force().dry_run();
        let body = Patch::Apply(&wanted.object);
        let predicted = match api.patch(&wanted.key.name, &params, &body).await {
            Ok(predicted) => Predicted::Object(predicted.into()),
            Err(kube::Error::Api(status)) if refuses_dry_run(&status) => Predicted::NoDryRun,
            Err(error) => Predicted::Refusal(failure(&wanted.key, error)?),
        };
        Ok(close::by_prediction(wanted, object, predicted))
    }

    /// An object that can't be read stays unverified, with the reason.
    fn unread(&self, key: &ObjectKey, failure: Failure) -> Answer {
        let state = match failure.reason {
            FailureReason::Forbidden => LiveState::Forbidden {
                message: failure.message,
            },
            _ => LiveState::Unreadable {
                message: failure.message,
            },
        };
        self.engine.live.index().undecided(key, state);
        Ok(Ok(Done::Noted))
    }

    fn remember_takes(&self, wanted: &Wanted, object: &DynamicObject) {
        let at = self.world.now;
        let takes = close::takes(wanted, object, at);
        let since = at.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.engine.live.index().taken(&wanted.key, takes, since);
    }
}
