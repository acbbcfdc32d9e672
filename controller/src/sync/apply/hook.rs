//! What hooks make: an object for each run, held by a finalizer until its result was read, then let go or deleted.
//! It never deletes by name alone, and never takes off a finalizer of somebody else.

use kube::{
    Api,
    api::{DynamicObject, Patch, PatchParams},
};
use serde_json::json;

use super::{
    Answer, Executor,
    answer::write_failure,
    write::{TakeOver, not_wanted},
};
use crate::{
    dialect::{Cascade, HOOK_FINALIZER},
    sync::{items::Items, key::ObjectKey, outcome::Done, plan::HookRun},
};

impl Executor<'_> {
    /// Makes the object of a run.
    pub(super) async fn run_hook(&self, run: &HookRun) -> Answer {
        let source = self.world.source.as_ref().ok();
        let Some(hook) = source.and_then(|source| source.desired.hooks.get(&run.id)) else {
            return Ok(Err(not_wanted(&run.key)));
        };
        let made = hook.made(&run.key, &run.run);
        self.writing_as(&made, async |api, resource, made| {
            self.write(api, resource, made, TakeOver::Yes).await
        })
        .await
    }

    /// Takes our finalizer off, on condition that nobody writes the object meanwhile. What is answered may be the last of an object
    /// that waited for nothing else, so that the watch has told of its end already: the index is not shown it.
    pub(super) async fn release_hook(&self, key: &ObjectKey, uid: &str) -> Answer {
        let (api, _) = match self.api(key) {
            Ok(found) => found,
            Err(failure) => return Ok(Err(failure)),
        };
        match release(&api, key.name(), uid).await {
            Ok(true) => Ok(Ok(Done::Configured(Items::default()))),
            Ok(false) => Ok(Ok(Done::Unchanged)),
            Err(error) => write_failure(key, error).map(Err),
        }
    }

    /// Lets the object go and deletes it, its children before it.
    pub(super) async fn delete_hook(&self, key: &ObjectKey, uid: &str) -> Answer {
        match self.release_hook(key, uid).await? {
            Ok(_) => self.delete(key, uid, Cascade::Foreground).await,
            Err(failure) => Ok(Err(failure)),
        }
    }
}

/// Whether there was one of ours to take off.
async fn release(api: &Api<DynamicObject>, name: &str, uid: &str) -> Result<bool, kube::Error> {
    let Some(object) = api.get_metadata_opt(name).await? else {
        return Ok(false);
    };
    let metadata = object.metadata;
    let finalizers = metadata.finalizers.unwrap_or_default();
    let others: Vec<&String> = finalizers
        .iter()
        .filter(|finalizer| *finalizer != HOOK_FINALIZER)
        .collect();
    if metadata.uid.as_deref() != Some(uid) || others.len() == finalizers.len() {
        return Ok(false);
    }
    let patch = json!({ "metadata": {
        "resourceVersion": metadata.resource_version,
        "finalizers": others,
    }});
    let params = PatchParams {
        field_manager: Some(crds::names::FIELD_MANAGER.to_owned()),
        ..PatchParams::default()
    };
    match api
        .patch_metadata(name, &params, &Patch::Merge(&patch))
        .await
    {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        answer => answer.map(|_| true),
    }
}
