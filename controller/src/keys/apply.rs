//! Executes the steps of a plan: the keyring, new key Secrets, the certificate's ConfigMap.
//! It must not choose: which key, which name and why stand in the step.

use std::collections::BTreeMap;

use crds::names::{CERTIFICATE_CONFIG_MAP, SEALING_KEY_ACTIVE, SEALING_KEY_LABEL};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::jiff::Timestamp;
use kube::api::PostParams;
use kube::{Api, Client};
use sealing::{
    CERTIFICATE_ITEM, GeneratedSealingKey, KeyError, KeyRequest, PRIVATE_KEY_ITEM, SealingKey,
};

use super::observe;
use crate::refusal;
use crate::settings;

/// Why a step could not be executed now.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("can't reach or use the API server")]
    Api(#[from] kube::Error),
    /// Without the API server's own words where they could quote the object, which holds the private key.
    #[error("the API server refuses the new key Secret {namespace}/{name}: {refusal}")]
    KeyRefused {
        namespace: String,
        name: String,
        refusal: String,
    },
    #[error("can't write the ConfigMap {CERTIFICATE_CONFIG_MAP}")]
    Publish(#[source] kube::Error),
    #[error("can't generate a sealing key")]
    Generate(#[source] KeyError),
    #[error("can't run the generation of a sealing key")]
    Run(#[source] tokio::task::JoinError),
}

/// What became of a new key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Generated {
    Written,
    /// Another process, or another Secret, has the name.
    NameTaken,
}

/// Makes a key and writes its Secret.
pub(super) async fn generate(
    client: &Client,
    namespace: &str,
    name: &str,
    begin: Timestamp,
    settings: &settings::Keys,
) -> Result<Generated, Error> {
    let request = key_request(name, settings);
    let making = tokio::task::spawn_blocking(move || SealingKey::generate(&request, begin));
    let generated = making.await.map_err(Error::Run)?.map_err(Error::Generate)?;
    let api = Api::namespaced(client.clone(), namespace);
    match api
        .create(
            &PostParams::default(),
            &key_secret(&generated, namespace, settings),
        )
        .await
    {
        Ok(_) => {
            tracing::info!(namespace, name, "New key written");
            tracing::info!(
                certificate = generated.key.certificate.pem(),
                "Certificate generated"
            );
            Ok(Generated::Written)
        }
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(Generated::NameTaken),
        Err(kube::Error::Api(status)) => Err(Error::KeyRefused {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            refusal: refusal::without_values(&format_args!("Secret {namespace}/{name}"), &status),
        }),
        Err(error) => Err(error.into()),
    }
}

fn key_request(name: &str, settings: &settings::Keys) -> KeyRequest {
    KeyRequest {
        name: name.to_owned(),
        bits: settings.key_size as usize,
        ttl: settings.key_ttl,
        common_name: settings.my_cn.clone(),
    }
}

/// The Secret exactly as upstream lays it out, so that its controller can use our keys.
fn key_secret(
    generated: &GeneratedSealingKey,
    namespace: &str,
    settings: &settings::Keys,
) -> Secret {
    let mut labels = settings.privatekey_labels.0.clone();
    labels.insert(SEALING_KEY_LABEL.to_owned(), SEALING_KEY_ACTIVE.to_owned());
    let annotations = settings.privatekey_annotations.0.clone();
    Secret {
        metadata: ObjectMeta {
            name: Some(generated.key.name.clone()),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        },
        type_: Some("kubernetes.io/tls".to_owned()),
        data: Some(BTreeMap::from([
            (
                PRIVATE_KEY_ITEM.to_owned(),
                ByteString(generated.private_key_pem.expose().to_vec()),
            ),
            (
                CERTIFICATE_ITEM.to_owned(),
                ByteString(generated.key.certificate.pem().as_bytes().to_vec()),
            ),
        ])),
        ..Secret::default()
    }
}

/// What became of the certificate's ConfigMap.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Published {
    Written,
    /// Another process wrote it at the same time: look again.
    Interfered,
}

/// Writes the certificate where everybody may read it.
pub(super) async fn publish(
    client: &Client,
    namespace: &str,
    certificate: &str,
) -> Result<Published, Error> {
    let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    let written = match api.get_opt(CERTIFICATE_CONFIG_MAP).await {
        Ok(Some(mut map)) => {
            map.data
                .get_or_insert_default()
                .insert(observe::CERTIFICATE_ITEM.to_owned(), certificate.to_owned());
            api.replace(CERTIFICATE_CONFIG_MAP, &PostParams::default(), &map)
                .await
                .map(drop)
        }
        Ok(None) => api
            .create(&PostParams::default(), &config_map(namespace, certificate))
            .await
            .map(drop),
        Err(error) => Err(error),
    };
    match written {
        Ok(()) => Ok(Published::Written),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(Published::Interfered),
        Err(error) => Err(Error::Publish(error)),
    }
}

fn config_map(namespace: &str, certificate: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(CERTIFICATE_CONFIG_MAP.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(
            observe::CERTIFICATE_ITEM.to_owned(),
            certificate.to_owned(),
        )])),
        ..ConfigMap::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_new_key_is_what_the_flags_say_and_a_sealing_key_whatever_they_say() {
        let line = [
            "signet-controller",
            "--key-size=2048",
            "--key-ttl=48h",
            "--my-cn=keys of a",
            "--privatekey-labels=sealedsecrets.bitnami.com/sealed-secrets-key=theirs,team=a",
            "--privatekey-annotations=note=b",
        ];
        let settings = Settings::parse_from(line).keys;
        let request = key_request("keyx", &settings);
        assert_eq!(
            (request.name.as_str(), request.bits),
            ("keyx", 2048),
            "name and size"
        );
        assert_eq!(request.ttl, Duration::from_secs(48 * 3600));
        assert_eq!(request.common_name, "keys of a");
        let generated = SealingKey::generate(&request, Timestamp::UNIX_EPOCH).unwrap();
        let metadata = key_secret(&generated, "ns", &settings).metadata;
        let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let labels = [entry(SEALING_KEY_LABEL, "active"), entry("team", "a")];
        assert_eq!(metadata.labels, Some(labels.into()));
        assert_eq!(metadata.annotations, Some([entry("note", "b")].into()));
    }
}
