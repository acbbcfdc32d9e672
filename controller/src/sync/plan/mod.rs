//! The plan of one pass: a value that leaves no choice to the executor and can be printed.
//! It holds names of objects and fields, never a value of one.

pub(super) mod aftermath;
mod blocked;
pub(super) mod cascade;
pub(super) mod comparison;
pub(super) mod conditions;
pub(super) mod consent;
pub(super) mod deletion_hooks;
mod dependencies;
mod difference;
pub(super) mod dry_run;
pub(super) mod fights;
pub(super) mod finalizers;
pub(super) mod gates;
pub(super) mod heal;
pub(super) mod hold;
pub(super) mod holders;
pub(super) mod hook_runs;
pub(super) mod hooks;
pub(super) mod inventory;
pub(super) mod namespace;
pub(super) mod operation;
pub(super) mod order;
mod plaintext;
pub(super) mod planner;
pub(super) mod preface;
pub(super) mod prune;
pub(super) mod recorded;
mod recreate;
pub(super) mod refusals;
mod restart;
pub mod revision;
mod room;
mod slot;
pub(super) mod steps;
pub(super) mod text;
pub(super) mod waves;

use std::collections::BTreeSet;

use crate::dialect::{Cascade, Finalizer};
use crate::restart::plan::{Changed, StartedWith};
use crate::sync::desired::hooks::HookId;
use crate::sync::key::ObjectKey;
use crate::sync::revisions::Revisions;
use crate::sync::world::Health;
use k8s_openapi::jiff::{SignedDuration, Timestamp};

pub use difference::{Compared, Comparison, Difference, SyncStatus};
pub use operation::{
    Decision, Ending, HookPhase, HookState, Initiator, LeftOut, LeftOutReason, Operation,
    OperationPhase, Scope,
};
pub use planner::plan;
pub use slot::Slot;

/// What could not be compared is tried again after so long.
pub(in crate::sync) const UNDECIDED_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// A newer commit that may not begin now: the automated sync that runs is not ended for it, and goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldBack {
    /// The commit of each source.
    pub revisions: Revisions,
    /// Why.
    pub conditions: Vec<Condition>,
    /// When to look whether it may.
    pub until: Timestamp,
}

impl HeldBack {
    /// Whether it is what the sources mean now.
    pub(in crate::sync) fn is(&self, newest: Option<&Revisions>) -> bool {
        newest == Some(&self.revisions)
    }
}

/// What one pass decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Set when this Application is left alone altogether: no step, no status, no event. The text is for the log.
    pub hands_off: Option<String>,
    /// Set when the operation that runs has to be looked at first: nothing else is decided.
    pub held_back: Option<HeldBack>,
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
    /// Finalizers of the Application that go on or come off.
    pub finalizers: Finalizers,
    /// Plan again at this time even if nothing happens until then.
    pub wake_at: Option<Timestamp>,
}

/// Finalizers of the Application that change with a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finalizers {
    /// They go on with the first write to the Application, before anything is made that they are for.
    pub add: BTreeSet<Finalizer>,
    /// They come off once every step of the pass has succeeded.
    pub remove: BTreeSet<Finalizer>,
}

