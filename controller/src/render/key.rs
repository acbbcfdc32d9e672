//! The key of a render: equal keys mean that rendering again would give the same objects.

use sha2::{Digest, Sha256};

use super::{
    DirectoryOptions, RenderError,
    select::{Selected, select},
};
use crate::git::Tree;

/// Another version may read the same files in another way.
const PROGRAM: &str = concat!(
    "signet-controller ",
    env!("CARGO_PKG_VERSION"),
    " directory"
);

/// A hash of everything that a render reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RenderKey(String);

impl RenderKey {
    /// The key of several renders together.
    pub(super) fn joined<'a>(keys: impl Iterator<Item = &'a RenderKey>) -> Self {
        Self(hash(keys.map(|key| key.0.as_str())))
    }
}

impl std::fmt::Display for RenderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key that [`super::directory`] would give, without reading a manifest.
///
/// # Errors
/// When the mirror can't be read, a glob is not valid, or the directory is of another source type.
pub fn key(tree: &Tree, options: &DirectoryOptions) -> Result<RenderKey, RenderError> {
    Ok(key_of(tree, options, &select(tree, options)?))
}

/// Path and id of the directory, the options, and the targets of symlinks, which the id does not cover.
pub(super) fn key_of(tree: &Tree, options: &DirectoryOptions, selected: &Selected) -> RenderKey {
    let recurse = options.recurse.to_string();
    let mut parts = vec![
        PROGRAM,
        tree.path(),
        &recurse,
        &options.include,
        &options.exclude,
    ];
    let id = tree.id();
    parts.push(&id);
    let links: Vec<String> = selected
        .links
        .iter()
        .map(|link| format!("{link} {}", selected.files[link].id()))
        .collect();
    parts.extend(links.iter().map(String::as_str));
    RenderKey(hash(parts.into_iter()))
}

/// In hex. The length of each part goes before it, so that none runs into the next.
fn hash<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
