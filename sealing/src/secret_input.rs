//! A Secret as a person wrote it, read from a JSON value as tolerantly as kubeseal reads it.
//! Seals nothing, and quotes no value in its errors.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base64::{IllegalBase64, decode_base64};
use crate::coerce::into_text;
use crate::secret_bytes::SecretBytes;
use crate::secret_value::SecretValue;

type Entries = IndexMap<String, SecretValue>;

/// Annotations that tools keep a copy of the whole Secret in: they would carry its plaintext along.
const LAST_APPLIED: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "kubecfg.ksonnet.io/last-applied-configuration",
];

/// Metadata of the input that goes into the template, in the order in which it is written. What a server sets
/// (uid, resourceVersion, …) and ownerReferences stay out.
const KEPT_METADATA: [&str; 7] = [
    "name",
    "generateName",
    "namespace",
    "labels",
    "annotations",
    "finalizers",
    "managedFields",
];

/// Why a value is not a Secret. Names the field, never its content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// A field of another type than it must have.
    #[error("{field} must be {expected}, found {found}")]
    Field {
        /// Path of the field, such as `stringData.password`.
        field: String,
        /// The type it should have.
        expected: &'static str,
        /// The type it has.
        found: &'static str,
    },
    /// A value of `data` that is not base64.
    #[error("{field} is not base64")]
    Base64 {
        /// Path of the field, such as `data.password`.
        field: String,
        /// Where it goes wrong.
        #[source]
        source: IllegalBase64,
    },
}

/// A Secret to be sealed: `data` and `stringData` merged, metadata cut to what may be published.
#[derive(Clone, Debug, Default)]
pub struct SecretInput {
    /// `metadata.name`; the caller may set it.
    pub name: Option<String>,
    /// `metadata.namespace`; the caller may set it.
    pub namespace: Option<String>,
    /// `type`.
    pub type_: Option<String>,
    /// `immutable`.
    pub immutable: Option<bool>,
    /// Items by key; a key of `stringData` has replaced the same key of `data`.
    pub items: BTreeMap<String, SecretBytes>,
    /// What goes into the template, other than name and namespace.
    metadata: Map<String, Value>,
}

impl SecretInput {
    /// Fields of `metadata` that are taken over into the template, in the order in which they are written.
    pub const METADATA: [&str; 7] = KEPT_METADATA;

    /// Reads a Secret from what a YAML or JSON document says. Neither `kind` nor `apiVersion` is looked at; fields of
    /// no interest are ignored; scalars in place of strings become text as Go's YAML reader makes them.
    ///
    /// # Errors
    /// A field of the wrong type, or a value of `data` that is not base64.
    pub fn from_value(value: SecretValue) -> Result<Self, InputError> {
        let mut root = map(value, "the Secret")?;
        let mut field = |name: &str| root.swap_remove(name).unwrap_or_default();
        let mut items = data(field("data"))?;
        items.extend(string_data(field("stringData"))?);
        let metadata = metadata(field("metadata"))?;
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            name: text("name"),
            namespace: text("namespace"),
            type_: optional_text(field("type"), "type")?,
            immutable: optional_bool(&field("immutable"), "immutable")?,
            items,
            metadata,
        })
    }

    /// True when there is no item at all, which is more often an accident than a wish.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The annotations.
    #[must_use]
    pub fn annotations(&self) -> BTreeMap<String, String> {
        let map = self.metadata.get("annotations").and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }

    /// Metadata for `spec.template.metadata`, with these annotations instead of its own.
    pub(crate) fn template_metadata(
        &self,
        annotations: &BTreeMap<String, String>,
    ) -> Map<String, Value> {
        let mut template = Map::new();
        for field in KEPT_METADATA {
            let value = match field {
                "name" => self.name.clone().map(Value::from),
                "namespace" => self.namespace.clone().map(Value::from),
                "annotations" => (!annotations.is_empty()).then(|| {
                    annotations
                        .iter()
                        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
                        .collect()
                }),
                _ => self.metadata.get(field).cloned(),
            };
            template.extend(value.map(|value| (field.to_owned(), value)));
        }
        template
    }
}

