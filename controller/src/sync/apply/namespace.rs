//! Creating the destination namespace, as `CreateNamespace=true` asks.
//! It is not tracked and an existing one is left as it is.

use k8s_openapi::api::core::v1::Namespace;
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};

use super::{Answer, Executor, answer::failure};
use crate::sync::{
    key::{GroupKind, ObjectKey},
    outcome::Done,
};

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
        match api.create(&PostParams::default(), &namespace).await {
            Ok(_) => Ok(Ok(Done::Created)),
            Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Ok(Done::Unchanged)),
            Err(error) => failure(
                &ObjectKey::new(&GroupKind::new("", "Namespace"), None, name),
                error,
            )
            .map(Err),
        }
    }
}
