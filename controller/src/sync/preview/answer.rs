//! A preview as it is answered: JSON that `signet app diff` prints, and scripts may read.
//! It decides nothing and holds no value of a Secret.

use serde::Serialize;
use serde_json::Value;

use crate::sync::items::Items;

/// What a sync would change.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Preview {
    /// The revision of each source that it would be synced to; empty where nothing could be read.
    pub(super) revisions: Vec<String>,
    /// Whether any object would be written or deleted.
    pub(super) differs: bool,
    /// Why nothing of it would be synced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    /// What else there is to say of it.
    pub(super) conditions: Vec<Condition>,
    /// Objects that are not as wanted, in the order in which a sync comes to them.
    pub(super) objects: Vec<Object>,
    /// Secrets and SealedSecrets of the Application, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) secrets: Option<Vec<Secret>>,
}

/// As in the Application's status.
#[derive(Debug, Serialize)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) type_: &'static str,
    pub(super) message: String,
}

/// What would become of one object.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    /// Its labels in Git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<Value>,
    /// Phase and wave, where they are not the usual ones.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) place: String,
    /// Where Git has it: file, document and line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) origin: Option<String>,
    pub(super) change: Change,
    /// Why, or what has to happen before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    /// Why that can't be done, or can't be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
    /// The object as it is, without what does not count, and without values of a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) live: Option<Value>,
    /// The object as it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) becomes: Option<Value>,
    /// What would become of each item of a Secret or SealedSecret.
    #[serde(skip_serializing_if = "Items::is_empty")]
    pub(super) items: Items,
}

/// What would be done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Change {
    Create,
    Update,
    Delete,
    /// A hook runs.
    Run,
    /// Nothing, though it is not as wanted: the note or the problem says why.
    None,
}

/// A Secret or SealedSecret that Git holds, and who has to do with it.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Secret {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) name: String,
    /// File, document and line.
    pub(super) origin: String,
    /// Sealing keys that open it, by the names of their Secrets.
    pub(super) opened_by: Vec<String>,
    /// Objects and hooks that use it.
    pub(super) used_by: Vec<String>,
    /// When a sync last changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_change: Option<String>,
}
