//! From files of a commit to Kubernetes objects. It reads Git objects only, asks no cluster and changes no object.

pub mod child;
mod directory;
mod error;
#[cfg(any(test, fuzzing))]
#[path = "../../../tests/fuzzing/manifests.rs"]
pub mod fuzz_manifests;
mod key;
mod limits;
mod manifest;
mod select;
mod value;

pub use directory::directory;
pub use error::RenderError;
pub use key::{RenderKey, key};

/// What `spec.source.directory` of an Application says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DirectoryOptions {
    /// Directories below the path too.
    pub recurse: bool,
    /// Only files whose path below the directory matches this glob; empty for all.
    pub include: String,
    /// No file whose path below the directory matches this glob; empty for none.
    pub exclude: String,
}

/// One object of a source, and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Path of the file in the repository.
    pub file: String,
    /// Which document of the file, from 1.
    pub document: usize,
    /// The line of the file on which the document begins, from 1.
    pub line: usize,
    pub object: serde_json::Value,
}

/// What a source renders to: its objects in the order of their files.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    pub manifests: Vec<Manifest>,
    pub key: RenderKey,
}

impl Rendered {
    /// What several sources render to together, in their order.
    #[must_use]
    pub fn joined(rendered: &[std::sync::Arc<Self>]) -> Self {
        let manifests = rendered.iter().flat_map(|one| one.manifests.clone());
        Self {
            manifests: manifests.collect(),
            key: RenderKey::joined(rendered.iter().map(|one| &one.key)),
        }
    }
}
