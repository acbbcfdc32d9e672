//! Plain directories of YAML and JSON: which files belong to one, and their objects.

use super::{DirectoryOptions, RenderError, Rendered};
use crate::git::Tree;

/// Renders a plain directory. Reads files: not for the async threads.
///
/// # Errors
/// When one document of one file is no Kubernetes object: then nothing of the revision is used.
pub fn directory(_tree: &Tree, _options: &DirectoryOptions) -> Result<Rendered, RenderError> {
    todo!()
}
