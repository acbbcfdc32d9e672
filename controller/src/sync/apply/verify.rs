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
    body,
    restart::with_notes_of,
};
use crate::ignore::Problem;
use crate::sync::{
    compare::close::{Pair, Predicted},
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
        let object = match api.get_opt(key.name()).await {
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
            let state = match Pair::of(wanted, &object) {
                Ok(pair) => {
                    let state = self.compare(&api, wanted, &object, &pair).await?;
                    if let LiveState::Differs { .. } = &state {
                        self.remember_takes(key, &pair);
                    }
                    state
                }
                Err(state) => state,
            };
            self.engine.live.index().compared(key, digest, state);
        }
        Ok(Ok(Done::Noted))
    }

    async fn compare(
        &self,
        api: &Api<DynamicObject>,
        wanted: &Wanted,
        object: &DynamicObject,
        pair: &Pair<'_>,
    ) -> Result<LiveState, kube::Error> {
        if let Some(state) = pair.at_first_sight() {
            return Ok(state);
        }
        match predicted(api, wanted, object).await? {
            Ok(predicted) => Ok(pair.by_prediction(predicted)),
            Err(problem) => Ok(LiveState::Unreadable {
                wanted: wanted.hash,
                message: problem.to_string(),
            }),
        }
    }

    /// An object that can't be read stays unverified, with the reason.
    fn unread(&self, key: &ObjectKey, failure: Failure) -> Answer {
        if let Some(wanted) = self.wanted(key) {
            let (wanted, message) = (wanted.hash, failure.message);
            let state = match failure.reason {
                FailureReason::Forbidden => LiveState::Forbidden { wanted, message },
                _ => LiveState::Unreadable { wanted, message },
            };
            self.engine.live.index().undecided(key, state);
        }
        Ok(Ok(Done::Noted))
    }

    fn remember_takes(&self, key: &ObjectKey, pair: &Pair<'_>) {
        let at = self.world.now;
        let takes = pair.takes(at);
        let since = at.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.engine.live.index().taken(key, takes, since);
    }
}

/// What an apply would make of a live object, as the API server predicts it; or which rule for differences was not done.
///
/// # Errors
/// When the API server is away.
pub(in crate::sync) async fn predicted(
    api: &Api<DynamicObject>,
    wanted: &Wanted,
    live: &DynamicObject,
) -> Result<Result<Predicted, Problem>, kube::Error> {
    let params = PatchParams::apply(FIELD_MANAGER).force().dry_run();
    let body = match body::of_apply(wanted, live) {
        Ok(body) => Patch::Apply(with_notes_of(live, body)),
        Err(problem) => return Ok(Err(problem)),
    };
    let predicted = match api.patch(wanted.key.name(), &params, &body).await {
        Ok(predicted) => Predicted::Object(predicted.into()),
        Err(kube::Error::Api(status)) if refuses_dry_run(&status) => Predicted::NoDryRun,
        Err(error) => Predicted::Refusal(failure(&wanted.key, error)?),
    };
    Ok(Ok(predicted))
}
