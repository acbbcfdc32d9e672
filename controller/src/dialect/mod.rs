//! Foreign spellings become our typed policy here: Argo CD's and Helm's fields, annotations, options and finalizers.
//! No other room spells them, and this one neither reads a cluster nor decides what to do.
//!
//! Every field of an Application's spec and operation and every annotation of these tools stands in a table as
//! honoured, harmless or refused; what stands in no table is refused too. Nothing is ignored.

pub mod argocd;
pub mod file_marker;
mod finalizer;
pub(crate) mod flux;
pub mod helm;
mod hook;
mod intent;
mod object;
mod operation;
mod refusal;
pub mod repository_config;
pub mod signet;
mod sync_options;
mod tracking;
pub mod verdict;
pub mod webhooks;

pub(crate) use argocd::changed_options;
pub use argocd::object::HOOK_FINALIZER;
pub use argocd::{
    APPLICATION_CONTROLLER_SELECTOR, GPG_KEYS_CONFIG_MAP, REPOSITORY_SELECTOR,
    REVISION_HISTORY_LIMIT, ignored_everywhere, kustomize_settings,
};
pub use finalizer::Finalizer;
pub use hook::{HookDeletion, HookPolicy, Phase, Role, is_hook, role};
pub use intent::{
    ApplicationName, Automated, Cascade, Destination, Intent, Marks, NamespaceMetadata, Refresh,
    RetryPolicy, SourceIntent, Substitution, VariablesFrom, VariablesKind, intent, marks,
};
pub use object::{Guards, ObjectPolicy, guards, ignores_health, object_policy};
pub use operation::{
    OperationRequest, RequestedObject, applies_without_hooks, operation, requested_options,
    strategy_without_hooks,
};
pub use refusal::{Problem, Refusal};
pub use signet::{HOOK_RUN, RESTART, SECRETS, STARTED_WITH};
pub use sync_options::{ApplyMode, ApplyPolicy, Consent, ObjectDefaults, SyncOptions};
pub use tracking::{TRACKING_ANNOTATION, Tracking, parse_tracking, tracking_value};
