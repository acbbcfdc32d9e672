//! Where an Application's objects come from, and the options of each tool that makes them.
//! It must not read a repository.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::is_default;

/// One place objects come from: a path of a Git repository, or a Helm chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["repoURL"]))]
pub struct ApplicationSource {
    /// URL of the repository, such as https://git.example.org/shop/config.git.
    #[serde(rename = "repoURL")]
    pub repo_url: String,
    /// Branch, tag, commit or HEAD; HEAD when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub target_revision: String,
    /// Directory inside the repository.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// Name of a chart, when repoURL is a Helm repository.
    #[serde(skip_serializing_if = "is_default")]
    pub chart: String,
    /// Name by which the value files of other sources refer to this one.
    #[serde(rename = "ref", skip_serializing_if = "is_default")]
    pub ref_: String,
    /// Name of this source among several.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Only tags that begin with this count when targetRevision is a version range.
    #[serde(skip_serializing_if = "is_default")]
    pub tag_prefix: String,
    /// Options of a Helm chart.
    #[serde(skip_serializing_if = "is_default")]
    pub helm: Option<HelmSource>,
    /// Options of a Kustomization.
    #[serde(skip_serializing_if = "is_default")]
    pub kustomize: Option<KustomizeSource>,
    /// Options of a directory of plain YAML or JSON files.
    #[serde(skip_serializing_if = "is_default")]
    pub directory: Option<DirectorySource>,
    /// Options of a config management plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub plugin: Option<PluginSource>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of a directory of plain YAML or JSON files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct DirectorySource {
    /// Read subdirectories too.
    #[serde(skip_serializing_if = "is_default")]
    pub recurse: bool,
    /// Read only files that match this glob, such as *.yaml or {a,b}/*.yaml.
    #[serde(skip_serializing_if = "is_default")]
    pub include: String,
    /// Do not read files that match this glob.
    #[serde(skip_serializing_if = "is_default")]
    pub exclude: String,
    /// Read files of every extension, not only .yaml, .yml and .json.
    #[serde(skip_serializing_if = "is_default")]
    pub disable_extension_filter: bool,
    /// Options of Jsonnet files.
    #[serde(skip_serializing_if = "is_default")]
    pub jsonnet: Option<JsonnetOptions>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of Jsonnet files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct JsonnetOptions {
    /// External variables.
    #[serde(skip_serializing_if = "is_default")]
    pub ext_vars: Vec<JsonnetVariable>,
    /// Top-level arguments.
    #[serde(skip_serializing_if = "is_default")]
    pub tlas: Vec<JsonnetVariable>,
    /// Library directories.
    #[serde(skip_serializing_if = "is_default")]
    pub libs: Vec<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A variable for Jsonnet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct JsonnetVariable {
    /// Name of the variable.
    pub name: String,
    /// Value of the variable.
    pub value: String,
    /// The value is Jsonnet code, not text.
    #[serde(skip_serializing_if = "is_default")]
    pub code: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of a Helm chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmSource {
    /// Value files, relative to the chart or as $ref/path of another source.
    #[serde(skip_serializing_if = "is_default")]
    pub value_files: Vec<String>,
    /// Single values, as with --set.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Vec<HelmParameter>,
    /// Name of the release; the Application's name when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub release_name: String,
    /// Values as YAML text.
    #[serde(skip_serializing_if = "is_default")]
    pub values: String,
    /// Values as an object; they win over values.
    #[serde(skip_serializing_if = "is_default")]
    pub values_object: Option<Map<String, Value>>,
    /// Single values read from files, as with --set-file.
    #[serde(skip_serializing_if = "is_default")]
    pub file_parameters: Vec<HelmFileParameter>,
    /// Version of Helm.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Send the repository's credentials to every host the chart names.
    #[serde(skip_serializing_if = "is_default")]
    pub pass_credentials: bool,
    /// Go on when a value file does not exist.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_missing_value_files: bool,
    /// Leave out the chart's custom resource definitions.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_crds: bool,
    /// Leave out the chart's tests.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_tests: bool,
    /// Do not check the values against the chart's schema.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_schema_validation: bool,
    /// Namespace of the release; the destination's when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Version of Kubernetes the chart is told; the cluster's when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// API versions the chart is told; the cluster's when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One value of a chart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmParameter {
    /// Path of the value, such as image.tag.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The value.
    #[serde(skip_serializing_if = "is_default")]
    pub value: String,
    /// Take the value as text even if it looks like a number or a boolean.
    #[serde(skip_serializing_if = "is_default")]
    pub force_string: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One value of a chart that stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HelmFileParameter {
    /// Path of the value.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// The file.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of a Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizeSource {
    /// Put in front of every name.
    #[serde(skip_serializing_if = "is_default")]
    pub name_prefix: String,
    /// Put behind every name.
    #[serde(skip_serializing_if = "is_default")]
    pub name_suffix: String,
    /// Images to replace, such as nginx=registry.example.org/nginx:1.29.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Numbers of replicas to set.
    #[serde(skip_serializing_if = "is_default")]
    pub replicas: Vec<KustomizeReplica>,
    /// Labels for every object.
    #[serde(skip_serializing_if = "is_default")]
    pub common_labels: BTreeMap<String, String>,
    /// Annotations for every object.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations: BTreeMap<String, String>,
    /// Substitute build variables in commonAnnotations.
    #[serde(skip_serializing_if = "is_default")]
    pub common_annotations_envsubst: bool,
    /// Overwrite labels that exist.
    #[serde(skip_serializing_if = "is_default")]
    pub force_common_labels: bool,
    /// Overwrite annotations that exist.
    #[serde(skip_serializing_if = "is_default")]
    pub force_common_annotations: bool,
    /// Put commonLabels on objects, not on selectors.
    #[serde(skip_serializing_if = "is_default")]
    pub label_without_selector: bool,
    /// Put commonLabels on pod templates too.
    #[serde(skip_serializing_if = "is_default")]
    pub label_include_templates: bool,
    /// Namespace of every object.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Patches to apply.
    #[serde(skip_serializing_if = "is_default")]
    pub patches: Vec<KustomizePatch>,
    /// Components to add.
    #[serde(skip_serializing_if = "is_default")]
    pub components: Vec<String>,
    /// Go on when a component does not exist.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_missing_components: bool,
    /// Version of Kustomize.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Version of Kubernetes for charts inside the Kustomization.
    #[serde(skip_serializing_if = "is_default")]
    pub kube_version: String,
    /// API versions for charts inside the Kustomization.
    #[serde(skip_serializing_if = "is_default")]
    pub api_versions: Vec<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A number of replicas to set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "count"]))]
pub struct KustomizeReplica {
    /// Name of the workload.
    pub name: String,
    /// Number of replicas, as a number or text.
    #[schemars(schema_with = "int_or_string")]
    pub count: Value,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A patch of a Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KustomizePatch {
    /// File that holds the patch.
    #[serde(skip_serializing_if = "is_default")]
    pub path: String,
    /// The patch as text.
    #[serde(skip_serializing_if = "is_default")]
    pub patch: String,
    /// Which objects to patch: group, version, kind, name, namespace, labelSelector, annotationSelector.
    #[serde(skip_serializing_if = "is_default")]
    pub target: Option<Map<String, Value>>,
    /// Options of Kustomize, such as allowNameChange.
    #[serde(skip_serializing_if = "is_default")]
    pub options: BTreeMap<String, bool>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of a config management plugin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PluginSource {
    /// Name of the plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Environment of the plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub env: Vec<super::Info>,
    /// Parameters of the plugin, each with a name and one of string, map, array.
    #[serde(skip_serializing_if = "is_default")]
    pub parameters: Vec<Map<String, Value>>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Schema of a source where it is repeated: its fields are described at spec.source only, which keeps
/// the definition small enough for a plain `kubectl apply`.
pub(super) fn repeated_source(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// Schema of a list of sources: fields as at spec.source.
pub(super) fn repeated_sources(generator: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": repeated_source(generator) })
}

fn int_or_string(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true })
}
