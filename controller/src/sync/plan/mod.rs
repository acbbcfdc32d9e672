//! The plan of one pass: a value that leaves no choice to the executor and can be printed.
//! It holds names of objects and fields, never a value of one.

pub(super) mod cascade;
pub(super) mod comparison;
pub(super) mod conditions;
pub(super) mod fights;
pub(super) mod gates;
pub(super) mod heal;
pub(super) mod holders;
pub(super) mod inventory;
pub mod operation;
pub(super) mod order;
pub(super) mod planner;
pub(super) mod preface;
pub(super) mod prune;
pub(super) mod recorded;
pub(super) mod steps;
pub(super) mod text;
pub(super) mod waves;

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{Cascade, RetryPolicy};
use crate::sync::key::ObjectKey;
pub use crate::sync::plan::planner::plan;
use crate::sync::revisions::Revisions;
use crate::sync::world::Health;
use k8s_openapi::jiff::Timestamp;

/// What one pass decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Set when this Application is left alone altogether: no step, no status, no event. The text is for the log.
    pub hands_off: Option<String>,
    /// Every condition that holds now.
    pub conditions: Vec<Condition>,
    /// Wanted against live, object by object; `None` when nothing could be compared: then the status keeps its list.
    pub comparison: Option<Comparison>,
    /// The Application's health, and why.
    pub health: Option<Health>,
    /// The operation in effect and what this pass makes of it.
    pub operation: Option<Operation>,
    /// What to execute now, in order.
    pub steps: Vec<PlannedStep>,
    /// What later passes will do, as far as it is known now.
    pub later: Vec<PlannedStep>,
    /// Plan again at this time even if nothing happens until then.
    pub wake_at: Option<Timestamp>,
}

/// One thing to do. Steps are executed in order; what comes after them is planned from a new World.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the patch of `report::claim` now, before any other step: it claims inventory old ∪ new and records the
    /// operation as running. When the write fails, no further step is executed.
    ClaimInventory,
    /// Create the destination namespace; fine when it exists by now.
    CreateNamespace(String),
    /// Compare closely (GET, subset comparison, dry-run when in doubt) and remember the answer in the index.
    Verify {
        /// The object.
        key: ObjectKey,
        /// A new revision or a request waits for the answer, so it is not paced.
        urgent: bool,
    },
    /// Server-side apply the wanted object of this key (`world.source.desired`).
    Apply(ObjectKey),
    /// Run the unsealing engine for this SealedSecret.
    Unseal(ObjectKey),
    /// Another controller unseals this SealedSecret: nothing to execute, the next World tells.
    Await(ObjectKey),
    /// Nothing to execute: these objects have to become healthy before the next wave.
    WaitHealthy(Vec<ObjectKey>),
    /// Nothing to execute: later steps need these objects, which are being deleted, to be gone.
    WaitGone(Vec<ObjectKey>),
    /// Delete, with the uid as precondition.
    Delete {
        /// The object.
        key: ObjectKey,
        /// The uid that was looked at; another object under the same name is not touched.
        uid: String,
        /// Whether its children go first.
        propagation: Cascade,
    },
    /// Take our resources finalizer off the Application: everything it owns is gone or kept on purpose.
    RemoveFinalizer,
}

/// A step in its wave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// The sync wave.
    pub wave: i32,
    /// What to do.
    pub step: Step,
}

/// `status.conditions[]` without its time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// From the documented set.
    pub kind: ConditionKind,
    /// For people.
    pub message: String,
}

impl Condition {
    /// A condition that holds now.
    pub fn new(kind: ConditionKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }
}

/// Types of conditions: Argo CD's, and ours where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionKind {
    /// The Application can't be deleted.
    DeletionError,
    /// The spec asks for something that is wrong, refused or not supported yet.
    InvalidSpecError,
    /// Git could not be read or rendered, or the cluster could not be compared.
    ComparisonError,
    /// The last automated operation failed and will not be tried again at this revision.
    SyncError,
    /// A wanted object carries the tracking id of another existing Application.
    SharedResourceWarning,
    /// An object, or a list entry in one, is written more than once.
    RepeatedResourceWarning,
    /// A manifest is left out.
    ExcludedResourceWarning,
    /// An object carries our tracking id and is neither wanted nor in the inventory.
    OrphanedResourceWarning,
    /// Somebody keeps taking a field from us: healing of that object stopped.
    FightingManager,
}

impl ConditionKind {
    /// The spelling in `status.conditions[].type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeletionError => "DeletionError",
            Self::InvalidSpecError => "InvalidSpecError",
            Self::ComparisonError => "ComparisonError",
            Self::SyncError => "SyncError",
            Self::SharedResourceWarning => "SharedResourceWarning",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::OrphanedResourceWarning => "OrphanedResourceWarning",
            Self::FightingManager => "FightingManager",
        }
    }
}

/// Wanted against live.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// The Application's `status.sync.status`.
    pub status: SyncStatus,
    /// The revisions it was compared with.
    pub revisions: Revisions,
    /// Every wanted object and every entry of the inventory.
    pub objects: BTreeMap<ObjectKey, Compared>,
}

