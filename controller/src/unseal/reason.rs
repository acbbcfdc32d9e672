//! Why a SealedSecret is not in effect: a closed set, each with the words of status and event.
//! It must not carry a value of a Secret.

use std::fmt;

use sealing::{ItemProblem, UnsealError};

/// What somebody can do about a SealedSecret that no key opens.
pub const RESEAL: &str = "restore its sealing key, or seal it anew for this cluster: kubectl create secret … --dry-run=client -o yaml | signet seal";

/// Why a SealedSecret is not in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnsealReason {
    /// The object does not have the shape of a SealedSecret.
    Malformed { message: String },
    /// Items can't be opened, or templates not rendered.
    CannotOpen(UnsealError),
    /// A defect of ours ended the opening.
    Panicked,
    /// The template would make a sealing key.
    SealingKeyLabel,
    /// A Secret of that name belongs to somebody else.
    NotManaged { name: String },
    /// The Secret is marked immutable and its items would change.
    SecretIsImmutable { namespace: String, name: String },
    /// The Secret has another type, which nothing can change.
    TypeIsImmutable { name: String, wanted: String },
    /// The API server refused the write.
    WriteRefused { message: String },
}

impl UnsealReason {
    /// Reason of the event, as upstream names it.
    pub fn event_reason(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::CannotOpen(_) | Self::Panicked => "ErrUnsealFailed",
            _ => "ErrUpdateFailed",
        }
    }

    /// Text of the event. Unlike the status, which scripts read, it says what to do about a key that is not there.
    pub fn event_message(&self) -> String {
        match self {
            Self::CannotOpen(_) if self.may_lack_key() => {
                format!("Failed to unseal: {self}; {RESEAL}")
            }
            Self::Malformed { .. } | Self::CannotOpen(_) | Self::Panicked => {
                format!("Failed to unseal: {self}")
            }
            Self::NotManaged { .. } => self.not_managed(),
            Self::SecretIsImmutable { namespace, name } => format!(
                "Error updating {namespace}/{name}: the target Secret is immutable. Once a Secret is marked as immutable, it is not \
                 possible to revert this change nor to mutate the contents of the data field. You can only delete and recreate the Secret."
            ),
            _ => self.to_string(),
        }
    }

    /// Value of the label `reason` of upstream's error counter.
    pub fn metric(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::CannotOpen(_) | Self::Panicked => "unseal",
            Self::NotManaged { .. } => "unmanaged",
            _ => "update",
        }
    }

    /// True where a further key might help.
    pub fn may_lack_key(&self) -> bool {
        match self {
            Self::CannotOpen(UnsealError::Items(errors)) => errors
                .items()
                .values()
                .any(|problem| *problem == ItemProblem::NoKey),
            Self::CannotOpen(UnsealError::Legacy(problem)) => *problem == ItemProblem::NoKey,
            _ => false,
        }
    }

    fn not_managed(&self) -> String {
        match self {
            Self::NotManaged { name } => {
                format!("Resource {name:?} already exists and is not managed by SealedSecret")
            }
            _ => self.to_string(),
        }
    }
}

/// The text of the status, as upstream writes it.
impl fmt::Display for UnsealReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { message } | Self::WriteRefused { message } => f.write_str(message),
            Self::CannotOpen(error) => error.fmt(f),
            Self::Panicked => {
                f.write_str("opening it hit a defect of signet-controller, its log says where")
            }
            Self::SealingKeyLabel => f.write_str(
                "the template has the label of sealing keys, expected a Secret that is none",
            ),
            Self::NotManaged { .. } => write!(f, "failed update: {}", self.not_managed()),
            Self::SecretIsImmutable { name, .. } => {
                write!(
                    f,
                    "Secret {name:?} is invalid: data: Forbidden: field is immutable when `immutable` is set"
                )
            }
            Self::TypeIsImmutable { name, wanted } => {
                write!(
                    f,
                    "Secret {name:?} is invalid: type: Invalid value: {wanted:?}: field is immutable"
                )
            }
        }
    }
}