/// The entries of a map.
fn map(value: SecretValue, field: &str) -> Result<Entries, InputError> {
    match value {
        SecretValue::Map(map) => Ok(map),
        other => Err(wrong(field, "a map", &other)),
    }
}

/// The entries of a map that may be absent or null.
fn optional_map(value: SecretValue, field: &str) -> Result<Entries, InputError> {
    match value {
        SecretValue::Null => Ok(Entries::default()),
        value => map(value, field),
    }
}

fn text(value: SecretValue, field: &str) -> Result<Zeroizing<String>, InputError> {
    into_text(value).map_err(|value| wrong(field, "a string", &value))
}

fn optional_text(value: SecretValue, field: &str) -> Result<Option<String>, InputError> {
    match value {
        SecretValue::Null => Ok(None),
        value => text(value, field).map(|text| Some(text.to_string())),
    }
}

fn optional_bool(value: &SecretValue, field: &str) -> Result<Option<bool>, InputError> {
    match value {
        SecretValue::Null => Ok(None),
        SecretValue::Bool(flag) => Ok(Some(*flag)),
        other => Err(wrong(field, "true or false", other)),
    }
}

/// `data`: base64 by key; null is an empty value.
fn data(value: SecretValue) -> Result<BTreeMap<String, SecretBytes>, InputError> {
    let decode = |(key, value): (String, SecretValue)| {
        let field = format!("data.{key}");
        let text = match &value {
            SecretValue::Null => "",
            SecretValue::Text(text) => text,
            other => return Err(wrong(&field, "a string of base64", other)),
        };
        let bytes = decode_base64(text.as_bytes())
            .map_err(|source| InputError::Base64 { field, source })?;
        Ok((key, bytes))
    };
    optional_map(value, "data")?
        .into_iter()
        .map(decode)
        .collect()
}

/// `stringData`: text by key.
fn string_data(value: SecretValue) -> Result<BTreeMap<String, SecretBytes>, InputError> {
    let read = |(key, value): (String, SecretValue)| {
        let mut text = text(value, &format!("stringData.{key}"))?;
        Ok((key, SecretBytes::from(std::mem::take(&mut *text))))
    };
    optional_map(value, "stringData")?
        .into_iter()
        .map(read)
        .collect()
}

/// The part of `metadata` that may be published. Maps that this empties are left out.
fn metadata(value: SecretValue) -> Result<Map<String, Value>, InputError> {
    let mut kept = Map::new();
    for (key, value) in optional_map(value, "metadata")? {
        let field = format!("metadata.{key}");
        let value = match key.as_str() {
            "name" | "generateName" | "namespace" => optional_text(value, &field)?
                .filter(|text| !text.is_empty())
                .map(Value::from),
            "labels" | "annotations" => strings(value, &field)?,
            known if KEPT_METADATA.contains(&known) => {
                Some(value.into_public()).filter(|value| !value.is_null())
            }
            _ => None,
        };
        kept.extend(value.map(|value| (key, value)));
    }
    Ok(kept)
}

fn strings(value: SecretValue, field: &str) -> Result<Option<Value>, InputError> {
    let mut strings = BTreeMap::new();
    for (key, value) in optional_map(value, field)? {
        if !LAST_APPLIED.contains(&key.as_str()) {
            let text = text(value, &format!("{field}.{key}"))?;
            strings.insert(key, Value::from(text.as_str()));
        }
    }
    Ok((!strings.is_empty()).then(|| strings.into_iter().collect()))
}

fn wrong(field: &str, expected: &'static str, value: &SecretValue) -> InputError {
    InputError::Field {
        field: field.to_owned(),
        expected,
        found: match value {
            SecretValue::Null => "nothing",
            SecretValue::Bool(_) => "a boolean",
            SecretValue::Number(_) => "a number",
            SecretValue::Text(_) => "a string",
            SecretValue::List(_) => "a list",
            SecretValue::Map(_) => "a map",
        },
    }
}
