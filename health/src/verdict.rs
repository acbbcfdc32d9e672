//! What is said of an object: one of six lights, and why. It must not judge.

use std::fmt;

/// Health of one object, or of an Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The light.
    pub status: HealthStatus,
    /// Why, for people; empty when there is nothing to say.
    pub message: String,
}

/// The six lights, from best to worst: an Application shows its worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HealthStatus {
    /// Works.
    Healthy,
    /// Stopped on purpose.
    Suspended,
    /// On its way.
    Progressing,
    /// Not in the cluster.
    Missing,
    /// Does not work.
    Degraded,
    /// Nobody can say.
    Unknown,
}

impl HealthStatus {
    /// All of them, from best to worst.
    pub const ALL: [Self; 6] = [
        Self::Healthy,
        Self::Suspended,
        Self::Progressing,
        Self::Missing,
        Self::Degraded,
        Self::Unknown,
    ];

    /// As it is spelled in a status, in scripts and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }

    /// The light of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for HealthStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(crate) fn light(status: HealthStatus, message: impl Into<String>) -> Health {
    Health {
        status,
        message: message.into(),
    }
}

pub(crate) fn healthy(message: impl Into<String>) -> Health {
    light(HealthStatus::Healthy, message)
}

pub(crate) fn progressing(message: impl Into<String>) -> Health {
    light(HealthStatus::Progressing, message)
}

pub(crate) fn degraded(message: impl Into<String>) -> Health {
    light(HealthStatus::Degraded, message)
}

pub(crate) fn suspended(message: impl Into<String>) -> Health {
    light(HealthStatus::Suspended, message)
}

pub(crate) fn unknown(message: impl Into<String>) -> Health {
    light(HealthStatus::Unknown, message)
}
