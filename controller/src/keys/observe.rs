//! Reads the key Secrets, the published certificate, and whether another controller was here before.
//! It must not write, and must not keep key material outside the value it returns.

use std::collections::BTreeMap;

use crds::names::{
    CERTIFICATE_CONFIG_MAP, ROTATE, SEALING_KEY_ACTIVE, SEALING_KEY_LABEL, sealed_secret,
};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{ApiResource, ListParams};
use kube::core::{DynamicObject, GroupVersionKind, ObjectList, PartialObjectMeta};
use kube::{Api, Client, ResourceExt};
use sealing::{KeyError, SealingKey};

use super::plan::{KeySecret, State};
use crate::settings::{KeyOrder, Namespaces};

/// Item of the ConfigMap that holds the certificate.
pub const CERTIFICATE_ITEM: &str = "cert.pem";

/// Key Secrets as found, with the keys that can be used.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) secrets: Vec<KeySecret>,
    pub(super) keys: BTreeMap<String, SealingKey>,
}

/// Lists the key Secrets, oldest first: labelled ones, and the one that is named by the whole prefix.
pub(super) async fn key_secrets(
    client: &Client,
    namespace: &str,
    prefix: &str,
    order: KeyOrder,
) -> kube::Result<Found> {
    let api = Api::<Secret>::namespaced(client.clone(), namespace);
    let mut secrets = api
        .list(&ListParams::default().labels(SEALING_KEY_LABEL))
        .await?
        .items;
    // Listed, not read by name: upstream's role for keys may create and list, no more.
    let named = ListParams::default().fields(&format!("metadata.name={prefix}"));
    let legacy = api.list(&named).await?.items;
    secrets.extend(
        legacy
            .into_iter()
            .filter(|secret| !secret.labels().contains_key(SEALING_KEY_LABEL)),
    );
    secrets.sort_by_key(|secret| {
        (
            secret.creation_timestamp().map(|time| time.0),
            secret.name_any(),
        )
    });
    let mut found = Found::default();
    for secret in &secrets {
        found.add(secret, order);
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, secret: &Secret, order: KeyOrder) {
        let name = secret.name_any();
        let label = secret.labels().get(SEALING_KEY_LABEL);
        let mut version = secret.resource_version().unwrap_or_default();
        let state = match label {
            Some(value) if value != SEALING_KEY_ACTIVE => State::Retired,
            _ => match SealingKey::from_secret(secret) {
                Ok(key) => {
                    // An annotation makes no other key of it.
                    version = format!(
                        "{} {}",
                        key.private.fingerprint(),
                        key.certificate.not_before()
                    );
                    let state = usable(&key, order);
                    self.keys.insert(name.clone(), key);
                    state
                }
                Err(error) => unusable(&error),
            },
        };
        self.secrets.push(KeySecret {
            version,
            rotate: secret.annotations().contains_key(ROTATE),
            name,
            state,
        });
    }
}

fn usable(key: &SealingKey, order: KeyOrder) -> State {
    let begin = key.certificate.not_before();
    let time = match order {
        KeyOrder::CertNotBefore => begin,
        KeyOrder::SecretCreationTimestamp => key.created.unwrap_or(begin),
    };
    State::Usable {
        time,
        certificate: key.certificate.pem().to_owned(),
    }
}

fn unusable(error: &KeyError) -> State {
    let reason = match error {
        KeyError::TooSmall { .. } => "KeyTooSmall",
        KeyError::TooLarge { .. } => "KeyTooLarge",
        _ => "KeyMalformed",
    };
    let cause = std::error::Error::source(error)
        .map(|cause| format!(": {cause}"))
        .unwrap_or_default();
    State::Unusable {
        reason,
        message: format!("{error}{cause}"),
    }
}

