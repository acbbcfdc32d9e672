//! Argo CD's spellings: fields, annotations, sync options, compare options and finalizers.
//! It must not decide what to do with them: it says what they ask for, or that they are refused.

pub mod application;
mod helm_source;
mod ignore;
mod kustomize_source;
pub mod object;
pub mod operation;
pub mod options;
mod settings;
mod source;
mod source_options;
mod spec;

pub use ignore::ignored_everywhere;
pub use settings::kustomize_settings;
pub(crate) use source_options::changed as changed_options;
pub use spec::REVISION_HISTORY_LIMIT;

/// Prefix of Argo CD's annotations.
const PREFIX: &str = "argocd.argoproj.io/";

/// Selects Argo CD's application controller, however it was installed.
pub const APPLICATION_CONTROLLER_SELECTOR: &str =
    "app.kubernetes.io/part-of=argocd,app.kubernetes.io/component=application-controller";
/// Selects the Secrets that hold repositories and credentials for them.
pub const REPOSITORY_SELECTOR: &str = "argocd.argoproj.io/secret-type in (repository,repo-creds)";

/// ConfigMap with OpenPGP public keys, armoured, under their ids.
pub const GPG_KEYS_CONFIG_MAP: &str = "argocd-gpg-keys-cm";

/// Keeps an Application until its objects are deleted; [`FOREGROUND_FINALIZER`] is the same.
pub const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// Deletes each object's children before the object.
pub const FOREGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";
/// Deletes each object at once.
pub const BACKGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/background";

/// Keeps an Application until its `PreDelete` hooks have run.
pub const PRE_DELETE_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io";
/// Keeps it until what they made is let go.
pub const PRE_DELETE_CLEANUP_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
/// Keeps an Application until its `PostDelete` hooks have run.
pub const POST_DELETE_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io";
/// Keeps it until what they made is let go.
pub const POST_DELETE_CLEANUP_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";

/// On an Application: look again now; `normal` or `hard`. Removed when it was done.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// On an Application: when somebody approved the deletions that wait for that.
pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// On an Application: leave it alone, when `"true"`.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