/// One thing to do. Steps are executed in order; what comes after them is planned from a new World.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write the patch of `report::claim` now, before any other step: it claims inventory old ∪ new and records the
    /// operation as running. When the write fails, no further step is executed.
    ClaimInventory,
    /// Create the destination namespace; fine when it exists by now.
    CreateNamespace(String),
    /// Make the destination namespace, or bring it to carry what the Application says of it.
    ApplyNamespace(String),
    /// Compare closely (GET, subset comparison, dry-run when in doubt) and remember the answer in the index.
    Verify {
        /// The object.
        key: ObjectKey,
        /// A new revision or a request waits for the answer, so it is not paced.
        urgent: bool,
    },
    /// Server-side apply the wanted object of this key (`world.source.desired`), and take over what kubectl, Argo CD and
    /// people have written.
    Apply(ObjectKey),
    /// The same, and leave to others what they have written.
    Merge(ObjectKey),
    /// Put the wanted object in the place of the live one: fields that it does not have are gone.
    Replace(ObjectKey),
    /// Write down which changes of Secrets the Pods of a workload were started with, and leave them running.
    NoteSecrets(SecretsNote),
    /// Start the Pods of a workload anew, with the Secrets that there are now, and write that down.
    Restart {
        /// What is written.
        note: SecretsNote,
        /// Items that have changed, of each Secret.
        changed: Changed,
    },
    /// Run the unsealing engine for this SealedSecret.
    Unseal(ObjectKey),
    /// Another controller unseals this SealedSecret: nothing to execute, the next World tells.
    Await(ObjectKey),
    /// Nothing to execute: these objects have to become healthy before the next wave.
    WaitHealthy(Vec<ObjectKey>),
    /// Nothing to execute: later steps need these objects, which are being deleted, to be gone.
    WaitGone(Vec<ObjectKey>),
    /// Nothing to execute: somebody has to approve that these objects are deleted.
    WaitApproval(Vec<ObjectKey>),
    /// Delete, with the uid as precondition.
    Delete {
        /// The object.
        key: ObjectKey,
        /// The uid that was looked at; another object under the same name is not touched.
        uid: String,
        /// Whether its children go first.
        propagation: Cascade,
    },
    /// Ask the API server what would become of the step.
    DryRun {
        /// The step.
        step: Box<Step>,
        /// False where the namespace or the kind is not there yet, or what is there goes first: it can't be asked, and the step is taken
        /// for possible.
        asks: bool,
    },
    /// Make the object of a hook's run.
    RunHook(HookRun),
    /// Nothing to execute: what these runs made has to come to its end.
    WaitHooks(Vec<HookRun>),
    /// Take our finalizer off an object that a hook made.
    ReleaseHook {
        /// The object.
        key: ObjectKey,
        /// The uid that was looked at.
        uid: String,
    },
    /// Delete an object that a hook made, after taking our finalizer off it.
    DeleteHook {
        /// The object.
        key: ObjectKey,
        /// The uid that was looked at; another object under the same name is not touched.
        uid: String,
    },
}

impl Step {
    /// The object that is as wanted once the step has succeeded.
    pub(in crate::sync) fn written(&self) -> Option<&ObjectKey> {
        match self {
            Self::Apply(key) | Self::Merge(key) | Self::Replace(key) => Some(key),
            _ => None,
        }
    }
}

/// What is noted on a workload of the Secrets that its Pods were started with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretsNote {
    /// The workload.
    pub key: ObjectKey,
    /// The uid that was looked at; another object under the same name is not touched.
    pub uid: String,
    /// The changes.
    pub started_with: StartedWith,
    /// The digest in the template of its Pods.
    pub template: Option<String>,
}

/// One run of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRun {
    /// Which hook.
    pub id: HookId,
    /// The object that it makes.
    pub key: ObjectKey,
    /// Application, operation, try and phase: it stands on the object, so that a restart knows its own run.
    pub run: String,
}

/// A step in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStep {
    /// Phase and wave.
    pub slot: Slot,
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
    /// The Application is deleted once somebody approves that some of its objects are.
    DeletionBlocked,
    /// The spec asks for something that is wrong, refused or not supported yet.
    InvalidSpecError,
    /// Git could not be read or rendered, or the cluster could not be compared.
    ComparisonError,
    /// The last automated operation failed and will not be tried again at this revision.
    SyncError,
    /// The sync policy would begin an operation, which has to wait.
    SyncBlocked,
    /// A rollback keeps it at other revisions than its sources mean.
    RevisionHeld,
    /// A wanted object carries the tracking id of another existing Application.
    SharedResourceWarning,
    /// A Secret in the source is not sealed, and the project minds.
    PlaintextSecretWarning,
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
            Self::DeletionBlocked => "DeletionBlocked",
            Self::InvalidSpecError => "InvalidSpecError",
            Self::ComparisonError => "ComparisonError",
            Self::SyncError => "SyncError",
            Self::SyncBlocked => "SyncBlocked",
            Self::RevisionHeld => "RevisionHeld",
            Self::SharedResourceWarning => "SharedResourceWarning",
            Self::PlaintextSecretWarning => "PlaintextSecretWarning",
            Self::RepeatedResourceWarning => "RepeatedResourceWarning",
            Self::ExcludedResourceWarning => "ExcludedResourceWarning",
            Self::OrphanedResourceWarning => "OrphanedResourceWarning",
            Self::FightingManager => "FightingManager",
        }
    }
}
