//! What a source says of the tool that renders it, typed. How it was spelled is known in `dialect/` alone.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a source says of its tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceOptions {
    pub tool: Tool,
    /// The same as written, so that a file of the source can change single fields of it.
    pub written: Map<String, Value>,
    /// The template function `lookup` of charts finds nothing, instead of failing the render.
    pub empty_lookup: bool,
}

/// The tool that renders a source, with its options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// The one whose file lies in the source's directory; with none of them it is a plain directory.
    #[default]
    Detect,
    Directory(DirectoryOptions),
    Kustomize(Box<KustomizeOptions>),
    Helm(Box<HelmOptions>),
}

/// What `spec.source.directory` of an Application says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DirectoryOptions {
    /// Directories below the path too.
    pub recurse: bool,
    /// Only files whose path below the directory matches this glob; empty for all.
    pub include: String,
    /// No file whose path below the directory matches this glob; empty for none.
    pub exclude: String,
}

/// What `spec.source.kustomize` of an Application says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KustomizeOptions {
    pub name_prefix: String,
    pub name_suffix: String,
    /// `name=new-name:tag` and its shorter forms, as `kustomize edit set image` takes them.
    pub images: Vec<String>,
    /// Names of workloads and their replicas.
    pub replicas: Vec<(String, i64)>,
    pub common_labels: BTreeMap<String, String>,
    pub force_common_labels: bool,
    pub label_without_selector: bool,
    pub label_include_templates: bool,
    pub common_annotations: BTreeMap<String, String>,
    pub force_common_annotations: bool,
    /// Variables of the build environment in annotations are replaced.
    pub common_annotations_envsubst: bool,
    pub namespace: String,
    /// As they stand in the field `patches` of a kustomization.
    pub patches: Vec<Value>,
    /// Paths relative to the kustomization.
    pub components: Vec<String>,
    pub ignore_missing_components: bool,
    /// Name of one of [`super::KustomizeSettings::versions`]; empty for the program of all sources.
    pub version: String,
    /// What charts inside the kustomization are told; of the cluster when empty.
    pub kube_version: String,
    pub api_versions: Vec<String>,
}

/// What `spec.source.helm` of an Application says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelmOptions {
    /// The Application's name when empty.
    pub release_name: String,
    /// The destination's when empty.
    pub namespace: String,
    /// Paths and globs, relative to the chart, from the repository's root with `/`, or `$ref/…` of another source.
    pub value_files: Vec<String>,
    pub ignore_missing_value_files: bool,
    /// YAML or JSON that wins over value files; empty for none.
    pub values: String,
    pub parameters: Vec<HelmParameter>,
    /// Names of values, and the files that hold them.
    pub file_parameters: Vec<(String, String)>,
    pub skip_crds: bool,
    pub skip_tests: bool,
    pub skip_schema_validation: bool,
    /// For who fetches charts: the repository's credentials go to every host that it names.
    pub pass_credentials: bool,
    /// What the chart is told; of the cluster when empty.
    pub kube_version: String,
    pub api_versions: Vec<String>,
}

/// A single value of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelmParameter {
    pub name: String,
    pub value: String,
    /// A text, whatever it looks like.
    pub force_string: bool,
}
