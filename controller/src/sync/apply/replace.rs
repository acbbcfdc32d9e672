//! Replacing a live object by the wanted one: what Git does not say is gone, whoever wrote it.
//! It then applies the object, so that its fields are ours like those of any other.

use kube::api::{DynamicObject, PostParams};
use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::adoption::REPLACES;
use super::write::{TakeOver, too_slow};
use super::{Answer, Executor, body};
use crate::sync::key::ObjectKey;

impl Executor<'_> {
    /// Replaces the live object of a key; makes it where there is none.
    pub(super) async fn replace(&self, key: &ObjectKey) -> Answer {
        self.writing(key, async |api, resource, wanted| {
            if let Some(live) = api.get_opt(&key.name).await? {
                let params = PostParams {
                    field_manager: Some(REPLACES.to_owned()),
                    ..PostParams::default()
                };
                let body = match body::of_replacement(wanted, &live) {
                    Ok(body) => in_place_of(&live.metadata, &self.with_note(key, body))?,
                    Err(problem) => return Ok(Err(too_slow(key, &problem))),
                };
                api.replace(&key.name, &params, &body).await?;
            }
            self.write(api, resource, wanted, TakeOver::Yes).await
        })
        .await
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
