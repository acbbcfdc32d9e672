//! `AppProject`: what the Applications that name it may do. Same fields as Argo CD's.
//! It must not decide anything: matching is the controller's.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::is_default;

/// AppProject says what the Applications that name it may do: from which repositories, to which
/// clusters and namespaces, with which kinds of objects.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["spec"]))]
pub struct AppProject {
    #[schemars(skip)]
    pub metadata: ObjectMeta,
    /// The rules. Patterns are globs; one that begins with ! denies.
    pub spec: AppProjectSpec,
    /// Written by the controller only.
    pub status: Option<AppProjectStatus>,
}

/// Spec of an [`AppProject`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectSpec {
    /// What the project is, for people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// URLs of repositories that Applications may use, such as https://git.example.org/shop/*.
    #[serde(skip_serializing_if = "is_default")]
    pub source_repos: Vec<String>,
    /// Clusters and namespaces that Applications may write to.
    #[serde(skip_serializing_if = "is_default")]
    pub destinations: Vec<ProjectDestination>,
    /// Cluster-scoped kinds that are allowed; none when empty.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_resource_whitelist: Vec<ClusterKind>,
    /// Cluster-scoped kinds that are denied, even if they are allowed.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_resource_blacklist: Vec<ClusterKind>,
    /// Namespaced kinds that are allowed; all when absent, none when empty.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_resource_whitelist: Option<Vec<GroupKind>>,
    /// Namespaced kinds that are denied.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace_resource_blacklist: Vec<GroupKind>,
    /// Namespaces, beside the controller's own, in which Applications of this project may live.
    #[serde(skip_serializing_if = "is_default")]
    pub source_namespaces: Vec<String>,
    /// Roles of people and programs.
    #[serde(skip_serializing_if = "is_default")]
    pub roles: Vec<ProjectRole>,
    /// Times in which syncs are allowed or denied.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_windows: Vec<SyncWindow>,
    /// Report objects in the project's namespaces that belong to no Application.
    #[serde(skip_serializing_if = "is_default")]
    pub orphaned_resources: Option<OrphanedResources>,
    /// Keys of which one must have signed a commit. Deprecated: use sourceIntegrity.
    #[serde(skip_serializing_if = "is_default")]
    pub signature_keys: Vec<SignatureKey>,
    /// What signatures a commit must carry. Not together with signatureKeys.
    #[serde(skip_serializing_if = "is_default")]
    pub source_integrity: Option<SourceIntegrity>,
    /// Only clusters that name this project may be written to.
    #[serde(skip_serializing_if = "is_default")]
    pub permit_only_project_scoped_clusters: bool,
    /// Service accounts under which objects are written, by destination.
    #[serde(skip_serializing_if = "is_default")]
    pub destination_service_accounts: Vec<DestinationServiceAccount>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A cluster and a namespace that Applications may write to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ProjectDestination {
    /// URL of the cluster's API server; a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub server: String,
    /// Name of the cluster; a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    /// Namespace; a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A kind of objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct GroupKind {
    /// API group; a glob, empty for the core group.
    pub group: String,
    /// Kind; a glob.
    pub kind: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A kind of cluster-scoped objects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct ClusterKind {
    /// API group; a glob, empty for the core group.
    pub group: String,
    /// Kind; a glob.
    pub kind: String,
    /// Name of the object; a glob, all when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub name: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A role of people and programs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["name"]))]
pub struct ProjectRole {
    /// Name of the role.
    pub name: String,
    /// What the role is, for people.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// What the role may do, one rule a line.
    #[serde(skip_serializing_if = "is_default")]
    pub policies: Vec<String>,
    /// Groups that have the role.
    #[serde(skip_serializing_if = "is_default")]
    pub groups: Vec<String>,
    /// Tokens that have the role: iat, exp and id of each.
    #[serde(skip_serializing_if = "is_default")]
    pub jwt_tokens: Vec<Map<String, Value>>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A time in which syncs are allowed or denied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SyncWindow {
    /// allow or deny.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: String,
    /// When the window opens, as cron.
    #[serde(skip_serializing_if = "is_default")]
    pub schedule: String,
    /// How long it is open, such as 1h.
    #[serde(skip_serializing_if = "is_default")]
    pub duration: String,
    /// Applications it is for; globs.
    #[serde(skip_serializing_if = "is_default")]
    pub applications: Vec<String>,
    /// Namespaces it is for; globs.
    #[serde(skip_serializing_if = "is_default")]
    pub namespaces: Vec<String>,
    /// Clusters it is for; globs.
    #[serde(skip_serializing_if = "is_default")]
    pub clusters: Vec<String>,
    /// A person may sync all the same.
    #[serde(skip_serializing_if = "is_default")]
    pub manual_sync: bool,
    /// Time zone of the schedule; UTC when absent.
    #[serde(skip_serializing_if = "is_default")]
    pub time_zone: String,
    /// All of applications, namespaces and clusters must match, not only one.
    #[serde(skip_serializing_if = "is_default")]
    pub and_operator: bool,
    /// A sync that began in time may finish.
    #[serde(skip_serializing_if = "is_default")]
    pub sync_overrun: bool,
    /// What the window is for.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Objects that belong to no Application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OrphanedResources {
    /// Warn in the Applications' conditions.
    #[serde(skip_serializing_if = "is_default")]
    pub warn: Option<bool>,
    /// Objects that are left out, by group, kind and name.
    #[serde(skip_serializing_if = "is_default")]
    pub ignore: Vec<Map<String, Value>>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A key of which a signature counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["keyID"]))]
pub struct SignatureKey {
    /// Id of the GPG key.
    #[serde(rename = "keyID")]
    pub key_id: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What signatures sources must carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SourceIntegrity {
    /// For Git repositories.
    #[serde(skip_serializing_if = "is_default")]
    pub git: Option<GitIntegrity>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What signatures commits must carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GitIntegrity {
    /// At most one may match a repository; repositories that none matches need no signature.
    #[serde(skip_serializing_if = "is_default")]
    pub policies: Vec<GitPolicy>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What signatures commits of some repositories must carry.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GitPolicy {
    /// The repositories.
    #[serde(skip_serializing_if = "is_default")]
    pub repos: Vec<GitPolicyRepository>,
    /// Signatures of GPG.
    #[serde(skip_serializing_if = "is_default")]
    pub gpg: Option<GpgPolicy>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Repositories by their URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GitPolicyRepository {
    /// URL of the repository; a glob, with ! in front for repositories that are left out.
    #[serde(skip_serializing_if = "is_default")]
    pub url: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Which GPG signatures count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct GpgPolicy {
    /// strict for the whole history, head for the commit or annotated tag that is synced, none for no signature.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: String,
    /// Ids or fingerprints of the GPG keys.
    #[serde(skip_serializing_if = "is_default")]
    pub keys: Vec<String>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A service account under which objects are written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("required" = ["server", "defaultServiceAccount"]))]
pub struct DestinationServiceAccount {
    /// URL of the cluster's API server; a glob.
    pub server: String,
    /// Namespace; a glob.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: String,
    /// Name of the service account, or namespace:name.
    pub default_service_account: String,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Status of an [`AppProject`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct AppProjectStatus {
    /// Tokens of each role, as another controller keeps them.
    #[serde(skip_serializing_if = "is_default")]
    pub jwt_tokens_by_role: BTreeMap<String, Map<String, Value>>,
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