/// The published certificate, empty when there is none yet; nothing where we may not read it.
pub(super) async fn published(client: &Client, namespace: &str) -> kube::Result<Option<String>> {
    let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
    match api.get_opt(CERTIFICATE_CONFIG_MAP).await {
        Ok(None) => Ok(Some(String::new())),
        Ok(Some(map)) => Ok(Some(
            map.data
                .and_then(|mut data| data.remove(CERTIFICATE_ITEM))
                .unwrap_or_default(),
        )),
        Err(kube::Error::Api(status)) if status.is_forbidden() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Objects per page while looking for another controller.
const PAGE: u32 = 250;

/// Proof that another controller opens SealedSecrets in our scope: a status on one, or a Secret that one owns.
pub(super) async fn other_controller(
    client: &Client,
    scope: &Namespaces,
) -> kube::Result<Option<String>> {
    for namespace in namespaces(scope) {
        let api = sealed_secrets(client, namespace);
        let list = |page: ListParams| {
            let api = api.clone();
            async move { api.list(&page).await }
        };
        if let Some(proof) = search(list, |object| with_status(&object)).await? {
            return Ok(Some(proof));
        }
        let api = secrets(client, namespace);
        let list = |page: ListParams| {
            let api = api.clone();
            async move { api.list_metadata(&page).await }
        };
        if let Some(proof) = search(list, |secret| owned(&secret)).await? {
            return Ok(Some(proof));
        }
    }
    Ok(None)
}

fn with_status(object: &DynamicObject) -> Option<String> {
    let conditions = object.data.pointer("/status/conditions")?.as_array()?;
    (!conditions.is_empty()).then(|| format!("SealedSecret {} has a status", place(object)))
}

fn owned(secret: &PartialObjectMeta<Secret>) -> Option<String> {
    let owned = secret
        .owner_references()
        .iter()
        .any(|owner| owner.kind == sealed_secret::KIND);
    owned.then(|| format!("Secret {} is owned by a SealedSecret", place(secret)))
}

fn namespaces(scope: &Namespaces) -> Vec<Option<&str>> {
    match scope {
        Namespaces::All => vec![None],
        Namespaces::These(these) => these
            .iter()
            .map(|namespace| Some(namespace.as_str()))
            .collect(),
    }
}

fn sealed_secrets(client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
    let resource = sealed_secret_resource();
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// How the API server calls SealedSecrets.
pub fn sealed_secret_resource() -> ApiResource {
    let kind = GroupVersionKind::gvk(
        sealed_secret::GROUP,
        sealed_secret::VERSION,
        sealed_secret::KIND,
    );
    ApiResource::from_gvk_with_plural(&kind, sealed_secret::PLURAL)
}

fn secrets(client: &Client, namespace: Option<&str>) -> Api<Secret> {
    match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}

fn place<K: ResourceExt>(object: &K) -> String {
    format!(
        "{}/{}",
        object.namespace().unwrap_or_default(),
        object.name_any()
    )
}

/// First proof among all pages. A kind that is not there, or not for us to see, proves nothing.
async fn search<K, F, L>(
    list: L,
    proof: impl Fn(K) -> Option<String>,
) -> kube::Result<Option<String>>
where
    K: Clone,
    F: Future<Output = kube::Result<ObjectList<K>>>,
    L: Fn(ListParams) -> F,
{
    let mut page = ListParams::default().limit(PAGE);
    loop {
        let list = match list(page.clone()).await {
            Err(kube::Error::Api(status)) if matches!(status.code, 403 | 404) => return Ok(None),
            list => list?,
        };
        let next = list
            .metadata
            .continue_
            .clone()
            .filter(|token| !token.is_empty());
        if let Some(proof) = list.items.into_iter().find_map(&proof) {
            return Ok(Some(proof));
        }
        match next {
            Some(token) => page = page.continue_token(&token),
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::ByteString;
    use serde_json::json;

    use super::*;

    const CREATED: &str = "2020-02-02T02:02:02Z";

    /// The published key in a Secret of upstream's layout.
    fn secret(label: Option<&str>) -> Secret {
        let labels: BTreeMap<_, _> = label
            .map(|value| (SEALING_KEY_LABEL, value))
            .into_iter()
            .collect();
        let metadata = json!({ "name": "key", "creationTimestamp": CREATED, "labels": labels });
        let mut secret: Secret = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
        let items = [
            (
                "tls.key",
                &include_bytes!("../../../tests/vectors/sealed-secrets/test-key.pem")[..],
            ),
            (
                "tls.crt",
                include_bytes!("../../../tests/vectors/sealed-secrets/test-cert.pem"),
            ),
        ];
        let items = items.map(|(item, text)| (item.to_owned(), ByteString(text.to_vec())));
        secret.data = Some(items.into());
        secret
    }

    fn state(secret: &Secret, order: KeyOrder) -> State {
        let mut found = Found::default();
        found.add(secret, order);
        found.secrets.remove(0).state
    }

    #[test]
    fn a_key_counts_from_its_certificate_or_from_its_secret() {
        let time = |order| match state(&secret(Some("active")), order) {
            State::Usable { time, .. } => time.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(time(KeyOrder::SecretCreationTimestamp), CREATED);
        let begin = SealingKey::from_secret(&secret(None)).unwrap();
        let begin = begin.certificate.not_before().to_string();
        assert_eq!(time(KeyOrder::CertNotBefore), begin);
        assert_ne!(begin, CREATED);
    }

    #[test]
    fn only_active_is_in_use_and_no_label_at_all() {
        for (label, is_in_use) in [
            (Some("active"), true),
            (None, true),
            (Some("compromised"), false),
            (Some("Active"), false),
            (Some(""), false),
        ] {
            let state = state(&secret(label), KeyOrder::CertNotBefore);
            assert_eq!(
                matches!(state, State::Usable { .. }),
                is_in_use,
                "{label:?}"
            );
            assert_eq!(matches!(state, State::Retired), !is_in_use, "{label:?}");
        }
    }
}
