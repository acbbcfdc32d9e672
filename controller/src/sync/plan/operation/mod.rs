//! The operation in effect: what it covers, who began it, how far it is and how it goes on.
//! These are values; which operation is in effect is decided next door.

mod begin;
mod decide;
mod retry;

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::{ApplyPolicy, RetryPolicy};
use crate::sync::key::ObjectKey;
use crate::sync::plan::HookRun;
use crate::sync::revisions::Revisions;
use k8s_openapi::jiff::Timestamp;

pub(in crate::sync) use begin::{begin, stored};
pub(in crate::sync) use decide::{
    Decided, decide, decide_stopped, is_running, left_behind, running_elsewhere,
};
pub(in crate::sync) use retry::{is_waited_for, later, next_try};

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
    /// It asks what would become of its steps, and writes nothing.
    pub dry_run: bool,
    /// What a request says of how its objects are written, in addition to what they say themselves.
    pub apply: ApplyPolicy,
    /// What of the Application it deals with.
    pub scope: Scope,
    /// Objects of it that can't be dealt with now, and why: the rest goes on.
    pub left_out: BTreeMap<ObjectKey, LeftOut>,
    /// Hooks run in it.
    pub runs_hooks: bool,
    /// Hooks that have begun, and how they stand, as far as that is not written down yet.
    pub hooks: Vec<HookState>,
    /// Why it has failed, while what comes after a failure is still to be done.
    pub failed: Option<String>,
    /// Should it fail, there is something to do before it ends.
    pub has_aftermath: bool,
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

impl Operation {
    /// It begins in this pass.
    pub(in crate::sync) fn starts(&self) -> bool {
        self.decision == Decision::Start
    }

    /// Something that it is there for can't be done now: it fails once the rest is done.
    pub(in crate::sync) fn falls_short(&self) -> bool {
        let mut left_out = self.left_out.values();
        left_out.any(|left_out| left_out.reason.fails())
    }

    /// A request that ends as it begins: nothing was tried.
    pub(in crate::sync) fn is_refused(&self) -> bool {
        let is_requested = self.initiator != Initiator::Automated;
        is_requested && self.starts() && matches!(self.ending, Ending::Over(..))
    }

    /// The sync policy puts back with it what others have changed.
    pub(in crate::sync) fn heals(&self) -> bool {
        let sync = self.stored.sync.as_ref();
        let heals = sync.and_then(|sync| sync.auto_heal_attempts_count);
        self.initiator == Initiator::Automated && heals.is_some()
    }
}

/// What of the Application an operation deals with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of it; then the history remembers it.
    Whole,
    /// These objects.
    Objects(BTreeSet<ObjectKey>),
}

impl Scope {
    /// The object is dealt with.
    pub(in crate::sync) fn covers(&self, key: &ObjectKey) -> bool {
        match self {
            Self::Whole => true,
            Self::Objects(keys) => keys.contains(key),
        }
    }
}

/// How a hook's run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookState {
    /// Which run.
    pub run: HookRun,
    /// Version of its object's `apiVersion`.
    pub version: String,
    /// How far it is.
    pub phase: HookPhase,
    /// What its object says.
    pub message: String,
}

/// `syncResult.resources[].hookPhase`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookPhase {
    /// On its way.
    Running,
    /// Done.
    Succeeded,
    /// It ran and failed.
    Failed,
    /// It could not run, or nobody knows how it ended.
    Error,
}

impl HookPhase {
    const ALL: [Self; 4] = [Self::Running, Self::Succeeded, Self::Failed, Self::Error];

    /// The spelling in the status.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Error => "Error",
        }
    }

    /// The phase of this spelling.
    pub(in crate::sync) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
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
    /// It is over once this pass's steps have succeeded; it failed when one failed or it falls short.
    AfterSteps,
    /// It failed now, and may be tried again.
    Failed(String),
    /// It is over after this pass's steps, for good.
    Over(OperationPhase, String),
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
    /// The operation has not done all that it is there for. What another Application keeps is in the cluster all the same.
    pub(in crate::sync) fn fails(self) -> bool {
        self != Self::SharedResource
    }

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
    /// It ended, and did not succeed.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }

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
