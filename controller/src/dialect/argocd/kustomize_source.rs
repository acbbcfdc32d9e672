//! The options of Kustomize: which fields are accepted, and what they ask for.
//! It must not look at a kustomization.

use crds::KustomizeSource;
use serde_json::{Map, Value};

use crate::dialect::refusal::Refusal;
use crate::render::KustomizeOptions;

/// What the source asks of Kustomize; `field` is where it stands.
pub(super) fn options(field: &str, source: &KustomizeSource) -> Result<KustomizeOptions, Refusal> {
    Ok(KustomizeOptions {
        name_prefix: source.name_prefix.clone(),
        name_suffix: source.name_suffix.clone(),
        images: source.images.clone(),
        replicas: replicas(field, source)?,
        common_labels: source.common_labels.clone(),
        force_common_labels: source.force_common_labels,
        label_without_selector: source.label_without_selector,
        label_include_templates: source.label_include_templates,
        common_annotations: source.common_annotations.clone(),
        force_common_annotations: source.force_common_annotations,
        common_annotations_envsubst: source.common_annotations_envsubst,
        namespace: source.namespace.clone(),
        patches: patches(source),
        components: source.components.clone(),
        ignore_missing_components: source.ignore_missing_components,
        version: source.version.clone(),
        kube_version: source.kube_version.clone(),
        api_versions: source.api_versions.clone(),
    })
}

/// A number may be written as text.
fn replicas(field: &str, source: &KustomizeSource) -> Result<Vec<(String, i64)>, Refusal> {
    let mut replicas = Vec::new();
    for (index, replica) in source.replicas.iter().enumerate() {
        let count = match &replica.count {
            Value::String(text) => text.parse().ok(),
            count => count.as_i64(),
        };
        let Some(count) = count.filter(|count| *count >= 0) else {
            return Err(Refusal::invalid(
                format!("{field}.replicas[{index}].count"),
                "expected a number, 0 or more",
            ));
        };
        replicas.push((replica.name.clone(), count));
    }
    Ok(replicas)
}

/// As the field `patches` of a kustomization has them, with the same names.
fn patches(source: &KustomizeSource) -> Vec<Value> {
    let patch = |patch: &crds::KustomizePatch| {
        let mut fields = Map::new();
        let mut set = |name: &str, value: Value, absent: bool| {
            if !absent {
                fields.insert(name.to_owned(), value);
            }
        };
        set("path", patch.path.as_str().into(), patch.path.is_empty());
        set("patch", patch.patch.as_str().into(), patch.patch.is_empty());
        let target = patch.target.clone().unwrap_or_default();
        set("target", target.into(), patch.target.is_none());
        let options = patch.options.iter();
        let options: Map<_, _> = options
            .map(|(name, set)| (name.clone(), Value::Bool(*set)))
            .collect();
        set("options", options.into(), patch.options.is_empty());
        Value::Object(fields)
    };
    source.patches.iter().map(patch).collect()
}
