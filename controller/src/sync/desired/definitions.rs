//! Kinds that a source defines itself, by its CustomResourceDefinitions.
//! Whether the cluster serves them already is not asked here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{kind_of, name_of, text};
use crate::render::Manifest;
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::plan::order::is_definition;

/// A CustomResourceDefinition among the wanted objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The definition itself.
    pub key: ObjectKey,
    /// Scope of the kind it defines.
    pub namespaced: bool,
    /// Versions it serves.
    pub versions: BTreeSet<String>,
}

pub(super) fn definitions(manifests: &[&Manifest]) -> BTreeMap<GroupKind, Definition> {
    let mut found = BTreeMap::new();
    for manifest in manifests {
        let object = &manifest.object;
        let key = ObjectKey::new(&kind_of(object).0, None, name_of(object));
        if is_definition(&key) {
            let kind = GroupKind::new(
                text(object, "/spec/group"),
                text(object, "/spec/names/kind"),
            );
            let definition = Definition {
                key,
                namespaced: text(object, "/spec/scope") != "Cluster",
                versions: served_versions(object),
            };
            found.insert(kind, definition);
        }
    }
    found
}

fn served_versions(definition: &Value) -> BTreeSet<String> {
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    let served = |version: &&Value| version.get("served") != Some(&Value::Bool(false));
    versions
        .into_iter()
        .flatten()
        .filter(served)
        .map(|version| text(version, "/name").to_owned())
        .collect()
}
