//! Writing a wanted object: one server-side apply under our manager, preceded by taking over what kubectl and Argo CD own.
//! It changes nothing that the wanted object does not say.

use std::borrow::Cow;

use crds::names::FIELD_MANAGER;
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, Patch, PatchParams},
    core::{ApiResource, PartialObjectMeta},
};
use serde_json::{Value, json};

use super::{Answer, Executor, answer::write_failure, body};
use crate::ignore::Problem;
use crate::sync::{
    apply::adoption::Adoption,
    desired::Wanted,
    items::{Items, holds_secrets},
    key::ObjectKey,
    observe::live::Seen,
    outcome::{Done, Failure, FailureReason},
    world::LiveState,
};

/// Whether fields of predecessors and people become ours.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TakeOver {
    Yes,
    No,
}

/// So often an object that somebody else writes at the same time is looked at anew.
const TRIES: usize = 5;

impl Executor<'_> {
    /// Applies the wanted object of a key.
    pub(super) async fn apply(&self, key: &ObjectKey, take_over: TakeOver) -> Answer {
        self.writing(key, async |api, resource, wanted| {
            self.write(api, resource, wanted, take_over).await
        })
        .await
    }

    /// Does `work` to the live object of a key, and lets the index know that what it sees meanwhile is ours.
    pub(super) async fn writing(
        &self,
        key: &ObjectKey,
        work: impl AsyncFnOnce(&Api<DynamicObject>, &ApiResource, &Wanted) -> Answer,
    ) -> Answer {
        match self.wanted(key) {
            Some(wanted) => self.writing_as(wanted, work).await,
            None => Ok(Err(not_wanted(key))),
        }
    }

    /// The same where the object is not as Git says: what a hook makes.
    pub(super) async fn writing_as(
        &self,
        wanted: &Wanted,
        work: impl AsyncFnOnce(&Api<DynamicObject>, &ApiResource, &Wanted) -> Answer,
    ) -> Answer {
        let key = &wanted.key;
        let (api, resource) = match self.api_of(key, Some(wanted.version.clone())) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        let writing = self.engine.live.writing(key);
        let written = work(&api, &resource, wanted).await;
        drop(writing);
        match written {
            Err(error) => write_failure(key, error).map(Err),
            answer => answer,
        }
    }

    /// Applies a wanted object.
    pub(super) async fn write(
        &self,
        api: &Api<DynamicObject>,
        resource: &ApiResource,
        wanted: &Wanted,
        take_over: TakeOver,
    ) -> Answer {
        let before = self.with_items(api, &wanted.key).await?;
        self.write_over(api, resource, wanted, take_over, before)
            .await
    }

    /// The same of an object whose items were these.
    pub(super) async fn write_over(
        &self,
        api: &Api<DynamicObject>,
        resource: &ApiResource,
        wanted: &Wanted,
        take_over: TakeOver,
        before: Option<DynamicObject>,
    ) -> Answer {
        let key = &wanted.key;
        let takes_over = take_over == TakeOver::Yes;
        let needs_adoption = takes_over && self.engine.live.index().needs_adoption(key);
        if needs_adoption {
            adopt(api, wanted).await?;
        }
        let mut written = match self.patch(api, resource, wanted).await? {
            Ok(written) => written,
            Err(failure) => return Ok(Err(failure)),
        };
        if takes_over && Adoption::of(wanted).is_needed(&written.metadata) {
            // The object was there unknown to us, written by another tool: its fields could not be ours before we saw them.
            adopt(api, wanted).await?;
            written = match self.patch(api, resource, wanted).await? {
                Ok(written) => written,
                Err(failure) => return Ok(Err(failure)),
            };
        }
        let items = items_between(key, before.as_ref(), &written);
        let live = self.world.live.get(key);
        Ok(Ok(match (live, written.metadata.resource_version) {
            (None, _) => Done::Created(items),
            (Some(live), Some(version)) if live.resource_version == version => Done::Unchanged,
            (Some(_), _) => Done::Configured(items),
        }))
    }

    /// The live object of a key whose items are to be told: what they were is written down nowhere else.
    pub(super) async fn with_items(
        &self,
        api: &Api<DynamicObject>,
        key: &ObjectKey,
    ) -> Result<Option<DynamicObject>, kube::Error> {
        match holds_secrets(key) && self.world.live.contains_key(key) {
            true => api.get_opt(key.name()).await,
            false => Ok(None),
        }
    }

    /// Applies what is wanted, and where something is left alone, as it is just now: what we own we have to repeat.
    async fn patch(
        &self,
        api: &Api<DynamicObject>,
        resource: &ApiResource,
        wanted: &Wanted,
    ) -> Result<Result<DynamicObject, Failure>, kube::Error> {
        if !wanted.ignored.leaves_alone() {
            return self
                .send(api, resource, wanted, &wanted.object)
                .await
                .map(Ok);
        }
        for _ in 1..TRIES {
            match self.send_over(api, resource, wanted).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                answer => return answer,
            }
        }
        self.send_over(api, resource, wanted).await
    }

    /// On condition that nobody writes the object meanwhile.
    async fn send_over(
        &self,
        api: &Api<DynamicObject>,
        resource: &ApiResource,
        wanted: &Wanted,
    ) -> Result<Result<DynamicObject, Failure>, kube::Error> {
        let Some(live) = api.get_opt(wanted.key.name()).await? else {
            return self
                .send(api, resource, wanted, &wanted.object)
                .await
                .map(Ok);
        };
        let mut body = match body::of_apply(wanted, &live) {
            Ok(body) => body.into_owned(),
            Err(problem) => return Ok(Err(too_slow(&wanted.key, &problem))),
        };
        body["metadata"]["resourceVersion"] = json!(live.metadata.resource_version);
        self.send(api, resource, wanted, &body).await.map(Ok)
    }

    /// One server-side apply. What it answers is what the index knows from then on; a kind with health answers whole, so that nobody
    /// takes the light of the old generation for that of the new one. Of what it answers, this returns the metadata, and what holds items.
    async fn send(
        &self,
        api: &Api<DynamicObject>,
        resource: &ApiResource,
        wanted: &Wanted,
        body: &Value,
    ) -> Result<DynamicObject, kube::Error> {
        let (key, params) = (&wanted.key, PatchParams::apply(FIELD_MANAGER).force());
        let body = Patch::Apply(self.with_notes(key, Cow::Borrowed(body)));
        let reads_status = self.engine.live.reads_status(&key.group_kind());
        let written = if reads_status || holds_secrets(key) {
            api.patch(key.name(), &params, &body).await?
        } else {
            let PartialObjectMeta { metadata, .. } =
                api.patch_metadata(key.name(), &params, &body).await?;
            DynamicObject {
                types: None,
                metadata,
                data: Value::Null,
            }
        };
        let seen = match reads_status {
            true => self.engine.live.sight(written.clone(), resource),
            false => Seen::metadata(written.metadata.clone()),
        };
        let digest = seen.digest;
        self.engine.live.see(key, seen);
        self.engine
            .live
            .index()
            .applied(key, digest, LiveState::Matches(wanted.hash));
        Ok(written)
    }
}

