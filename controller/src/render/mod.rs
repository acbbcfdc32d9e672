//! From files of a commit to Kubernetes objects: by ourselves for plain manifests, by confined programs for all else.
//! It fetches nothing, asks no cluster and changes no object.

mod batch;
pub mod child;
mod directory;
mod error;
mod files;
#[cfg(any(test, fuzzing))]
#[path = "../../../tests/fuzzing/manifests.rs"]
pub mod fuzz_manifests;
mod helm;
mod key;
mod kustomize;
mod limits;
mod manifest;
mod options;
mod output;
mod program;
mod renderer;
mod request;
mod select;
mod source;
mod substitution;
mod value;

use std::sync::Arc;

pub use batch::Batch;
pub use error::RenderError;
pub use helm::Dependency;
pub use key::RenderKey;
pub use kustomize::{KustomizeSettings, KustomizeVersion, Setting};
pub use options::{
    DirectoryOptions, HelmOptions, HelmParameter, KustomizeOptions, SourceOptions, Tool,
};
pub use renderer::{Renderer, RendererOptions};
pub use request::{BuildEnvironment, ClusterFacts, RemoteBase, Request, Root};
pub use source::SourceType;
pub use substitution::{Origin, Variables, substitute};

/// One object of a source, and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// Path of the file in the repository, or the command that wrote it.
    pub file: String,
    /// Which document of the file, from 1.
    pub document: usize,
    /// The line of the file on which the document begins, from 1; none where a program wrote it.
    pub line: Option<usize>,
    pub object: serde_json::Value,
}

/// What a source renders to: its objects in the order of their files.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Shared by all renders with the same file.
    pub batches: Vec<Arc<Batch>>,
    pub key: RenderKey,
    pub source_type: SourceType,
}

impl Rendered {
    /// All its objects, in order.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.batches.iter().flat_map(|batch| &batch.manifests)
    }
}
