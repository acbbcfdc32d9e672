//! Sealing whole Secrets. Must not check what `sealing` checks, except to say it in kubeseal's words.

use std::cell::LazyCell;

use k8s_openapi::jiff::Timestamp;
use rand::rngs::SysRng;
use sealing::{Certificate, Scope, SealError, SecretInput, SecretValue};

use super::client_config::{self, Namespace};
use super::go_text::quote;
use super::input::{self, Opened};
use super::schema::SECRET;
use super::settings::Settings;
use super::sink::Sink;
use super::texts::Error;
use crate::{manifest, parallel};

/// Where a Secret is sealed for, other than where it says.
#[derive(Debug, Default)]
pub(super) struct Destination {
    pub(super) name: String,
    pub(super) namespace: String,
}

/// Seals every Secret of the input. What was written before one that fails stays written.
pub(super) fn run(
    settings: &Settings,
    input: &Opened,
    certificate: &Certificate,
    sink: &mut Sink,
) -> Result<(), Error> {
    let destination = Destination {
        name: settings.name.clone(),
        namespace: String::new(),
    };
    for sealed in seal(settings, input, certificate, settings.scope, &destination)? {
        sink.write_object(&sealed?, &settings.format)?;
    }
    Ok(())
}

/// The SealedSecrets, or why there is none, in the order of the input.
pub(super) fn seal(
    settings: &Settings,
    input: &Opened,
    certificate: &Certificate,
    scope: Scope,
    destination: &Destination,
) -> Result<Vec<Result<SecretValue, Error>>, Error> {
    let objects = input::read(input, &SECRET)?;
    if objects.is_empty() {
        return Err(Error::NoSecrets);
    }
    // Secrets that name their namespace need no kubeconfig.
    let namespace = LazyCell::new(|| client_config::namespace(&settings.cluster).ok());
    let secrets = objects
        .into_iter()
        .map(|object| prepare(object.value, settings, scope, destination, &namespace));
    let secrets: Vec<Result<SecretInput, Error>> = secrets.collect();
    let now = Timestamp::now();
    let sealed = parallel::map(&secrets, |secret| {
        let secret = secret.as_ref().ok()?;
        // Strict cannot be told from nothing being said: annotations of the Secret may widen it.
        let scope = Some(scope).filter(|scope| *scope != Scope::Strict);
        Some(sealing::seal(secret, scope, certificate, now, &mut SysRng))
    });
    let outcome = |(secret, sealed): (Result<SecretInput, Error>, Option<Result<_, SealError>>)| {
        secret?;
        match sealed {
            Some(Ok(sealed)) => Ok(manifest::sealed_secret(&sealed).into()),
            Some(Err(SealError::MissingNamespace { .. })) | None => Err(Error::NoNamespace),
            Some(Err(error)) => Err(Error::Seal(error)),
        }
    };
    Ok(secrets.into_iter().zip(sealed).map(outcome).collect())
}

/// The Secret with the name and namespace that it is sealed for.
fn prepare(
    value: SecretValue,
    settings: &Settings,
    scope: Scope,
    destination: &Destination,
    namespace: &LazyCell<Option<Namespace>, impl FnOnce() -> Option<Namespace>>,
) -> Result<SecretInput, Error> {
    let mut secret =
        SecretInput::from_value(value).map_err(|error| Error::Mismatch(error.to_string()))?;
    if secret.is_empty() && !settings.allow_empty_data {
        return Err(Error::NoData);
    }
    if !destination.name.is_empty() {
        secret.name = Some(destination.name.clone());
    }
    if secret.name.is_none() {
        return Err(Error::NoName);
    }
    if !destination.namespace.is_empty() {
        secret.namespace = Some(destination.namespace.clone());
    }
    let annotated = Scope::of(Some(&secret.annotations()));
    let scope = if scope == Scope::Strict {
        annotated
    } else {
        scope
    };
    let is_asked_for = !settings.cluster.namespace.is_empty();
    if scope == Scope::ClusterWide || (secret.namespace.is_some() && !is_asked_for) {
        return Ok(secret);
    }
    match (&secret.namespace, &**namespace) {
        (Some(found), Some(meant)) if meant.is_explicit && *found != meant.name => {
            Err(Error::OtherNamespace {
                found: quote(found),
                wanted: quote(&meant.name),
            })
        }
        (None, Some(meant)) => {
            secret.namespace = Some(meant.name.clone());
            Ok(secret)
        }
        _ => Ok(secret),
    }
}
