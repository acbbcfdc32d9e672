//! The key of the digests in Applications' statuses: read from its Secret, or made.
//! It must not change a Secret that is there: with another key all sources look as if they had changed.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use crds::names::{MANAGED_BY, MANAGED_BY_LABEL, REDACTION_KEY_ITEM, REDACTION_KEY_SECRET};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use kube::api::PostParams;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::refusal;
use crate::sync::engine::Engine;
use crate::sync::redact::Redactor;

/// What nobody can guess; of the key that is made, which is written in base64, and at least of one that is found.
const BYTES: usize = 32;

/// Why there is no key yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("can't read Secret {namespace}/{REDACTION_KEY_SECRET}")]
    Read {
        namespace: String,
        source: kube::Error,
    },
    #[error("can't make Secret {namespace}/{REDACTION_KEY_SECRET}")]
    Make {
        namespace: String,
        source: kube::Error,
    },
    #[error("no random numbers")]
    Random,
    #[error(
        "item {REDACTION_KEY_ITEM} of Secret {namespace}/{REDACTION_KEY_SECRET} has {found} bytes, expected {BYTES} or more; \
         delete the Secret, and a new one is made"
    )]
    TooShort { namespace: String, found: usize },
}

/// The key that is in the Secret, once somebody has asked for it.
#[derive(Debug, Default)]
pub(crate) struct RedactionKey(OnceCell<Redactor>);

impl Engine {
    /// What redacts by the key of our namespace, which is made where there is none.
    ///
    /// # Errors
    /// When the API server is away or refuses, or the Secret has no key.
    pub(in crate::sync) async fn redactor(&self) -> Result<Redactor, Error> {
        // Once in the life of a process: on the heap it takes no room in every look.
        let find_or_make = || Box::pin(self.find_or_make());
        let redactor = self.redaction_key.0.get_or_try_init(find_or_make).await?;
        Ok(redactor.clone())
    }

    /// The same for somebody who writes nothing, and so makes no key: where there is none, no status has a digest yet.
    ///
    /// # Errors
    /// As [`Self::redactor`].
    pub(in crate::sync) async fn redactor_aside(&self) -> Result<Redactor, Error> {
        if let Some(redactor) = self.redaction_key.0.get() {
            return Ok(redactor.clone());
        }
        match Box::pin(self.find_key()).await? {
            Some(redactor) => Ok(redactor),
            None => Ok(Redactor::new(new_key()?.as_bytes())),
        }
    }

    async fn find_or_make(&self) -> Result<Redactor, Error> {
        match self.find_key().await? {
            Some(redactor) => Ok(redactor),
            None => self.make_key().await,
        }
    }

    async fn find_key(&self) -> Result<Option<Redactor>, Error> {
        let namespace = &self.context.namespace;
        let found = self.key_secrets().get_opt(REDACTION_KEY_SECRET).await;
        let found = found.map_err(|source| Error::Read {
            namespace: namespace.clone(),
            source,
        })?;
        found
            .map(|secret| redactor_of(&secret, namespace))
            .transpose()
    }

    /// Where another process was first, its key counts.
    async fn make_key(&self) -> Result<Redactor, Error> {
        let namespace = &self.context.namespace;
        let failed = |source| Error::Make {
            namespace: namespace.clone(),
            source: refusal::error_without_values(&REDACTION_KEY_SECRET, source),
        };
        let (api, key) = (self.key_secrets(), new_key()?);
        let secret = secret(namespace, key.to_string());
        match api.create(&PostParams::default(), &secret).await {
            Ok(_) => {
                tracing::info!(namespace, name = REDACTION_KEY_SECRET, "New key written");
                Ok(Redactor::new(key.as_bytes()))
            }
            Err(kube::Error::Api(status)) if status.is_already_exists() => {
                let found = self.find_key().await?;
                found.ok_or_else(|| failed(kube::Error::Api(status)))
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn key_secrets(&self) -> Api<Secret> {
        Api::namespaced(self.context.client.clone(), &self.context.namespace)
    }
}

fn redactor_of(secret: &Secret, namespace: &str) -> Result<Redactor, Error> {
    let data = secret.data.as_ref();
    let key = data.and_then(|data| data.get(REDACTION_KEY_ITEM));
    let key = key.map_or(&[][..], |key| &key.0);
    match key.len() {
        BYTES.. => Ok(Redactor::new(key)),
        found => Err(Error::TooShort {
            namespace: namespace.to_owned(),
            found,
        }),
    }
}

fn new_key() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rand::fill(&mut *bytes).map_err(|_| Error::Random)?;
    Ok(Zeroizing::new(BASE64_STANDARD.encode(*bytes)))
}

fn secret(namespace: &str, key: String) -> Secret {
    let managed_by = (MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned());
    Secret {
        metadata: ObjectMeta {
            name: Some(REDACTION_KEY_SECRET.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(BTreeMap::from([managed_by])),
            ..ObjectMeta::default()
        },
        immutable: Some(true),
        type_: Some("Opaque".to_owned()),
        string_data: Some(BTreeMap::from([(REDACTION_KEY_ITEM.to_owned(), key)])),
        ..Secret::default()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;

    use super::*;

    #[test]
    fn a_key_that_can_be_guessed_is_refused_with_its_remedy() {
        for (item, found) in [(REDACTION_KEY_ITEM, 31), ("other", 0)] {
            let data = BTreeMap::from([(item.to_owned(), ByteString(vec![7; 31]))]);
            let secret = Secret {
                data: Some(data),
                ..Secret::default()
            };
            let refused = redactor_of(&secret, "signet").map(drop).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!(
                    "item key of Secret signet/signet-redaction-key has {found} bytes, expected 32 or more; \
                     delete the Secret, and a new one is made"
                )
            );
        }
    }

    #[test]
    fn each_key_is_another() {
        let key = || new_key().unwrap();
        assert_ne!(key(), key());
        assert!(key().len() >= BYTES);
    }
}
