//! Replacing a live object by the wanted one: what Git does not say is gone, whoever wrote it.
//! It then applies the object, so that its fields are ours like those of any other.

use kube::Api;
use kube::api::{DynamicObject, PostParams};
use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::adoption::REPLACES;
use super::answer::failure;
use super::restart::with_notes_of;
use super::write::{TakeOver, items_between, not_wanted, too_slow};
use super::{Answer, Executor, body};
use crate::sync::compare::close::Predicted;
use crate::sync::desired::Wanted;
use crate::sync::key::ObjectKey;
use crate::sync::outcome::{Done, Failure};

/// Whether the API server is to replace an object, or to tell what would become of that.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    ToWrite,
    ToTell,
}

impl Executor<'_> {
    /// Replaces the live object of a key; makes it where there is none.
    pub(super) async fn replace(&self, key: &ObjectKey) -> Answer {
        self.writing(key, async |api, resource, wanted| {
            let live = api.get_opt(key.name()).await?;
            if let Some(live) = &live
                && let Err(failure) = self.put(api, wanted, live, Asks::ToWrite).await?
            {
                return Ok(Err(failure));
            }
            self.write_over(api, resource, wanted, TakeOver::Yes, live)
                .await
        })
        .await
    }

    /// What would become of replacing the live object of a key.
    pub(super) async fn replace_dry(&self, key: &ObjectKey) -> Answer {
        let Some(wanted) = self.wanted(key) else {
            return Ok(Err(not_wanted(key)));
        };
        let (api, _) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let asked = async {
            match api.get_opt(key.name()).await? {
                Some(live) => {
                    let put = self.put(&api, wanted, &live, Asks::ToTell).await?;
                    let items = |after| items_between(key, Some(&live), &after);
                    Ok(Some(put.map(|after| Done::Configured(items(after)))))
                }
                None => Ok(None),
            }
        };
        match asked.await {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => self.dry_run_write(key).await,
            Err(error) => failure(key, error).map(Err),
        }
    }

    /// The object as it is then.
    async fn put(
        &self,
        api: &Api<DynamicObject>,
        wanted: &Wanted,
        live: &DynamicObject,
        asks: Asks,
    ) -> Result<Result<DynamicObject, Failure>, kube::Error> {
        let key = &wanted.key;
        let params = PostParams {
            dry_run: asks == Asks::ToTell,
            field_manager: Some(REPLACES.to_owned()),
        };
        let body = match body::of_replacement(wanted, live) {
            Ok(body) => in_place_of(&live.metadata, &self.with_notes(key, body))?,
            Err(problem) => return Ok(Err(too_slow(key, &problem))),
        };
        api.replace(key.name(), &params, &body).await.map(Ok)
    }
}

/// What replacing a live object would make of it, as the API server predicts it; `None` where that can't be told.
///
/// # Errors
/// When the API server is away.
pub(in crate::sync) async fn predicted(
    api: &Api<DynamicObject>,
    wanted: &Wanted,
    live: &DynamicObject,
) -> Result<Option<Predicted>, kube::Error> {
    let params = PostParams {
        dry_run: true,
        field_manager: Some(REPLACES.to_owned()),
    };
    let body = match body::of_replacement(wanted, live) {
        Ok(body) => in_place_of(&live.metadata, &with_notes_of(live, body))?,
        Err(_) => return Ok(None),
    };
    match api.replace(wanted.key.name(), &params, &body).await {
        Ok(predicted) => Ok(Some(Predicted::Object(predicted.into()))),
        Err(error) => failure(&wanted.key, error).map(|_| None),
    }
}

/// The wanted object as the next version of the live one. What others hold on to it by is no content and stays.
fn in_place_of(live: &ObjectMeta, wanted: &Value) -> Result<DynamicObject, kube::Error> {
    let mut object = wanted.clone();
    let metadata = &mut object["metadata"];
    metadata["uid"] = json!(live.uid);
    metadata["resourceVersion"] = json!(live.resource_version);
    metadata["ownerReferences"] = json!(live.owner_references);
    if metadata.get("finalizers").is_none() {
        metadata["finalizers"] = json!(live.finalizers);
    }
    serde_json::from_value(object).map_err(kube::Error::SerdeError)
}
