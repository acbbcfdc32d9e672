//! Versions and constraints on them, as the Masterminds library reads them: more leniently than semver.org says.
//! Knows no template, chart or tag.

mod constraint;
mod version;

pub use constraint::Constraint;
pub use version::Version;

/// Why text is no version or constraint, in the library's words and without the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("invalid semantic version")]
    Version,
    #[error("version segment starts with 0")]
    ZeroInPrerelease,
    #[error("error parsing version segment: value out of range")]
    Segment,
    #[error("improper constraint")]
    Constraint,
}
