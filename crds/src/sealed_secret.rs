//! `SealedSecret`: a Secret whose values only the cluster can read, safe to keep in Git.
//! It must not open or seal anything.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::is_default;

/// SealedSecret is a Secret whose values were encrypted with the cluster's public key. The controller
/// decrypts it and keeps a Secret of the same namespace and name.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["spec"]))]
pub struct SealedSecret {
    #[schemars(skip)]
    pub metadata: ObjectMeta,
    /// The encrypted items, and the Secret to put them in.
    pub spec: SealedSecretSpec,
    /// What the controller made of it. Written by the controller only.
    pub status: Option<SealedSecretStatus>,
}

/// Spec of a [`SealedSecret`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["encryptedData"]))]
pub struct SealedSecretSpec {
    /// The Secret around the items: its labels, annotations, type, and plain or templated items.
    #[serde(skip_serializing_if = "is_default")]
    pub template: Option<SecretTemplate>,
    /// Items of the Secret: key to encrypted value in base64, as made by `signet seal` or `kubeseal`.
    /// Each value is bound to the namespace and name of this object, unless it was sealed for a wider scope.
    #[serde(deserialize_with = "encrypted_data")]
    #[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
    pub encrypted_data: BTreeMap<String, String>,
    /// Deprecated: one encrypted value that holds a whole Secret. Use encryptedData.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(extend("format" = "byte"))]
    pub data: Option<String>,
}

/// The Secret that a [`SealedSecret`] becomes, without its encrypted items.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SecretTemplate {
    /// Metadata of the Secret: labels, annotations, finalizers. Name and namespace are always those of
    /// the SealedSecret.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(with = "Option<SecretTemplateMetadata>")]
    pub metadata: Option<Map<String, Value>>,
    /// Type of the Secret, such as kubernetes.io/tls. Opaque when absent.
    #[serde(rename = "type", skip_serializing_if = "is_default")]
    pub type_: Option<String>,
    /// Whether the Secret, once made, can't be changed any more.
    #[serde(skip_serializing_if = "is_default")]
    pub immutable: Option<bool>,
    /// Further items of the Secret, each a Go template over the decrypted items, such as
    /// `postgres://app:{{ .password }}@db`. An item that is null is left out of the Secret even if it is
    /// encrypted, and can still be used in templates; null needs `kubectl apply --server-side`.
    #[serde(skip_serializing_if = "is_default")]
    pub data: Option<BTreeMap<String, Option<String>>>,
}

/// What the schema says of a template's metadata; more is kept and handed to the Secret.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "a schema, never a value")]
struct SecretTemplateMetadata {
    /// Annotations of the Secret.
    annotations: Option<BTreeMap<String, String>>,
    /// Labels of the Secret.
    labels: Option<BTreeMap<String, String>>,
    /// Finalizers of the Secret.
    finalizers: Option<Vec<String>>,
    /// Ignored: the Secret has the SealedSecret's name.
    name: Option<String>,
    /// Ignored: the Secret is in the SealedSecret's namespace.
    namespace: Option<String>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl SecretTemplate {
    /// Labels for the Secret. Entries that are not strings are left out.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.strings("labels")
    }

    /// Annotations for the Secret. Entries that are not strings are left out.
    pub fn annotations(&self) -> BTreeMap<String, String> {
        self.strings("annotations")
    }

    fn strings(&self, field: &str) -> BTreeMap<String, String> {
        let map = self
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.get(field))
            .and_then(Value::as_object);
        let entries = map.into_iter().flatten();
        entries
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}

/// Status of a [`SealedSecret`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SealedSecretStatus {
    /// Generation of the SealedSecret that the conditions speak of.
    #[serde(skip_serializing_if = "is_default")]
    pub observed_generation: Option<i64>,
    /// Synced says whether the Secret is there and as described.
    #[serde(deserialize_with = "null_is_empty", skip_serializing_if = "is_default")]
    pub conditions: Vec<SealedSecretCondition>,
}

/// One condition of a [`SealedSecret`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["type", "status"]))]
pub struct SealedSecretCondition {
    /// Kind of condition: Synced.
    #[serde(rename = "type")]
    pub type_: String,
    /// True, False or Unknown.
    pub status: String,
    /// When the controller last wrote this condition.
    #[serde(skip_serializing_if = "is_default")]
    pub last_update_time: Option<Time>,
    /// When the status last changed.
    #[serde(skip_serializing_if = "is_default")]
    pub last_transition_time: Option<Time>,
    /// Why, in one word.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: Option<String>,
    /// Why, for people. Never contains a secret value.
    #[serde(skip_serializing_if = "is_default")]
    pub message: Option<String>,
}

