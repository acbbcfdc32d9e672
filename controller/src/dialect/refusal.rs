//! What can't be accepted, by name: the field or annotation, and what is wrong with it.
//! It must not carry values that may be secret: fields of specs and annotations of ours only.

use std::fmt;

/// One field, option or annotation that is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refusal {
    /// `spec.sources`, `spec.syncPolicy.syncOptions: Replace=true`, `annotation argocd.argoproj.io/hook`.
    pub field: String,
    /// Why it is not accepted.
    pub problem: Problem,
}

/// Why a field is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// Known, and not done yet.
    NotSupported,
    /// Known, and never done; the text says why.
    Never(&'static str),
    /// In no list: a typing error, or newer than this program.
    Unknown,
    /// The value can't be used; the text names it and what was expected.
    Invalid(String),
}

impl Refusal {
    /// A field that is known and not done yet.
    pub fn not_supported(field: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: Problem::NotSupported,
        }
    }

    /// A value that can't be used.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: Problem::Invalid(message.into()),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.problem {
            Problem::NotSupported => write!(f, "not supported yet: {field}"),
            Problem::Never(why) => write!(f, "not supported: {field}: {why}"),
            Problem::Unknown => write!(f, "unknown: {field}"),
            Problem::Invalid(message) => write!(f, "{field}: {message}"),
        }
    }
}

impl std::error::Error for Refusal {}
