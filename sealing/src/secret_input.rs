//! A Secret as a person wrote it, read from a JSON value as tolerantly as kubeseal reads it.
//! Seals nothing, and quotes no value in its errors.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::base64::{self, IllegalBase64};
use crate::coerce::text_of;
use crate::secret_bytes::SecretBytes;

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
    /// Fields that were written as a number, a boolean or nothing and were read as text, worth a warning.
    pub coerced: Vec<String>,
    /// What goes into the template, other than name and namespace.
    metadata: Map<String, Value>,
}

impl SecretInput {
    /// Reads a Secret from what a YAML or JSON document says. Neither `kind` nor `apiVersion` is looked at; fields of
    /// no interest are ignored; scalars in place of strings become text as Go's YAML reader makes them.
    ///
    /// # Errors
    /// A field of the wrong type, or a value of `data` that is not base64.
    pub fn from_value(value: &Value) -> Result<Self, InputError> {
        let mut reader = Reader::default();
        let root = reader.object(value, "the Secret")?;
        let mut items = reader.data(root.get("data"))?;
        items.extend(reader.string_data(root.get("stringData"))?);
        let metadata = reader.metadata(root.get("metadata"))?;
        let type_ = reader.optional_text(root.get("type"), "type")?;
        let immutable = reader.optional_bool(root.get("immutable"), "immutable")?;
        let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            name: text("name"),
            namespace: text("namespace"),
            type_,
            immutable,
            items,
            coerced: reader.coerced,
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

/// Reads fields and remembers which of them were coerced.
#[derive(Default)]
struct Reader {
    coerced: Vec<String>,
}

impl Reader {
    fn object<'a>(
        &self,
        value: &'a Value,
        field: &str,
    ) -> Result<&'a Map<String, Value>, InputError> {
        value
            .as_object()
            .ok_or_else(|| wrong(field, "a map", value))
    }

    /// A map that may be absent or null.
    fn optional_object<'a>(
        &self,
        value: Option<&'a Value>,
        field: &str,
    ) -> Result<impl Iterator<Item = (&'a String, &'a Value)> + use<'a>, InputError> {
        let object = match value {
            None | Some(Value::Null) => None,
            Some(value) => Some(self.object(value, field)?),
        };
        Ok(object.into_iter().flatten())
    }

    fn text(&mut self, value: &Value, field: &str) -> Result<String, InputError> {
        let (text, coerced) = text_of(value).ok_or_else(|| wrong(field, "a string", value))?;
        if coerced {
            self.coerced.push(field.to_owned());
        }
        Ok(text)
    }

    fn optional_text(
        &mut self,
        value: Option<&Value>,
        field: &str,
    ) -> Result<Option<String>, InputError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.text(value, field).map(Some),
        }
    }

    fn optional_bool(
        &self,
        value: Option<&Value>,
        field: &str,
    ) -> Result<Option<bool>, InputError> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(other) => Err(wrong(field, "true or false", other)),
        }
    }

    /// `data`: base64 by key; null is an empty value.
    fn data(&self, value: Option<&Value>) -> Result<BTreeMap<String, SecretBytes>, InputError> {
        self.optional_object(value, "data")?
            .map(|(key, value)| {
                let field = format!("data.{key}");
                let text = match value {
                    Value::Null => "",
                    Value::String(text) => text,
                    other => return Err(wrong(&field, "a string of base64", other)),
                };
                let bytes = base64::decode(text.as_bytes())
                    .map_err(|source| InputError::Base64 { field, source })?;
                Ok((key.clone(), SecretBytes::from(bytes)))
            })
            .collect()
    }

    /// `stringData`: text by key.
    fn string_data(
        &mut self,
        value: Option<&Value>,
    ) -> Result<BTreeMap<String, SecretBytes>, InputError> {
        self.optional_object(value, "stringData")?
            .map(|(key, value)| {
                let text = self.text(value, &format!("stringData.{key}"))?;
                Ok((key.clone(), SecretBytes::from(text)))
            })
            .collect()
    }

    /// The part of `metadata` that may be published. Maps that this empties are left out.
    fn metadata(&mut self, value: Option<&Value>) -> Result<Map<String, Value>, InputError> {
        let mut kept = Map::new();
        for (key, value) in self.optional_object(value, "metadata")? {
            let field = format!("metadata.{key}");
            let value = match key.as_str() {
                "name" | "generateName" | "namespace" => self
                    .optional_text(Some(value), &field)?
                    .filter(|text| !text.is_empty())
                    .map(Value::from),
                "labels" | "annotations" => self.strings(value, &field)?,
                known if KEPT_METADATA.contains(&known) => {
                    Some(value.clone()).filter(|value| !value.is_null())
                }
                _ => None,
            };
            kept.extend(value.map(|value| (key.clone(), value)));
        }
        Ok(kept)
    }

    fn strings(&mut self, value: &Value, field: &str) -> Result<Option<Value>, InputError> {
        let mut strings = BTreeMap::new();
        for (key, value) in self.optional_object(Some(value), field)? {
            if !LAST_APPLIED.contains(&key.as_str()) {
                strings.insert(
                    key.clone(),
                    Value::from(self.text(value, &format!("{field}.{key}"))?),
                );
            }
        }
        Ok((!strings.is_empty()).then(|| strings.into_iter().collect()))
    }
}

fn wrong(field: &str, expected: &'static str, value: &Value) -> InputError {
    InputError::Field {
        field: field.to_owned(),
        expected,
        found: match value {
            Value::Null => "nothing",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "a map",
        },
    }
}
