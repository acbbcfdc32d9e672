//! The key of the digests in Applications' statuses: read from its Secret, which the first controller makes.
//! It must not change a Secret that is there: with another key all sources look as if they had changed.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use crds::names::{MANAGED_BY, MANAGED_BY_LABEL, REDACTION_KEY_ITEM, REDACTION_KEY_SECRET};
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};
use zeroize::Zeroizing;

use crate::refusal;
use crate::run;
use crate::sync::redact::Redactor;
use crate::watch_backoff::WatchBackoff;

/// What nobody can guess; of the key that is made, which is written in base64, and at least of one that is found.
const BYTES: usize = 32;

/// Why there is no key yet.
#[derive(Debug, thiserror::Error)]
enum Error {
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

/// What redacts by the key of this namespace. What goes wrong is told and waited out.
pub(in crate::sync) async fn redactor(client: &Client, namespace: &str) -> Redactor {
    let mut backoff = WatchBackoff::new();
    loop {
        match find_or_make(client, namespace).await {
            Ok(redactor) => return redactor,
            Err(error) => tracing::warn!(
                error = run::chain(&error),
                "no Application is synced yet, will retry"
            ),
        }
        tokio::time::sleep(backoff.next().unwrap_or_default()).await;
    }
}

async fn find_or_make(client: &Client, namespace: &str) -> Result<Redactor, Error> {
    let api = Api::<Secret>::namespaced(client.clone(), namespace);
    let read = |source| Error::Read {
        namespace: namespace.to_owned(),
        source,
    };
    if let Some(secret) = api.get_opt(REDACTION_KEY_SECRET).await.map_err(read)? {
        return redactor_of(&secret, namespace);
    }
    match api.create(&PostParams::default(), &new(namespace)?).await {
        Ok(secret) => {
            tracing::info!(
                namespace,
                name = REDACTION_KEY_SECRET,
                "made the key of redacted statuses"
            );
            redactor_of(&secret, namespace)
        }
        // Another replica was first.
        Err(kube::Error::Api(status)) if status.is_already_exists() => {
            let secret = api.get(REDACTION_KEY_SECRET).await.map_err(read)?;
            redactor_of(&secret, namespace)
        }
        Err(error) => Err(Error::Make {
            namespace: namespace.to_owned(),
            source: refusal::error_without_values(&REDACTION_KEY_SECRET, error),
        }),
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

fn new(namespace: &str) -> Result<Secret, Error> {
    let mut bytes = Zeroizing::new([0; BYTES]);
    rand::fill(&mut *bytes).map_err(|_| Error::Random)?;
    let key = BASE64_STANDARD.encode(*bytes);
    let managed_by = (MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned());
    Ok(Secret {
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
    })
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
        let key = || new("signet").unwrap().string_data.unwrap();
        assert_ne!(key(), key());
        assert!(key()[REDACTION_KEY_ITEM].len() >= BYTES);
    }
}
