//! Why something is not permitted: a reason from a closed set, and a text that names project, object and rule.
//! It must not name what would have been permitted elsewhere.

use std::fmt;

/// Something a project does not permit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// Why, from a closed set.
    pub reason: Reason,
    /// Why, for people.
    pub message: String,
}

/// Why something is not permitted. These words reach conditions, events and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// There is no project of this name.
    ProjectNotFound,
    /// The project uses a feature that is not known or not done yet.
    ProjectFeatureUnsupported,
    /// A rule of the project can't be read.
    ProjectInvalid,
    /// Applications of this project may not live in this namespace.
    ApplicationNamespaceNotPermitted,
    /// The repository is not among the project's.
    SourceNotPermitted,
    /// The cluster or namespace is not among the project's.
    DestinationNotPermitted,
    /// The kind is not among the project's.
    KindNotPermitted,
    /// The controller's own namespace needs a project that names it.
    OwnNamespace,
    /// A sealing key needs a project that names the controller's namespace.
    SealingKey,
}

impl Reason {
    /// The word in conditions, events and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProjectNotFound => "ProjectNotFound",
            Self::ProjectFeatureUnsupported => "ProjectFeatureUnsupported",
            Self::ProjectInvalid => "ProjectInvalid",
            Self::ApplicationNamespaceNotPermitted => "ApplicationNamespaceNotPermitted",
            Self::SourceNotPermitted => "SourceNotPermitted",
            Self::DestinationNotPermitted => "DestinationNotPermitted",
            Self::KindNotPermitted => "KindNotPermitted",
            Self::OwnNamespace => "OwnNamespace",
            Self::SealingKey => "SealingKey",
        }
    }
}

impl Denied {
    pub(super) fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.name(), self.message)
    }
}

impl std::error::Error for Denied {}
