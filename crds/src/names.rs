//! Every name of ours that other programs see: groups, kinds, annotation and label keys.
//! Keys of Argo CD and Helm are not here: they are spelled in the controller's `dialect/` alone.

/// Group, version and names of `SealedSecret`.
pub mod sealed_secret {
    pub const GROUP: &str = "bitnami.com";
    pub const VERSION: &str = "v1alpha1";
    pub const API_VERSION: &str = "bitnami.com/v1alpha1";
    pub const KIND: &str = "SealedSecret";
    pub const LIST_KIND: &str = "SealedSecretList";
    pub const PLURAL: &str = "sealedsecrets";
    pub const SINGULAR: &str = "sealedsecret";
    /// Name of the custom resource definition.
    pub const CRD: &str = "sealedsecrets.bitnami.com";
}

/// Group, version and names of `Application`.
pub mod application {
    pub const GROUP: &str = "argoproj.io";
    pub const VERSION: &str = "v1alpha1";
    pub const API_VERSION: &str = "argoproj.io/v1alpha1";
    pub const KIND: &str = "Application";
    pub const LIST_KIND: &str = "ApplicationList";
    pub const PLURAL: &str = "applications";
    pub const SINGULAR: &str = "application";
    pub const SHORT: [&str; 2] = ["app", "apps"];
    /// Name of the custom resource definition.
    pub const CRD: &str = "applications.argoproj.io";
}

/// Group, version and names of `AppProject`.
pub mod app_project {
    pub const GROUP: &str = "argoproj.io";
    pub const VERSION: &str = "v1alpha1";
    pub const API_VERSION: &str = "argoproj.io/v1alpha1";
    pub const KIND: &str = "AppProject";
    pub const LIST_KIND: &str = "AppProjectList";
    pub const PLURAL: &str = "appprojects";
    pub const SINGULAR: &str = "appproject";
    pub const SHORT: [&str; 2] = ["appproj", "appprojs"];
    /// Name of the custom resource definition.
    pub const CRD: &str = "appprojects.argoproj.io";
}

/// Field manager of everything we apply.
pub const FIELD_MANAGER: &str = "signet";
/// Field manager of what starts Pods anew.
pub const RESTART_FIELD_MANAGER: &str = "signet-restart";

/// Label and value by which our own custom resource definitions are told from another owner's.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";
/// Value of [`MANAGED_BY_LABEL`] on what is ours.
pub const MANAGED_BY: &str = "signet";

/// Any namespace and any name may use the ciphertext, when `"true"`.
pub const CLUSTER_WIDE: &str = "sealedsecrets.bitnami.com/cluster-wide";
/// Any name in the namespace may use the ciphertext, when `"true"`.
pub const NAMESPACE_WIDE: &str = "sealedsecrets.bitnami.com/namespace-wide";
/// On an existing Secret: the SealedSecret may take it over, when `"true"`.
pub const MANAGED: &str = "sealedsecrets.bitnami.com/managed";
/// On an existing Secret: the SealedSecret merges its items into it, when `"true"`.
pub const PATCH: &str = "sealedsecrets.bitnami.com/patch";
/// In a template: the Secret gets no owner reference, when `"true"`.
pub const SKIP_SET_OWNER_REFERENCES: &str = "sealedsecrets.bitnami.com/skip-set-owner-references";
/// On a SealedSecret: labels, annotations and owners that others gave its Secret stay, when `"true"`.
pub const KEEP_FOREIGN_METADATA: &str = "signet.dev/keep-foreign-metadata";
/// On a Secret: a digest that fits its items and what they were rendered from, where rendering them again would give
/// something else. While it fits, the items stay.
pub const RENDERED: &str = "signet.dev/rendered";
/// On a Secret: its items that have changed since it was made, each with the version of the SealedSecret that changed it last.
pub const CHANGED: &str = "signet.dev/changed";
/// On an Application: the SHA-256, in hexadecimal, of what somebody proves by that they may ask for a diff. Taken off once they ask.
pub const DIFF: &str = "signet.dev/diff";
/// On an Application: where a rollback keeps it, a [`Hold`](crate::Hold).
pub const HOLD: &str = "signet.dev/hold";
/// Label of a Secret that holds a sealing key; the value `active` makes the key usable.
pub const SEALING_KEY_LABEL: &str = "sealedsecrets.bitnami.com/sealed-secrets-key";
/// Value of [`SEALING_KEY_LABEL`] on a key in use.
pub const SEALING_KEY_ACTIVE: &str = "active";

/// ConfigMap in our namespace that holds the current certificate for everybody.
pub const CERTIFICATE_CONFIG_MAP: &str = "signet-certificate";
/// Secret in our namespace that makes the digests of what an Application's status does not repeat, under [`REDACTION_KEY_ITEM`].
pub const REDACTION_KEY_SECRET: &str = "signet-redaction-key";
/// Item of [`REDACTION_KEY_SECRET`]: at least 32 bytes that nobody can guess.
pub const REDACTION_KEY_ITEM: &str = "key";
/// ConfigMap in our namespace with the file of allowed SSH signers under [`ALLOWED_SIGNERS_ENTRY`].
pub const ALLOWED_SIGNERS_CONFIG_MAP: &str = "signet-allowed-signers";
/// Entry of [`ALLOWED_SIGNERS_CONFIG_MAP`].
pub const ALLOWED_SIGNERS_ENTRY: &str = "allowed_signers";
/// On an AppProject: whose SSH signatures count, as names and patterns of that file with commas between them.
pub const ALLOWED_SIGNERS: &str = "signet.dev/allowed-signers";
/// On an AppProject: what becomes of Secrets that are not sealed, `refuse`, `warn` or `allow`.
pub const PLAINTEXT_SECRETS: &str = "signet.dev/plaintext-secrets";
/// On the newest key Secret: an RFC 3339 time at which somebody asked for a new key.
pub const ROTATE: &str = "signet.dev/rotate";
