//! Comparing one object closely: read it, compare what is wanted with what is there, and let a dry-run decide where they differ.
//! It writes nothing; what it finds stays in the live index until somebody changes the object.

use crds::names::FIELD_MANAGER;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::Value;

use super::{
    Answer, Executor,
    answer::{failure, refuses_dry_run},
};
use crate::sync::{
    compare,
    compare::ownership::{self, Lost},
    desired::Wanted,
    key::ObjectKey,
    observe::live::Seen,
    outcome::{Done, Failure, FailureReason},
    world::{LiveState, Take},
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
        let seen = Seen::whole(object.clone(), &resource);
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
        let live = comparable(object);
        let managed = object
            .metadata
            .managed_fields
            .as_deref()
            .unwrap_or_default();
        let added = ownership::added_by_people(managed);
        let differs = |mut fields: Vec<String>| {
            fields.extend(added.clone());
            if fields.is_empty() {
                LiveState::Matches(wanted.hash)
            } else {
                LiveState::Differs {
                    wanted: wanted.hash,
                    fields,
                }
            }
        };
        let missing = compare::differences(&wanted.object, &live);
        // A field that is not ours any more may have grown: a list or map that is owned as a whole.
        if missing.is_empty() && ownership::lost(&wanted.object, managed).is_empty() {
            return Ok(differs(Vec::new()));
        }
        let params = PatchParams::apply(FIELD_MANAGER).force().dry_run();
        match api
            .patch(&wanted.key.name, &params, &Patch::Apply(&wanted.object))
            .await
        {
            Ok(predicted) => Ok(differs(changes(&live, &comparable(&predicted)))),
            Err(kube::Error::Api(status)) if refuses_dry_run(&status) => Ok(differs(missing)),
            Err(error) => Ok(undecided(
                wanted,
                failure(&wanted.key, error)?,
                differs(missing),
            )),
        }
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
        let managed = object
            .metadata
            .managed_fields
            .as_deref()
            .unwrap_or_default();
        let at = self.world.now;
        let lost = ownership::lost(&wanted.object, managed).into_iter();
        let takes = lost.filter_map(|Lost { field, manager }| {
            Some(Take {
                at,
                manager: manager?,
                field,
            })
        });
        let since = at.checked_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
        self.engine
            .live
            .index()
            .taken(&wanted.key, takes.collect(), since);
    }
}

/// What a refused dry-run says of the object. One that would be invalid differs, and applying it tells why.
fn undecided(wanted: &Wanted, failure: Failure, differs: LiveState) -> LiveState {
    let Failure { reason, message } = failure;
    match reason {
        FailureReason::ImmutableField => LiveState::Immutable {
            wanted: wanted.hash,
            message,
        },
        FailureReason::Forbidden => LiveState::Forbidden { message },
        FailureReason::Invalid | FailureReason::NotFound => differs,
        FailureReason::Conflict | FailureReason::NotUnsealed | FailureReason::Unavailable => {
            LiveState::Unreadable { message }
        }
    }
}

/// Names of the fields that a dry-run would set, change or remove.
fn changes(live: &Value, predicted: &Value) -> Vec<String> {
    let mut fields = compare::differences(predicted, live);
    fields.extend(compare::differences(live, predicted));
    fields.sort();
    fields.dedup();
    fields
}

/// An object without what every write changes.
fn comparable(object: &DynamicObject) -> Value {
    let mut metadata = object.metadata.clone();
    metadata.managed_fields = None;
    metadata.resource_version = None;
    metadata.generation = None;
    let mut value = object.data.clone();
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    if let Some(types) = &object.types {
        value["apiVersion"] = types.api_version.as_str().into();
        value["kind"] = types.kind.as_str().into();
    }
    value["metadata"] = serde_json::json!(metadata);
    value
}
