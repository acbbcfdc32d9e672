//! The World of one pass over one Application: all that the planner may look at, as plain values.
//! It holds no client and no clock, and observing never decides anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

pub use health::{Health, HealthStatus};

use crds::{ApplicationSpec, ApplicationStatus, Operation};
use health::Customizations;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::access::{Denied, Project};
use crate::dialect::{
    ApplicationName, Intent, Marks, NamespaceMetadata, OperationRequest, Refresh, Refusal,
    STARTED_WITH,
};
use crate::render::SourceType;
use crate::restart;
use crate::sync::desired::{Desired, WantedHash};
use crate::sync::key::{GroupKind, ObjectKey};
use crate::sync::kinds::Kinds;
use crate::sync::plan::HeldBack;
use crate::sync::revisions::Revisions;

/// What somebody asks for and is told apart from a pass for another reason: then refs are listed anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked {
    /// The annotation that asks to look again.
    pub(crate) refresh: Option<Refresh>,
    /// A sync.
    pub(crate) request: bool,
}

impl Asked {
    /// What an Application asks for, with its request as it was read.
    pub(crate) fn of<E>(
        application: &AppFacts,
        request: &Result<Option<OperationRequest>, E>,
    ) -> Self {
        Self {
            refresh: application.marks.refresh,
            request: matches!(request, Ok(Some(_))),
        }
    }

    /// Whether that is more than was asked for `before`.
    pub(crate) fn anew(self, before: Self) -> bool {
        let refresh = self.refresh.is_some() && self.refresh != before.refresh;
        refresh || self.request && !before.request
    }

    /// Whether nothing is to be trusted that was found before, and that was not asked for `before`.
    pub(crate) fn distrusts(self, before: Self) -> bool {
        let hard = |asked: Self| asked.refresh == Some(Refresh::Hard);
        hard(self) && !hard(before)
    }
}

/// Everything one pass knows.
#[derive(Clone, Debug)]
pub struct World {
    /// The clock, read once.
    pub now: Timestamp,
    /// The Application itself.
    pub application: AppFacts,
    /// What its spec asks for, or what in it is refused.
    pub intent: Result<Intent, Vec<Refusal>>,
    /// What its `.operation` asks for, or what in it is refused.
    pub request: Result<Option<OperationRequest>, Vec<Refusal>>,
    /// Its project.
    pub project: Result<Project, Vec<Denied>>,
    /// What Git says at the revision of `plan::revision::revision_to_render`, or why that is not known.
    pub source: Result<Source, SourceProblem>,
    /// What its sources mean now. Looked up only where a rollback keeps it elsewhere, or an operation that runs may, and where they can't be
    /// rendered while one runs.
    pub newest: Option<Revisions>,
    /// What its sources mean now may not begin, so that the operation that runs goes on.
    pub held_back: Option<HeldBack>,
    /// Which kinds the cluster serves.
    pub kinds: Arc<Kinds>,
    /// The namespace that `CreateNamespace=true` may have to make.
    pub destination_namespace: DestinationNamespace,
    /// What that namespace carries.
    pub namespace_metadata: NamespaceMetadata,
    /// Live objects that are wanted, in the inventory, or carry our tracking id. Absent = not in the cluster,
    /// unless the kind is in `unlisted`.
    pub live: BTreeMap<ObjectKey, Live>,
    /// Kinds whose first listing is not complete, or was refused: absence means nothing for them.
    pub unlisted: BTreeSet<GroupKind>,
    /// Objects that could not be compared are to be tried again.
    pub tries_again: bool,
    /// Whose scripts judge health.
    pub customizations: Arc<Customizations>,
    /// For each wanted SealedSecret that was tried: does the keyring open it, else why not (a text without values).
    /// Empty when another controller unseals.
    pub opening: BTreeMap<ObjectKey, Result<(), String>>,
    /// For each workload whose Pods use Secrets, what is noted on these and what the Pods were started with. Where not all Secrets
    /// are known yet, it is not among them.
    pub restarts: BTreeMap<ObjectKey, restart::plan::World>,
    /// Who turns SealedSecrets into Secrets in the destination.
    pub unsealer: Unsealer,
    /// The controller's own namespace.
    pub own_namespace: String,
    /// `--application-namespaces`: other namespaces whose Applications are looked at.
    pub application_namespaces: Vec<String>,
    /// `--allow-file-repositories`.
    pub allow_file_repositories: bool,
    /// Tracking names of all Applications that exist: `name`, or `namespace_name` outside our own namespace.
    /// Shared, so that a pass costs the same however many there are.
    pub applications: Arc<BTreeSet<String>>,
    /// What other Applications list that would go with Namespaces and definitions of this one which may be deleted now, each with its
    /// Application's tracking name. One object in each Namespace is enough, and one of each kind of a definition's group.
    pub others: BTreeMap<ObjectKey, String>,
    /// The Applications that it depends on, those that they depend on, and so on. Absent = there is none of this name.
    pub dependencies: BTreeMap<ApplicationName, Dependency>,
    /// An Argo CD application controller with replicas lives in the Application's namespace.
    pub another_controller: bool,
}

