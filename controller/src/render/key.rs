//! The key of a render: equal keys mean that rendering again would give the same objects.

use super::{DirectoryOptions, RenderError};
use crate::git::Tree;

/// A hash of everything that a render reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RenderKey(String);

impl std::fmt::Display for RenderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key that [`super::directory`] would give, without reading a manifest.
///
/// # Errors
/// When the mirror can't be read or a glob is not valid.
pub fn key(_tree: &Tree, _options: &DirectoryOptions) -> Result<RenderKey, RenderError> {
    todo!()
}
