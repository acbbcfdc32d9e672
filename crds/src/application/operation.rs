//! A request to sync, as it is written into `.operation` and kept in `status.operationState`.
//! It must not decide what is done with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::source::{repeated_source, repeated_sources};
use super::{ApplicationSource, Info, Retry};
use crate::is_default;

/// A request to do something with an Application now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Operation {
    /// Sync: make the cluster as a revision says.
    #[serde(skip_serializing_if = "is_default")]
    pub sync: Option<SyncOperation>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "is_default")]
    pub initiated_by: Option<InitiatedBy>,
    /// Facts for people, such as a reason.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Vec<Info>,
    /// Try again when it fails.
    #[serde(skip_serializing_if = "is_default")]
    pub retry: Option<Retry>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A sync that somebody asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperation {
    /// Branch, tag or commit to sync to; the Application's targetRevision when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// One revision for each of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Delete objects that left the repository.
    #[serde(skip_serializing_if = "is_default")]
    pub prune: bool,
    /// Say what would be done and do nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub dry_run: bool,
    /// How to apply, and whether hooks run.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_strategy: Option<SyncStrategy>,
    /// Sync only these objects.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<SyncResource>,
    /// Sync from this source instead of the Application's.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub source: Option<ApplicationSource>,
    /// Sync from these sources instead of the Application's.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_sources")]
    pub sources: Vec<ApplicationSource>,
    /// Objects to apply instead of the repository's.
    #[serde(skip_serializing_if = "is_default")]
    pub manifests: Vec<String>,
    /// Options of this sync, such as CreateNamespace=true.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_options: Vec<String>,
    /// How often self-healing has tried this revision.
    #[serde(skip_serializing_if = "is_default")]
    pub auto_heal_attempts_count: Option<i64>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How a sync applies objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStrategy {
    /// Apply without hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub apply: Option<SyncStrategyOptions>,
    /// Apply with hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub hook: Option<SyncStrategyOptions>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Options of a [`SyncStrategy`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStrategyOptions {
    /// Delete and make anew what can't be changed.
    #[serde(skip_serializing_if = "is_default")]
    pub force: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An object to sync.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["kind", "name"]))]
pub struct SyncResource {
    /// API group of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind of the object.
    pub kind: String,
    /// Name of the object.
    pub name: String,
    /// Namespace of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Who asked for a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct InitiatedBy {
    /// Name of the user.
    #[serde(skip_serializing_if = "is_default")]
    pub username: String,
    /// The controller did, by itself.
    #[serde(skip_serializing_if = "is_default")]
    pub automated: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