/// Reads `encryptedData` as upstream does: what is not a map is empty, a value that is not a string is
/// empty too and then can't be decrypted. A stricter reader would stop at one bad object.
fn encrypted_data<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let Value::Object(items) = Value::deserialize(deserializer)? else {
        return Ok(BTreeMap::new());
    };
    let text = |value| match value {
        Value::String(text) => text,
        _ => String::new(),
    };
    Ok(items
        .into_iter()
        .map(|(key, value)| (key, text(value)))
        .collect())
}

/// A `null` list is empty. [`crate::decode`] would see to it too, at the price of the template's nulls, which
/// mean something.
fn null_is_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<SealedSecretCondition>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{SealedSecret, decode};

    fn sealed(spec: &serde_json::Value) -> SealedSecret {
        let object = json!({
            "apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret",
            "metadata": { "namespace": "shop", "name": "db" }, "spec": spec, "status": { "conditions": null },
        });
        decode(&object).expect("a SealedSecret")
    }

    #[test]
    fn odd_values_in_encrypted_data_are_empty_and_the_others_survive() {
        let odd =
            sealed(&json!({ "encryptedData": { "a": "AgA=", "b": 5, "c": null, "d": ["x"] } }));
        let items: Vec<(&str, &str)> = odd
            .spec
            .encrypted_data
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        assert_eq!(items, [("a", "AgA="), ("b", ""), ("c", ""), ("d", "")]);
    }

    #[test]
    fn encrypted_data_that_is_no_map_is_empty() {
        for value in [json!(null), json!("AgA="), json!(["AgA="]), json!(5)] {
            assert!(
                sealed(&json!({ "encryptedData": value }))
                    .spec
                    .encrypted_data
                    .is_empty(),
                "{value}"
            );
        }
    }

    #[test]
    fn an_empty_legacy_value_is_present_and_null_is_absent() {
        assert_eq!(
            sealed(&json!({ "data": "" })).spec.data.as_deref(),
            Some("")
        );
        assert_eq!(sealed(&json!({ "data": null })).spec.data, None);
    }

    #[test]
    fn a_null_item_of_a_template_is_kept_apart_from_an_empty_one() {
        let template = json!({ "data": { "gone": null, "empty": "" } });
        let template = sealed(&json!({ "encryptedData": {}, "template": template }))
            .spec
            .template
            .expect("a template");
        let data = template.data.expect("data");
        assert_eq!(data["gone"], None);
        assert_eq!(data["empty"].as_deref(), Some(""));
    }

    #[test]
    fn what_older_tools_wrote_is_accepted() {
        let template =
            json!({ "metadata": { "creationTimestamp": null, "name": "db" }, "data": null });
        let old = sealed(&json!({ "encryptedData": { "a": "AgA=" }, "template": template }));
        assert_eq!(old.spec.template.expect("a template").data, None);
    }

    #[test]
    fn the_whole_metadata_of_a_template_is_kept() {
        let metadata = json!({ "labels": { "a": "b", "odd": 5 }, "annotations": null, "finalizers": ["x"], "more": {} });
        let spec = json!({ "encryptedData": {}, "template": { "metadata": metadata } });
        let template = sealed(&spec).spec.template.expect("a template");
        assert_eq!(
            serde_json::Value::from(template.metadata.clone().expect("metadata")),
            metadata
        );
        assert_eq!(
            template.labels().into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), "b".to_owned())]
        );
        assert!(template.annotations().is_empty());
    }

    #[test]
    fn it_is_written_with_its_type_first_and_nothing_that_is_absent() {
        let mut written = SealedSecret::default();
        written.metadata.name = Some("db".into());
        written
            .spec
            .encrypted_data
            .insert("a".into(), "AgA=".into());
        assert_eq!(
            serde_json::to_string(&written).expect("JSON"),
            r#"{"apiVersion":"bitnami.com/v1alpha1","kind":"SealedSecret","metadata":{"name":"db"},"spec":{"encryptedData":{"a":"AgA="}}}"#
        );
    }
}
