//! What a controller found and did: sync, health, inventory, the last operation and the history.
//! Words such as `Synced` or `Running` stay text here, so that another controller's never break a read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::source::{repeated_source, repeated_sources};
use super::{
    ApplicationSource, Destination, IgnoreDifferences, InitiatedBy, ManagedNamespaceMetadata,
    Operation,
};
use crate::is_default;

/// Status of an [`super::Application`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationStatus {
    /// Whether the cluster is as the repository says.
    #[serde(skip_serializing_if = "is_default")]
    pub sync: Option<SyncStatus>,
    /// Whether the objects work.
    #[serde(skip_serializing_if = "is_default")]
    pub health: Option<HealthStatus>,
    /// The inventory: every object that belongs to the Application.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceStatus>,
    /// The sync that runs, or ran last.
    #[serde(skip_serializing_if = "is_default")]
    pub operation_state: Option<OperationState>,
    /// The last sync of everything, or heal, while `operationState` tells of a request for less.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub last_sync: Option<Box<OperationState>>,
    /// Syncs that succeeded, oldest first.
    #[serde(skip_serializing_if = "is_default")]
    pub history: Vec<RevisionHistory>,
    /// Operations that ended, oldest first: also those that failed, and those for some objects alone.
    #[serde(skip_serializing_if = "is_default")]
    pub operation_history: Vec<OperationRecord>,
    /// What keeps the Application from working, or deserves attention.
    #[serde(skip_serializing_if = "is_default")]
    pub conditions: Vec<ApplicationCondition>,
    /// When the cluster was last compared with the newest revision.
    #[serde(skip_serializing_if = "is_default")]
    pub reconciled_at: Option<Time>,
    /// Deprecated.
    #[serde(skip_serializing_if = "is_default")]
    pub observed_at: Option<Time>,
    /// Which tool makes the objects: Directory, Kustomize, Helm or Plugin.
    #[serde(skip_serializing_if = "is_default")]
    pub source_type: String,
    /// Which tool makes the objects, for each of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub source_types: Vec<String>,
    /// URLs and images of the objects.
    #[serde(skip_serializing_if = "is_default")]
    pub summary: Option<ApplicationSummary>,
    /// Where the health of single objects is kept: appTree when it is not in resources.
    #[serde(skip_serializing_if = "is_default")]
    pub resource_health_source: String,
    /// Namespace of the controller that wrote this.
    #[serde(skip_serializing_if = "is_default")]
    pub controller_namespace: String,
    /// State of rendering into a branch of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub source_hydrator: Option<Map<String, Value>>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whether the cluster is as the repository says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncStatus {
    /// Synced, OutOfSync or Unknown.
    pub status: String,
    /// Commit that was compared.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// Commits that were compared, one for each of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// The part of the spec that was compared.
    #[serde(skip_serializing_if = "is_default")]
    pub compared_to: Option<ComparedTo>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The part of the spec that was compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ComparedTo {
    /// Source that was compared; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub source: Option<ApplicationSource>,
    /// Sources that were compared; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_sources")]
    pub sources: Vec<ApplicationSource>,
    /// Cluster and namespace that were compared.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub destination: Destination,
    /// Differences that did not count.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_sources")]
    pub ignore_differences: Vec<IgnoreDifferences>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Whether an object or an Application works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct HealthStatus {
    /// Healthy, Progressing, Degraded, Suspended, Missing or Unknown.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// Why.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// When the status last changed.
    #[serde(skip_serializing_if = "is_default")]
    pub last_transition_time: Option<Time>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An object of the inventory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceStatus {
    /// API group of the object; absent for the core group.
    #[serde(skip_serializing_if = "is_default")]
    pub group: String,
    /// API version of the object, without the group.
    #[serde(skip_serializing_if = "is_default")]
    pub version: String,
    /// Kind of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// Namespace of the object; absent for cluster-scoped ones.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Synced, OutOfSync or Unknown; absent for hooks.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// Whether the object works.
    #[serde(skip_serializing_if = "is_default")]
    pub health: Option<HealthStatus>,
    /// The object is a hook.
    #[serde(skip_serializing_if = "is_default")]
    pub hook: bool,
    /// The object left the repository and waits to be deleted.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_pruning: bool,
    /// Wave of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_wave: i64,
    /// The object is deleted only after somebody confirmed it.
    #[serde(skip_serializing_if = "is_default")]
    pub requires_deletion_confirmation: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The sync that runs, or ran last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OperationState {
    /// What was asked for; a digest stands for each value.
    #[schemars(schema_with = "repeated_source")]
    pub operation: Operation,
    /// Running, Terminating, Succeeded, Failed or Error.
    pub phase: String,
    /// Why.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// What was done to which object.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_result: Option<SyncOperationResult>,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended, or when the last try did while it waits for the next.
    #[serde(skip_serializing_if = "is_default")]
    pub finished_at: Option<Time>,
    /// How often it was tried again.
    #[serde(skip_serializing_if = "is_default")]
    pub retry_count: i64,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncOperationResult {
    /// Objects that were created, changed, deleted or failed.
    #[serde(skip_serializing_if = "is_default")]
    pub resources: Vec<ResourceResult>,
    /// Commit that was synced.
    pub revision: String,
    /// Commits that were synced, one for each of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Source that was synced; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub source: Option<ApplicationSource>,
    /// Sources that were synced; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_sources")]
    pub sources: Vec<ApplicationSource>,
    /// Labels and annotations of the namespace; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
    /// How many objects are not listed for want of room.
    #[serde(skip_serializing_if = "is_default")]
    pub omitted_resources: i64,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a sync did to one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceResult {
    /// API group of the object.
    pub group: String,
    /// API version of the object, without the group.
    pub version: String,
    /// Kind of the object.
    pub kind: String,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Synced, SyncFailed, Pruned or PruneSkipped.
    #[serde(skip_serializing_if = "is_default")]
    pub status: String,
    /// What was done, or what failed.
    #[serde(skip_serializing_if = "is_default")]
    pub message: String,
    /// Kind of hook.
    #[serde(skip_serializing_if = "is_default")]
    pub hook_type: String,
    /// Phase of the hook, or of waiting for the object's health.
    #[serde(skip_serializing_if = "is_default")]
    pub hook_phase: String,
    /// Phase of the sync: PreSync, Sync, PostSync or SyncFail.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_phase: String,
    /// Images of the object.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Why the object was left out.
    #[serde(skip_serializing_if = "is_default")]
    pub reason: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A sync that succeeded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RevisionHistory {
    /// Number of the sync; counts up.
    pub id: i64,
    /// Commit that was synced.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// Commits that were synced, one for each of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// Source that was synced; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_source")]
    pub source: Option<ApplicationSource>,
    /// Sources that were synced; a digest stands for each value.
    #[serde(skip_serializing_if = "is_default")]
    #[schemars(schema_with = "repeated_sources")]
    pub sources: Vec<ApplicationSource>,
    /// When it began.
    #[serde(skip_serializing_if = "is_default")]
    pub deploy_started_at: Option<Time>,
    /// When it ended.
    pub deployed_at: Option<Time>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "is_default")]
    pub initiated_by: Option<InitiatedBy>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An operation that ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OperationRecord {
    /// Number of its entry in `history`, where it has one.
    #[serde(skip_serializing_if = "is_default")]
    pub id: Option<i64>,
    /// `Succeeded`, `Failed` or `Error`.
    pub phase: String,
    /// How it ended, for people.
    pub message: String,
    /// When it began.
    pub started_at: Option<Time>,
    /// When it ended.
    pub finished_at: Option<Time>,
    /// Who asked for it.
    #[serde(skip_serializing_if = "is_default")]
    pub initiated_by: Option<InitiatedBy>,
    /// Commit that it was to sync.
    #[serde(skip_serializing_if = "is_default")]
    pub revision: String,
    /// Commits that it was to sync, one for each of several sources.
    #[serde(skip_serializing_if = "is_default")]
    pub revisions: Vec<String>,
    /// How many objects and hooks it made, changed, pruned or failed at.
    pub changed: i64,
    /// What became of the first of them.
    #[serde(skip_serializing_if = "is_default")]
    pub changes: Vec<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Something that keeps an Application from working, or deserves attention.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationCondition {
    /// Kind of condition, such as InvalidSpecError or ComparisonError.
    #[serde(rename = "type")]
    pub type_: String,
    /// What is wrong, and with what.
    pub message: String,
    /// Since when.
    #[serde(skip_serializing_if = "is_default")]
    pub last_transition_time: Option<Time>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// URLs and images of an Application's objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ApplicationSummary {
    /// URLs under which the objects are reached.
    #[serde(rename = "externalURLs", skip_serializing_if = "is_default")]
    pub external_urls: Vec<String>,
    /// Images of the objects.
    #[serde(skip_serializing_if = "is_default")]
    pub images: Vec<String>,
    /// Some of the objects are Applications.
    #[serde(skip_serializing_if = "is_default")]
    pub is_app_of_apps: bool,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
