//! The destination namespace, as `CreateNamespace=true` and `managedNamespaceMetadata` ask.
//! It is not tracked, and what nobody says of an existing one is left as it is.

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{ObjectMeta, Patch, PatchParams, PostParams},
};
use serde_json::json;

use super::{Answer, Executor, answer::write_failure};
use crate::sync::{
    items::Items, observe::live::Seen, outcome::Done, plan::namespace, world::DestinationNamespace,
};

/// A manager of its own, so that a Namespace that is rendered somewhere is not fought over.
const NAMESPACE_MANAGER: &str = "signet-namespace";

impl Executor<'_> {
    /// Creates the namespace; fine when it exists by now.
    pub(super) async fn create_namespace(&self, name: &str) -> Answer {
        let api = Api::<Namespace>::all(self.engine.context.client.clone());
        let namespace = Namespace {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let (made, done) = match api.create(&PostParams::default(), &namespace).await {
            Ok(made) => (Some(made.metadata), Done::Created(Items::default())),
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                let there = api.get_metadata_opt(name).await?;
                (there.map(|there| there.metadata), Done::Unchanged)
            }
            Err(error) => return write_failure(&namespace::key(name), error).map(Err),
        };
        if let Some(metadata) = made {
            let seen = Seen::metadata(metadata);
            self.engine.live.see(&namespace::key(name), seen);
        }
        Ok(Ok(done))
    }

    /// Makes the namespace, or sets what the Application says of it and removes what it said before.
    pub(super) async fn apply_namespace(&self, name: &str) -> Answer {
        let intent = self.world.intent.as_ref().ok();
        let metadata = intent.and_then(|intent| intent.namespace_metadata.clone());
        let metadata = metadata.unwrap_or_default();
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "labels": metadata.labels, "annotations": metadata.annotations}});
        let api = Api::<Namespace>::all(self.engine.context.client.clone());
        let params = PatchParams::apply(NAMESPACE_MANAGER).force();
        let exists = self.world.destination_namespace == DestinationNamespace::Exists;
        match api
            .patch_metadata(name, &params, &Patch::Apply(&body))
            .await
        {
            Ok(object) => {
                let seen = Seen::metadata(object.metadata);
                self.engine.live.see(&namespace::key(name), seen);
                Ok(Ok(if exists {
                    Done::Configured(Items::default())
                } else {
                    Done::Created(Items::default())
                }))
            }
            Err(error) => write_failure(&namespace::key(name), error).map(Err),
        }
    }
}
