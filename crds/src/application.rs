//! `Application`: a path of a Git repository that is kept alive in a cluster. Same fields as Argo CD's.
//! Unknown fields are kept at every level in `extra`; what is supported is decided by the controller.

mod hold;
mod operation;
mod source;
mod status;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use hold::*;
pub use operation::*;
pub use source::*;
pub use status::*;

use crate::is_default;

/// Application keeps the objects of a Git repository alive in a cluster: it compares them, applies what
/// differs and, where asked for, removes what left the repository.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["spec"]))]
pub struct Application {
    #[schemars(skip)]
    pub metadata: ObjectMeta,
    /// Where the objects come from, where they go, and what may be done without asking.
    pub spec: ApplicationSpec,
    /// A request: set it to start a sync. The controller moves it to status.operationState.
    pub operation: Option<Operation>,
    /// What the controller found and did. Written by the controller only.
    pub status: Option<ApplicationStatus>,
}

/// Spec of an [`Application`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["project", "destination"]))]
pub struct ApplicationSpec {
    /// Name of the AppProject that says what this Application may do, such as default.
    pub project: String,
    /// The one place the objects come from.
    #[serde(skip_serializing_if = "is_default")]
    pub source: Option<ApplicationSource>,
    /// Several places the objects come from; they win over source.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_sources")]
    pub sources: Vec<ApplicationSource>,
    /// Renders into a branch of its own before syncing from there.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: Option<Map<String, Value>>,
    /// The cluster and namespace the objects go to.
    pub destination: Destination,
    /// What may be done without asking, and how. Without it a sync starts only on request.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_policy: Option<SyncPolicy>,
    /// Fields whose difference does not count.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore_differences: Vec<IgnoreDifferences>,
    /// Facts and links for people; no effect.
    #[serde(skip_serializing_if = "is_default")]
    pub info: Vec<Info>,
    /// How many finished syncs status.history keeps; 10 when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub revision_history_limit: Option<i64>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The cluster and namespace of an [`Application`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Destination {
    /// URL of the cluster's API server; https://kubernetes.default.svc is the cluster we run in. Not together with name.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// Name of the cluster; in-cluster is the cluster we run in. Not together with server.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace of namespaced objects that name none.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What an [`Application`] may do without asking.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncPolicy {
    /// Sync by itself whenever the repository moves. `{}` is enough to turn it on.
    #[serde(skip_serializing_if = "is_default")]
    pub automated: Option<Automated>,
    /// Options of each sync, such as CreateNamespace=true.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_options: Vec<String>,
    /// Try a failed sync again.
    #[serde(skip_serializing_if = "is_default")]
    pub retry: Option<Retry>,
    /// Labels and annotations of the namespace that CreateNamespace=true makes.
    #[serde(skip_serializing_if = "is_default")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Syncing without being asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Automated {
    /// Set to false to pause automatic syncs and keep the other settings.
    #[serde(skip_serializing_if = "is_default")]
    pub enabled: Option<bool>,
    /// Delete objects that left the repository.
    #[serde(skip_serializing_if = "is_default")]
    pub prune: Option<bool>,
    /// Put back what somebody changed or deleted in the cluster.
    #[serde(skip_serializing_if = "is_default")]
    pub self_heal: Option<bool>,
    /// Allow a repository that renders nothing to delete everything.
    #[serde(skip_serializing_if = "is_default")]
    pub allow_empty: Option<bool>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// How a failed sync is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Retry {
    /// How often; 0 is never, a negative number is for ever.
    #[serde(skip_serializing_if = "is_default")]
    pub limit: Option<i64>,
    /// How long to wait in between.
    #[serde(skip_serializing_if = "is_default")]
    pub backoff: Option<Backoff>,
    /// Take the newest commit when trying again.
    #[serde(skip_serializing_if = "is_default")]
    pub refresh: Option<bool>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Waiting times between tries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Backoff {
    /// First waiting time, such as 5s; a bare number is seconds.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: String,
    /// Each waiting time is the last one times this.
    #[serde(skip_serializing_if = "is_default")]
    pub factor: Option<i64>,
    /// Longest waiting time, such as 3m.
    #[serde(skip_serializing_if = "is_default")]
    pub max_duration: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Labels and annotations of a namespace that a sync makes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ManagedNamespaceMetadata {
    /// Labels of the namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub annotations: BTreeMap<String, String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Fields of some objects whose difference does not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["kind"]))]
pub struct IgnoreDifferences {
    /// API group of the objects; a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// Kind of the objects; * for all.
    pub kind: String,
    /// Name of the object; all when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace of the objects; all when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// JSON pointers to the fields, such as /spec/replicas.
    #[serde(skip_serializing_if = "is_default")]
    pub json_pointers: Vec<String>,
    /// jq expressions that select the fields.
    #[serde(skip_serializing_if = "is_default")]
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields do not count.
    #[serde(skip_serializing_if = "is_default")]
    pub managed_fields_managers: Vec<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A fact or a link for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name", "value"]))]
pub struct Info {
    /// What it is.
    pub name: String,
    /// The fact, or a URL.
    pub value: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
