//! What one Application asks for, in our own words: the typed policy that plans are made from.
//! It must not look at a project or a cluster: whether it is permitted and possible is decided elsewhere.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use crds::{Application, Hold};
use k8s_openapi::jiff::Timestamp;

use super::argocd;
use super::refusal::Refusal;
use super::sync_options::SyncOptions;
use crate::ignore::Rules;
use crate::render::SourceOptions;

/// What one Application asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Name of its project; `default` when the spec names none.
    pub project: String,
    /// Where its objects come from: one source, or several in their order.
    pub sources: Vec<SourceIntent>,
    /// Variables that are substituted in them; `None` leaves what looks like one alone.
    pub substitution: Option<Substitution>,
    /// Where they go.
    pub destination: Destination,
    /// Set when it syncs without being asked.
    pub automated: Option<Automated>,
    /// What its sync options ask for.
    pub options: SyncOptions,
    /// Labels and annotations of the destination namespace; `None` leaves them to others.
    pub namespace_metadata: Option<NamespaceMetadata>,
    /// Applications that have to work before it is synced, in the order written.
    pub depends_on: Vec<ApplicationName>,
    /// Where a rollback keeps it.
    pub hold: Option<Hold>,
    /// Differences that don't count.
    pub ignored: Rules,
    /// A manager whose fields become ours, beside kubectl and Argo CD.
    pub predecessor: Option<Arc<str>>,
    /// A sync that has not ended after so long has failed; `None` waits for ever.
    pub sync_timeout: Option<Duration>,
    /// The largest part of its objects, in percent, that is deleted unasked where they left the repository.
    pub prune_limit: u8,
    /// How a failed sync is tried again; `None` when the spec says nothing.
    pub retry: Option<RetryPolicy>,
    /// How many finished syncs the history keeps.
    pub revision_history_limit: usize,
    /// What its metadata asks for.
    pub marks: Marks,
}

/// An Application, by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApplicationName {
    pub namespace: String,
    pub name: String,
}

/// One source: a directory of a Git repository, or files that other sources refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceIntent {
    /// As written in the Application.
    pub repo_url: String,
    /// Branch, tag, commit, range of versions or `HEAD`; empty only for a chart, whose newest release it means.
    pub revision: String,
    /// What stands before the version in the tags that a range looks at.
    pub tag_prefix: String,
    /// Directory inside the repository, without `/` at its ends; empty for the root.
    pub path: String,
    /// Name of a chart: the repository is one of charts then, and `revision` a version or a range of versions.
    pub chart: Option<String>,
    /// The name by which value files of other sources refer to its repository.
    pub reference: Option<String>,
    /// Objects come from it. False where it is only referred to.
    pub renders: bool,
    /// How it is rendered.
    pub options: SourceOptions,
}

/// Variables that are substituted in what is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Substitution {
    /// Values in the Application itself; they win.
    pub values: BTreeMap<String, String>,
    /// Objects of the destination's namespace with more of them; a later one wins.
    pub from: Vec<VariablesFrom>,
}

/// An object whose items are variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariablesFrom {
    pub kind: VariablesKind,
    pub name: String,
    /// Where there is no such object, it has no variables.
    pub optional: bool,
}

/// What kind of object variables are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VariablesKind {
    ConfigMap,
    Secret,
}

impl VariablesKind {
    /// The kind, as manifests write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Where objects go: so far always the cluster we run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// URL of the API server, also when the Application names the cluster: projects match on either.
    pub server: String,
    /// Name of the cluster.
    pub name: String,
    /// Namespace of namespaced objects that name none; empty when the Application has none.
    pub namespace: String,
}

/// What the destination namespace carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamespaceMetadata {
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
}

/// Syncing without being asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Automated {
    /// Delete what left the repository.
    pub prune: bool,
    /// Put back what was changed or deleted in the cluster.
    pub self_heal: bool,
    /// A repository that renders nothing may delete everything.
    pub allow_empty: bool,
}

/// How a failed sync is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often; `None` is for ever.
    pub limit: Option<u32>,
    /// First waiting time.
    pub duration: Duration,
    /// Each waiting time is the last one times this.
    pub factor: u32,
    /// Longest waiting time.
    pub max_duration: Duration,
    /// Once it failed, move on to a newer commit; else stay at the commit it failed at until the tries are used up.
    pub refresh: bool,
}

impl Default for RetryPolicy {
    /// Argo CD's for automatic syncs: 5 tries, 5 s doubling up to 3 minutes. A newer commit supersedes.
    fn default() -> Self {
        Self {
            limit: Some(5),
            duration: Duration::from_secs(5),
            factor: 2,
            max_duration: Duration::from_secs(180),
            refresh: true,
        }
    }
}

impl RetryPolicy {
    /// How long to wait before try number `retry`, which counts from 0.
    pub fn wait(&self, retry: u32) -> Duration {
        let factor = self.factor.checked_pow(retry).unwrap_or(u32::MAX);
        self.duration
            .checked_mul(factor)
            .unwrap_or(self.max_duration)
            .min(self.max_duration)
    }
}

/// What an Application's metadata asks for. It can be read even when the spec is refused, so that such an
/// Application can still be paused and deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Leave the Application alone.
    pub skip_reconcile: bool,
    /// Look again now.
    pub refresh: Option<Refresh>,
    /// When somebody approved the deletions that wait for that.
    pub deletion_approved: Option<Timestamp>,
    /// Deleting the Application deletes its objects; `None` leaves them.
    pub cascade: Option<Cascade>,
}

/// How to look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Ask the repository for its newest commit and compare.
    Normal,
    /// The same, and trust nothing that was rendered or compared before.
    Hard,
}

/// What becomes of the children of an object that is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cascade {
    /// They go first.
    Foreground,
    /// The object goes at once, they by the garbage collector.
    Background,
    /// They stay.
    Orphan,
}

/// What the Application asks for, or everything in it that is not accepted.
///
/// # Errors
/// Every field, option, annotation and finalizer that is refused, in a stable order.
pub fn intent(application: &Application) -> Result<Intent, Vec<Refusal>> {
    argocd::application::intent(application)
}

/// What the Application's metadata asks for, whatever its spec says.
pub fn marks(application: &Application) -> Marks {
    argocd::application::marks(&application.metadata)
}
