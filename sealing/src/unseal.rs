//! SealedSecret to Secret: the one engine that controller, sync and CLI share.
//! Makes a value and writes it nowhere; no error of it contains plaintext.

use std::collections::{BTreeMap, BTreeSet};

use crds::SealedSecret;
use crds::names::{SKIP_SET_OWNER_REFERENCES, sealed_secret};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::Value;

use crate::base64;
use crate::fingerprint::Fingerprint;
use crate::keyring::{Keyring, Opened};
use crate::scope::{Label, Scope};
use crate::secret_bytes::SecretBytes;
use crate::surroundings::Surroundings;
use crate::template::{self, Rendering, Template};
use crate::unseal_error::{ItemErrors, ItemProblem, UnsealError};

/// A Secret whose values stay wrapped until they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnsealedSecret {
    /// Metadata: the template's, with name, namespace and owner forced.
    pub metadata: ObjectMeta,
    /// Type; `None` means Opaque.
    pub type_: Option<String>,
    /// Whether the Secret can be changed later.
    pub immutable: Option<bool>,
    /// Items by key.
    pub data: BTreeMap<String, SecretBytes>,
}

impl UnsealedSecret {
    /// The Secret as the API takes it. Its values are plain: write it and drop it.
    #[must_use]
    pub fn to_secret(&self) -> Secret {
        let plain = |(key, value): (&String, &SecretBytes)| {
            (key.clone(), ByteString(value.expose().to_vec()))
        };
        Secret {
            metadata: self.metadata.clone(),
            type_: self.type_.clone(),
            immutable: self.immutable,
            data: Some(self.data.iter().map(plain).collect()),
            string_data: None,
        }
    }
}

/// What a SealedSecret was unsealed to.
#[derive(Clone, Debug)]
pub struct Unsealed {
    /// The Secret.
    pub secret: UnsealedSecret,
    /// Encrypted item → the key that opened it; the deprecated `spec.data` counts as an item `data`.
    pub opened_by: BTreeMap<String, Fingerprint>,
    /// Set when rendering the same again would give something else.
    pub rendering: Option<Rendering>,
}

/// Unseals: opens every item, renders the template, and puts the Secret together. All or nothing.
///
/// # Errors
/// The problems of all items at once; see [`UnsealError`].
pub fn unseal(
    sealed: &SealedSecret,
    keyring: &Keyring,
    surroundings: &Surroundings<'_>,
) -> Result<Unsealed, UnsealError> {
    if sealed.spec.data.is_some() {
        return unseal_legacy(sealed, keyring);
    }
    let opened = open_items(sealed, keyring)?;
    let opened_by = opened
        .iter()
        .map(|(item, opened)| (item.clone(), opened.key.clone()))
        .collect();
    let items = opened
        .into_iter()
        .map(|(item, opened)| (item, opened.plaintext))
        .collect();
    let template = sealed.spec.template.clone().unwrap_or_default();
    let (data, rendering) = match &template.data {
        Some(sources) => apply_template(items, sources, surroundings)?,
        None => (items, None),
    };
    Ok(Unsealed {
        secret: UnsealedSecret {
            metadata: secret_metadata(sealed)?,
            type_: template.type_,
            immutable: template.immutable,
            data,
        },
        opened_by,
        rendering,
    })
}

/// Says whether every item can be opened, and by which keys, without rendering a template: an answer that depends on a template,
/// which no label covers, would tell an attacker something about the plaintext.
///
/// # Errors
/// The problems of all items at once.
pub fn opens(
    sealed: &SealedSecret,
    keyring: &Keyring,
) -> Result<BTreeSet<Fingerprint>, UnsealError> {
    if sealed.spec.data.is_some() {
        return open_legacy(sealed, keyring).map(|opened| BTreeSet::from([opened.key]));
    }
    let items = open_items(sealed, keyring)?;
    Ok(items.into_values().map(|opened| opened.key).collect())
}

/// The label that the values of this object must carry: from its own name, namespace and annotations.
pub(crate) fn label_of(sealed: &SealedSecret) -> Label {
    let metadata = &sealed.metadata;
    Scope::of(metadata.annotations.as_ref()).label(
        metadata.namespace.as_deref().unwrap_or_default(),
        metadata.name.as_deref().unwrap_or_default(),
    )
}

/// Opens one value in its text form.
pub(crate) fn open_text(
    text: &str,
    label: &Label,
    keyring: &Keyring,
) -> Result<Opened, ItemProblem> {
    let bytes = base64::decode(text.as_bytes()).map_err(ItemProblem::Base64)?;
    keyring.open(label, &bytes).ok_or(ItemProblem::NoKey)
}

/// Opens all items, or says what is wrong with each that fails.
pub(crate) fn open_items(
    sealed: &SealedSecret,
    keyring: &Keyring,
) -> Result<BTreeMap<String, Opened>, ItemErrors> {
    let label = label_of(sealed);
    ItemErrors::collect(
        sealed
            .spec
            .encrypted_data
            .iter()
            .map(|(item, text)| (item.clone(), open_text(text, &label, keyring))),
    )
}