/// What became of the items of an object, if it has any.
pub(super) fn items_between(
    key: &ObjectKey,
    before: Option<&DynamicObject>,
    after: &DynamicObject,
) -> Items {
    Items::between(key, before.map(|object| &object.data), Some(&after.data))
}

/// Makes fields of predecessors and people ours, on condition that nobody writes the object meanwhile.
async fn adopt(api: &Api<DynamicObject>, wanted: &Wanted) -> Result<(), kube::Error> {
    let (name, adoption) = (wanted.key.name(), Adoption::of(wanted));
    let Some(object) = api.get_metadata_opt(name).await? else {
        return Ok(());
    };
    if !adoption.is_needed(&object.metadata) {
        return Ok(());
    }
    let patch = json!({ "metadata": {
        "resourceVersion": object.resource_version(),
        "managedFields": adoption.adopted(&object.metadata),
    }});
    let params = PatchParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    api.patch_metadata(name, &params, &Patch::Merge(&patch))
        .await?;
    Ok(())
}

pub(super) fn too_slow(key: &ObjectKey, problem: &Problem) -> Failure {
    Failure {
        reason: FailureReason::Unavailable,
        message: format!("{key}: {problem}"),
    }
}

pub(super) fn not_wanted(key: &ObjectKey) -> Failure {
    Failure {
        reason: FailureReason::NotFound,
        message: format!("{key}: not in the render any more"),
    }
}
