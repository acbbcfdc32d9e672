//! Writes what was planned and reported: the Secret, the status. Only create and update, as upstream's RBAC grants.
//! It must not decide; where others interfere it says so.

use crds::names::{FIELD_MANAGER, sealed_secret};
use crds::{SealedSecret, SealedSecretStatus};
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::{DeleteParams, PostParams, Preconditions};
use kube::core::{DynamicObject, Status};
use kube::{Api, Client, ResourceExt};
use serde_json::json;

use super::ObjectName;
use super::plan::Write;
use crate::keys::observe::sealed_secret_resource;
use crate::refusal;

/// What became of a write.
#[derive(Debug)]
pub(super) enum Written {
    Nothing,
    /// The Secret has this version now.
    Version(Option<String>),
    /// The Secret came, went or changed meanwhile.
    Interfered,
    /// The API server does not want it, in its words.
    Refused(String),
}

/// The Secret as it is now, if there is one.
///
/// # Errors
/// What the API server says where it does not let us look, as for a write.
pub(super) async fn read(
    api: &Api<Secret>,
    name: &ObjectName,
) -> kube::Result<Result<Option<Secret>, String>> {
    match api.get_opt(&name.name).await {
        Ok(secret) => Ok(Ok(secret)),
        Err(error) => refused(name, error).map(Err),
    }
}

pub(super) async fn write(
    api: &Api<Secret>,
    name: &ObjectName,
    write: Write,
) -> kube::Result<Written> {
    if !matches!(write, Write::Nothing) {
        tracing::info!(key = %name, "Updating");
    }
    let result = match write {
        Write::Nothing => return Ok(Written::Nothing),
        Write::Create(secret) => api.create(&parameters(), &secret).await,
        Write::Update { new, .. } => api.replace(&new.name_any(), &parameters(), &new).await,
    };
    match result {
        Ok(secret) => Ok(Written::Version(secret.resource_version())),
        Err(kube::Error::Api(status)) if is_interference(&status) => Ok(Written::Interfered),
        Err(error) => refused(name, error).map(Written::Refused),
    }
}

/// The words of a refusal; an error where the server is at fault, fit to be told.
fn refused(name: &ObjectName, error: kube::Error) -> kube::Result<String> {
    let object = format_args!("Secret {name}");
    match error {
        kube::Error::Api(status) if is_refusal(&status) => {
            Ok(refusal::without_values(&object, &status))
        }
        error => Err(refusal::error_without_values(&object, error)),
    }
}

fn parameters() -> PostParams {
    PostParams {
        field_manager: Some(FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    }
}

/// 404 comes from an update of a Secret that has gone, and from a create in a namespace that has: the next look tells.
fn is_interference(status: &Status) -> bool {
    refusal::denial(status).is_none()
        && (status.is_conflict()
            || status.is_already_exists()
            || (status.code == 404 && is_about_secret(status)))
}

fn is_about_secret(status: &Status) -> bool {
    status
        .details
        .as_ref()
        .is_some_and(|details| details.kind == "secrets")
}

/// The request is at fault, not the server: no token, no time and no room are the server's.
fn is_refusal(status: &Status) -> bool {
    let ours = (400..500).contains(&status.code) && !matches!(status.code, 401 | 408 | 429);
    ours || refusal::denial(status).is_some()
}

/// Writes the status of the object as it was seen; gone is gone.
///
/// # Errors
/// A conflict when the object is another one by now.
pub(super) async fn write_status(
    client: &Client,
    sealed: &SealedSecret,
    status: SealedSecretStatus,
) -> kube::Result<()> {
    let name = ObjectName::of(sealed);
    let mut object = DynamicObject::new(&name.name, &sealed_secret_resource())
        .within(&name.namespace)
        .data(json!({ "status": status }));
    object.metadata.uid = sealed.metadata.uid.clone();
    object.metadata.resource_version = sealed.metadata.resource_version.clone();
    let api = sealed_secrets(client, &name);
    match api.replace_status(&name.name, &parameters(), &object).await {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        result => result.map(drop),
    }
}

/// The SealedSecrets beside this one.
pub(super) fn sealed_secrets(client: &Client, name: &ObjectName) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), &name.namespace, &sealed_secret_resource())
}

/// Deletes the Secret of a SealedSecret that has gone, if it was controlled by it.
pub(super) async fn delete_secret(
    client: &Client,
    name: &ObjectName,
    owner: Option<&str>,
) -> kube::Result<()> {
    let api = Api::<Secret>::namespaced(client.clone(), &name.namespace);
    let Some(secret) = api.get_metadata_opt(&name.name).await? else {
        return Ok(());
    };
    let controlled = secret.owner_references().iter().any(|reference| {
        reference.controller == Some(true) && Some(reference.uid.as_str()) == owner
    });
    if !controlled {
        return Ok(());
    }
    let preconditions = Preconditions {
        uid: secret.uid(),
        resource_version: None,
    };
    let parameters = DeleteParams {
        preconditions: Some(preconditions),
        ..DeleteParams::default()
    };
    match api.delete(&name.name, &parameters).await {
        Err(kube::Error::Api(status)) if status.code == 404 || status.is_conflict() => Ok(()),
        Err(error) => Err(refusal::error_without_values(
            &format_args!("Secret {name}"),
            error,
        )),
        Ok(_) => Ok(()),
    }
}

/// What is left of an object whose spec can't be read: enough to tell of it.
pub(super) fn without_spec(object: &DynamicObject) -> SealedSecret {
    let status = object.data.get("status").cloned();
    SealedSecret {
        metadata: object.metadata.clone(),
        status: status.and_then(|status| serde_json::from_value(status).ok()),
        ..SealedSecret::default()
    }
}

pub(super) fn reference(sealed: &SealedSecret) -> ObjectReference {
    let metadata = &sealed.metadata;
    ObjectReference {
        api_version: Some(sealed_secret::API_VERSION.to_owned()),
        kind: Some(sealed_secret::KIND.to_owned()),
        namespace: metadata.namespace.clone(),
        name: metadata.name.clone(),
        uid: metadata.uid.clone(),
        resource_version: metadata.resource_version.clone(),
        field_path: None,
    }
}
