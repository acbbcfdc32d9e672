//! What sync options ask for, of all objects of an Application or of one request, in our own words.
//! It must not know how an option is spelled.

use super::intent::Cascade;

/// What sync options ask for, of an Application or of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// Make the destination namespace when it does not exist.
    pub create_namespace: bool,
    /// Apply nothing while an object is wanted that belongs to another Application.
    pub fail_on_shared_resource: bool,
    /// How objects that left the repository are deleted; `None` when nothing is said.
    pub propagation: Option<Cascade>,
    /// What holds for objects that do not say otherwise.
    pub defaults: ObjectDefaults,
}

impl SyncOptions {
    /// With those of a request. What they protect, either protects.
    #[must_use]
    pub fn with(self, request: Self) -> Self {
        Self {
            create_namespace: self.create_namespace || request.create_namespace,
            fail_on_shared_resource: self.fail_on_shared_resource
                || request.fail_on_shared_resource,
            propagation: request.propagation.or(self.propagation),
            defaults: self.defaults.with(request.defaults),
        }
    }
}

/// What is said of all objects. An object's own annotation wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectDefaults {
    /// May objects that leave the repository be deleted; `None` when nothing is said.
    pub prune: Option<Consent>,
    /// May objects be deleted with the Application; `None` when nothing is said.
    pub delete: Option<Consent>,
    /// Objects that leave the repository are deleted after everything else is applied and works.
    pub prune_last: bool,
    /// How objects are written.
    pub apply: ApplyPolicy,
    /// Fields that only admission webhooks write are compared too.
    pub include_webhooks: bool,
}

impl ObjectDefaults {
    #[must_use]
    fn with(self, request: Self) -> Self {
        Self {
            prune: self.prune.max(request.prune),
            delete: self.delete.max(request.delete),
            prune_last: self.prune_last || request.prune_last,
            apply: self.apply.with(request.apply),
            include_webhooks: self.include_webhooks || request.include_webhooks,
        }
    }
}

/// Whether something may be deleted, from the least careful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consent {
    /// It may.
    Yes,
    /// It may once somebody has approved it.
    Ask,
    /// It may not.
    No,
}

/// How an object is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyPolicy {
    /// What becomes of a live object.
    pub mode: ApplyMode,
    /// Where that can't be done in place, the live object is deleted and made anew.
    pub force: bool,
}

impl ApplyPolicy {
    /// With what a request says; the more careful mode counts, and it makes nothing anew in which others have a share.
    #[must_use]
    pub fn with(self, request: Self) -> Self {
        Self {
            mode: self.mode.max(request.mode),
            force: self.force || (request.force && self.mode <= ApplyMode::Replace),
        }
    }
}

/// What becomes of a live object, from the usual to the most careful.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApplyMode {
    /// It gets what Git says, and loses what Git does not say any more or people have added.
    #[default]
    Apply,
    /// It becomes what Git says and nothing else.
    Replace,
    /// It gets what Git says, and keeps what others have added.
    Merge,
    /// It stays as it is.
    IfNotPresent,
}