/// Whether live is as wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncStatus {
    /// As wanted.
    Synced,
    /// Not as wanted.
    OutOfSync,
    /// Nobody can say.
    #[default]
    Unknown,
}

impl SyncStatus {
    /// The spelling in the status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::OutOfSync => "OutOfSync",
            Self::Unknown => "Unknown",
        }
    }
}

/// One object's comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// Version of its `apiVersion`.
    pub version: String,
    /// Is it as wanted.
    pub status: SyncStatus,
    /// Why not, when it is not.
    pub difference: Option<Difference>,
    /// Its wave.
    pub wave: i32,
    /// Its health; `None` when its kind has none.
    pub health: Option<Health>,
    /// It is no longer wanted, and deleting it is what a prune would do.
    pub requires_pruning: bool,
}

/// Why an object is not as wanted, from a closed set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not in the cluster.
    Missing,
    /// Git wants something else than what was verified last.
    Changed,
    /// These fields of the live object differ.
    Drift(Vec<String>),
    /// It can't be changed in place.
    Immutable(String),
    /// It is being deleted, and will be made anew once it is gone.
    Deleting,
    /// No longer wanted.
    Extra,
    /// No longer wanted, but kept: the text says which guard keeps it.
    Kept(String),
    /// No longer wanted, but neither deleted nor forgotten while this is not known.
    Doubt(String),
    /// No longer wanted, and the cluster does not serve its kind any more.
    OutOfReach,
    /// Not compared yet since the start.
    Unverified,
    /// Objects of its kind can't be listed, so nobody knows whether it is there.
    Unlisted,
    /// The cluster doesn't know its kind.
    UnknownKind,
    /// Its kind will be known once a CustomResourceDefinition of this very source is established.
    AwaitsKind,
    /// Its kind's API can't be asked at the moment.
    KindUnavailable,
    /// The live object belongs to this other Application.
    Shared(String),
    /// The project does not permit it, or it is refused by name.
    Refused(String),
    /// The API server does not let us read it.
    Forbidden(String),
    /// The API server could not answer.
    Unreadable(String),
}

/// The operation in effect.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What is pinned for it: a revision for each source.
    pub revisions: Revisions,
    /// Who began it.
    pub initiator: Initiator,
    /// Whether it deletes what is no longer wanted.
    pub prune: bool,
    /// Whether it makes the destination namespace.
    pub create_namespace: bool,
    /// Only these objects; `None` = all, and the history is written.
    pub only: Option<BTreeSet<ObjectKey>>,
    /// Objects of it that can't be dealt with now, and why: the rest goes on, then the operation has failed.
    pub left_out: BTreeMap<ObjectKey, LeftOut>,
    /// How often it has been tried before.
    pub retry_count: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// `operationState.operation` as it is, or will be, stored.
    pub stored: crds::Operation,
    /// How it is tried again when it fails; `None` = not at all.
    pub retry: Option<RetryPolicy>,
    /// What this pass makes of it.
    pub decision: Decision,
    /// How it goes on after this pass's steps.
    pub ending: Ending,
}

/// Who began an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Initiator {
    /// The Application's sync policy.
    Automated,
    /// A person or program that wrote `.operation`.
    Requested(String),
}

/// What this pass makes of the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It begins now.
    Start,
    /// It began in an earlier pass, maybe of an earlier process.
    Continue,
    /// It failed, waits, and is tried again now.
    Retry,
    /// It failed and is tried again at this time.
    Wait(Timestamp),
}

/// How the operation goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Another pass is needed; the text says what it waits for.
    Open(String),
    /// It is over once this pass's steps have succeeded; it failed when one failed or an object is left out.
    AfterSteps,
    /// It failed now, and may be tried again.
    Failed(String),
    /// It is over now, for good.
    Refused(OperationPhase, String),
}

/// Why an object is left out of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// From a closed set.
    pub reason: LeftOutReason,
    /// For people.
    pub message: String,
}

/// The closed set. The reason is kept with the object's result: what it names may pass, and then the object is
/// dealt with by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOutReason {
    /// The cluster does not know its kind.
    UnknownKind,
    /// It belongs to another Application.
    SharedResource,
    /// It uses a Secret whose SealedSecret can't be opened, and does not exist yet.
    SecretUnavailable,
    /// The API server could not tell how it is.
    Unreadable,
}

impl LeftOutReason {
    /// The spelling in the status.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownKind => "UnknownKind",
            Self::SharedResource => "SharedResource",
            Self::SecretUnavailable => "SecretUnavailable",
            Self::Unreadable => "Unreadable",
        }
    }
}

/// `status.operationState.phase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationPhase {
    /// On its way, or waiting to be tried again.
    Running,
    /// Done.
    Succeeded,
    /// It ran and something failed.
    Failed,
    /// It could not run.
    Error,
}

impl OperationPhase {
    /// The spelling in the status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
        }
    }
}