/// Adds what the template says to the opened items: a rendered text for each key that is not encrypted; an encrypted
/// item keeps its value, though a template of the same key must still be sound; null removes the item.
fn apply_template(
    items: BTreeMap<String, SecretBytes>,
    sources: &BTreeMap<String, Option<String>>,
    surroundings: &Surroundings<'_>,
) -> Result<(BTreeMap<String, SecretBytes>, Option<Rendering>), ItemErrors> {
    let texts = || {
        sources
            .iter()
            .filter_map(|(key, source)| Some((key, source.as_ref()?)))
    };
    let dot = template::Dot::new(&items, texts());
    let mut varying = BTreeSet::new();
    let rendered = ItemErrors::collect(texts().map(|(key, source)| {
        let rendered = Template::parse(key, source)
            .and_then(|template| template.render(&dot, surroundings))
            .map(|rendered| {
                if rendered.varies && !items.contains_key(key) {
                    varying.insert(key.clone());
                }
                rendered.text
            });
        (key.clone(), rendered.map_err(ItemProblem::Template))
    }))?;
    let opened = items
        .iter()
        .map(|(key, item)| (key.as_str(), item.expose()));
    let sources_of = texts().map(|(key, source)| (key.as_str(), source.as_bytes()));
    let rendering = Rendering::new(varying, opened.chain(sources_of));
    let mut data = rendered;
    data.extend(items);
    data.retain(|key, _| sources.get(key).is_none_or(Option::is_some));
    Ok((data, rendering))
}

/// Metadata of the Secret: a copy of the template's, then as [`force_identity`] says.
fn secret_metadata(sealed: &SealedSecret) -> Result<ObjectMeta, UnsealError> {
    let template = sealed
        .spec
        .template
        .as_ref()
        .and_then(|template| template.metadata.clone());
    let mut metadata: ObjectMeta = match template {
        Some(map) => crds::decode_part(&Value::Object(map))
            .map_err(|reason| UnsealError::TemplateMetadata { reason })?,
        None => ObjectMeta::default(),
    };
    force_identity(&mut metadata, sealed);
    Ok(metadata)
}

/// Name and namespace of the SealedSecret, which becomes the only owner unless the template's annotation says to leave
/// owners alone. What only a server may set is dropped.
fn force_identity(metadata: &mut ObjectMeta, sealed: &SealedSecret) {
    metadata.uid = None;
    metadata.resource_version = None;
    metadata.generation = None;
    metadata.creation_timestamp = None;
    metadata.deletion_timestamp = None;
    metadata.deletion_grace_period_seconds = None;
    metadata.self_link = None;
    metadata.name = sealed.metadata.name.clone();
    metadata.namespace = sealed.metadata.namespace.clone();
    let skip_owner = sealed.spec.template.as_ref().is_some_and(|template| {
        template
            .annotations()
            .get(SKIP_SET_OWNER_REFERENCES)
            .is_some_and(|value| value == "true")
    });
    if !skip_owner {
        metadata.owner_references = Some(vec![owner(sealed)]);
    }
}

fn owner(sealed: &SealedSecret) -> OwnerReference {
    OwnerReference {
        api_version: sealed_secret::API_VERSION.to_owned(),
        kind: sealed_secret::KIND.to_owned(),
        name: sealed.metadata.name.clone().unwrap_or_default(),
        uid: sealed.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: None,
    }
}

/// Key under which the deprecated `spec.data` appears among the opened items.
const LEGACY_ITEM: &str = "data";

/// Unseals the deprecated form: one value that holds a whole Secret as JSON.
fn unseal_legacy(sealed: &SealedSecret, keyring: &Keyring) -> Result<Unsealed, UnsealError> {
    let opened = open_legacy(sealed, keyring)?;
    let secret: Secret =
        serde_json::from_slice(opened.plaintext.expose()).map_err(|_| UnsealError::LegacySecret)?;
    let mut metadata = secret.metadata;
    force_identity(&mut metadata, sealed);
    let items = secret.data.unwrap_or_default();
    Ok(Unsealed {
        secret: UnsealedSecret {
            metadata,
            type_: secret.type_,
            immutable: secret.immutable,
            data: items
                .into_iter()
                .map(|(key, value)| (key, SecretBytes::from(value.0)))
                .collect(),
        },
        opened_by: BTreeMap::from([(LEGACY_ITEM.to_owned(), opened.key)]),
        rendering: None,
    })
}

fn open_legacy(sealed: &SealedSecret, keyring: &Keyring) -> Result<Opened, UnsealError> {
    if !sealed.spec.encrypted_data.is_empty() {
        return Err(UnsealError::BothDataFields);
    }
    let text = sealed.spec.data.as_deref().unwrap_or_default();
    open_text(text, &label_of(sealed), keyring).map_err(UnsealError::Legacy)
}
