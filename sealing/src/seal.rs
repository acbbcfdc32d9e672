//! Secret to SealedSecret.
//! Reads no file and asks no clock: key, time and randomness are arguments.

use std::collections::BTreeMap;

use crds::names::{CLUSTER_WIDE, NAMESPACE_WIDE};
use crds::{SealedSecret, SealedSecretSpec, SecretTemplate};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use rand_core::TryCryptoRng;

use crate::certificate::{Certificate, CertificateError};
use crate::envelope::{EnvelopeError, seal_value};
use crate::scope::Scope;
use crate::secret_input::SecretInput;

/// Why a Secret can't be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// No name.
    #[error("the Secret has no metadata.name")]
    MissingName,
    /// No namespace, and a scope that needs one.
    #[error("Secret {name} has no metadata.namespace, which scope {scope} is bound to")]
    MissingNamespace {
        /// Name of the Secret.
        name: String,
        /// The scope asked for.
        scope: Scope,
    },
    /// The certificate must not be used.
    #[error("cannot seal with this certificate")]
    Certificate(#[source] CertificateError),
    /// One item failed.
    #[error("cannot seal item {item}")]
    Item {
        /// Key of the item.
        item: String,
        /// What went wrong.
        #[source]
        source: EnvelopeError,
    },
}

/// Seals a whole Secret. Labels and annotations go into the template only; the SealedSecret itself gets name,
/// namespace and the annotation of its scope. `scope` of `None` takes the scope from the Secret's annotations; a given
/// scope replaces them.
///
/// # Errors
/// A missing name or namespace, a certificate past its end at `now`, a failing generator.
pub fn seal<R: TryCryptoRng + ?Sized>(
    secret: &SecretInput,
    scope: Option<Scope>,
    certificate: &Certificate,
    now: Timestamp,
    rng: &mut R,
) -> Result<SealedSecret, SealError> {
    certificate
        .check_valid_at(now)
        .map_err(SealError::Certificate)?;
    let name = secret.name.as_deref().ok_or(SealError::MissingName)?;
    let mut annotations = secret.annotations();
    if let Some(scope) = scope {
        annotations.retain(|key, _| key != CLUSTER_WIDE && key != NAMESPACE_WIDE);
        annotations.extend(scope_annotation(scope));
    }
    let scope = Scope::of(Some(&annotations));
    let namespace = secret.namespace.as_deref();
    if namespace.is_none() && scope != Scope::ClusterWide {
        return Err(SealError::MissingNamespace {
            name: name.to_owned(),
            scope,
        });
    }
    let label = scope.label(namespace.unwrap_or_default(), name);
    let seal_item = |(item, plaintext): (&String, &crate::SecretBytes)| {
        seal_value(certificate.public_key(), &label, plaintext.expose(), rng)
            .map(|sealed| (item.clone(), sealed))
            .map_err(|source| SealError::Item {
                item: item.clone(),
                source,
            })
    };
    let encrypted_data = secret
        .items
        .iter()
        .map(seal_item)
        .collect::<Result<_, _>>()?;
    Ok(SealedSecret {
        metadata: metadata(name, namespace, scope),
        spec: SealedSecretSpec {
            template: Some(template(secret, &annotations)),
            encrypted_data,
            data: None,
        },
        status: None,
    })
}

fn scope_annotation(scope: Scope) -> Option<(String, String)> {
    scope
        .annotation()
        .map(|key| (key.to_owned(), "true".to_owned()))
}

fn metadata(name: &str, namespace: Option<&str>, scope: Scope) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: namespace.map(str::to_owned),
        annotations: scope_annotation(scope).map(|annotation| BTreeMap::from([annotation])),
        ..ObjectMeta::default()
    }
}

fn template(secret: &SecretInput, annotations: &BTreeMap<String, String>) -> SecretTemplate {
    SecretTemplate {
        metadata: Some(secret.template_metadata(annotations)),
        type_: secret.type_.clone(),
        immutable: secret.immutable,
        data: None,
    }
}
