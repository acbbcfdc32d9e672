//! Why a source does not render: file, document and line where they are known, and what was expected.

use crate::git::GitError;

/// Why a source does not render. Nothing of such a revision is applied, and nothing is pruned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// A document that is no Kubernetes object.
    #[error("{file}: document {document}, line {line}: {problem}")]
    Manifest {
        file: String,
        document: usize,
        line: usize,
        problem: String,
    },
    /// A file that can't be used at all.
    #[error("{file}: {problem}")]
    File { file: String, problem: String },
    /// A kind of source that another release will support, known by a file of it.
    #[error("not supported yet: source type {kind}: found {file}")]
    SourceType { kind: &'static str, file: String },
    /// `include` or `exclude` is no glob.
    #[error("spec.source.directory.{field}: {glob:?} is no glob: {problem}")]
    Glob {
        field: &'static str,
        glob: String,
        problem: String,
    },
    /// More than one Application may hold in memory.
    #[error("{what} exceeds the limit of {limit}")]
    Limit { what: String, limit: String },
    /// The mirror can't be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

impl RenderError {
    /// What the author of the source can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Manifest { .. } | Self::File { .. } => {
                Some("correct the file, or leave it out with spec.source.directory.exclude")
            }
            Self::SourceType { .. } => Some(
                "commit the rendered manifests instead, or leave it out with spec.source.directory.exclude",
            ),
            Self::Glob { .. } => Some("write a glob such as {*.yaml,config/*.json}"),
            Self::Limit { .. } => Some("spread the manifests over several Applications"),
            Self::Git(error) => error.hint(),
        }
    }
}