/// Facts about the Application object.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppFacts {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion` that the status patch is conditional on.
    pub resource_version: String,
    /// Set once the Application is being deleted.
    pub deletion_timestamp: Option<Timestamp>,
    /// The name in tracking ids: `name`, or `namespace_name` outside our own namespace.
    pub tracking_name: String,
    /// What its metadata asks for, readable even when the spec is refused.
    pub marks: Marks,
    /// `metadata.finalizers`, those of others too.
    pub finalizers: Vec<String>,
    /// `spec`, redacted: copied into `comparedTo` and `history`, decided on only through the intent.
    pub spec: ApplicationSpec,
    /// `operation`, redacted: copied into `operationState.operation`, decided on only through the request.
    pub operation: Option<Operation>,
    /// `status` as stored, redacted. A field that can't be read counts as absent: without its inventory nothing is pruned.
    pub status: ApplicationStatus,
}

/// An Application that another one depends on.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The Application as it was last seen or written.
    pub application: AppFacts,
    /// What its spec asks for; `None` when something in it is refused.
    pub intent: Option<Intent>,
}

/// What Git holds at the revision in question.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The full commit id, or chart version, that was rendered of each source.
    pub revisions: Revisions,
    /// Its objects, normalised.
    pub desired: Arc<Desired>,
    /// What rendered them: one for each source that renders.
    pub source_types: Vec<SourceType>,
}

/// Why there is no render; displayed as status and event tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProblem {
    /// What failed.
    pub reason: SourceReason,
    /// Names repository, revision, path or file.
    pub message: String,
    /// What somebody can do about it.
    pub hint: Option<String>,
}

impl fmt::Display for SourceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// The deed that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceReason {
    /// The repository or revision could not be read, or there is no room for it: this may pass by itself.
    Fetch,
    /// The files could not be turned into objects.
    Render,
    /// The commit is not signed as its project demands.
    Signature,
}

/// The destination namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DestinationNamespace {
    /// It is there.
    Exists,
    /// It is not there.
    Missing,
    /// It is being deleted.
    Terminating,
    /// The Application names none.
    NotNamed,
}

/// Who opens SealedSecrets in the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsealer {
    /// This process: the plan has `Unseal` steps.
    Ours,
    /// Another controller: the plan waits for it.
    Other,
}

/// A live object, as the index keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub resource_version: String,
    /// The tracking-id annotation as it stands on the object.
    pub tracking: Option<String>,
    /// Labels and annotations of the live object: the prune guards and the wave are read from them.
    pub metadata: Value,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// It carries our finalizer for what hooks make.
    pub hook_finalizer: bool,
    /// The digest in the template of its Pods of the changes of Secrets that they were started with.
    pub secrets: Option<String>,
    /// Its health; `None` when nothing judges it.
    pub health: Option<Health>,
    /// How it compares with the wanted object.
    pub state: LiveState,
    /// When which field was taken from us, oldest first; only the last five minutes matter.
    pub takes: Vec<Take>,
}

impl Live {
    /// What is noted on it of the changes of Secrets that its Pods were started with.
    pub fn started_with(&self) -> Option<&str> {
        self.metadata
            .get("annotations")?
            .get(STARTED_WITH)?
            .as_str()
    }
}

/// How a live object compares with what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiveState {
    /// Not compared with this wanted hash since the start, or its digest has changed since.
    Unverified,
    /// Compared with this wanted hash; the digest has not changed since.
    Matches(WantedHash),
    /// Compared with this wanted hash: these fields differ.
    Differs {
        /// The hash it was compared with.
        wanted: WantedHash,
        /// Names of the fields, never their values.
        fields: Vec<String>,
    },
    /// The dry-run refused with 422: a field can't be changed in place. The text is the API server's, without values.
    Immutable {
        /// The hash it was compared with.
        wanted: WantedHash,
        /// What the API server said.
        message: String,
    },
    /// The API server refused to show or dry-run it (403).
    Forbidden {
        /// The hash it was to be compared with.
        wanted: WantedHash,
        /// What the API server said.
        message: String,
    },
    /// A time-out or 5xx: nothing is known, nothing is planned.
    Unreadable {
        /// The hash it was to be compared with.
        wanted: WantedHash,
        /// What happened.
        message: String,
    },
}

impl LiveState {
    /// The API server did not say how it compares.
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::Forbidden { .. } | Self::Unreadable { .. })
    }
}

/// One time somebody else changed or removed a field that we had applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// When it was seen.
    pub at: Timestamp,
    /// The other's field manager.
    pub manager: String,
    /// The field.
    pub field: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harder_request_is_a_new_one() {
        let asked = |refresh| Asked {
            refresh,
            request: false,
        };
        let (none, normal, hard) = (
            asked(None),
            asked(Some(Refresh::Normal)),
            asked(Some(Refresh::Hard)),
        );
        for (now, before, anew, distrusts) in [
            (none, none, false, false),
            (normal, none, true, false),
            (normal, normal, false, false),
            (hard, none, true, true),
            (hard, normal, true, true),
            (hard, hard, false, false),
        ] {
            assert_eq!(now.anew(before), anew, "{now:?} after {before:?}");
            assert_eq!(now.distrusts(before), distrusts, "{now:?} after {before:?}");
        }
    }
}
