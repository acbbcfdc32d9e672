//! The key of a render: equal keys mean that rendering again would give the same objects.

use sha2::{Digest, Sha256};

use super::{DirectoryOptions, select::Selected};
use crate::git::Tree;

/// Another version may read the same files in another way.
const PROGRAM: &str = concat!("signet-controller ", env!("CARGO_PKG_VERSION"));

/// A hash of everything that a render reads.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RenderKey(String);

impl std::fmt::Display for RenderKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key in the making: parts in their order, none of which can pass for two others.
pub(super) struct KeyHash(Sha256);

impl KeyHash {
    /// Of a render by `tool`.
    pub(super) fn of(tool: &str) -> Self {
        let mut hash = Self(Sha256::new());
        hash.part(PROGRAM).part(tool);
        hash
    }

    pub(super) fn part(&mut self, part: &str) -> &mut Self {
        self.count(part.len());
        self.0.update(part);
        self
    }

    /// Several parts, and how many.
    pub(super) fn parts<'a>(&mut self, parts: impl ExactSizeIterator<Item = &'a str>) -> &mut Self {
        self.count(parts.len());
        for part in parts {
            self.part(part);
        }
        self
    }

    pub(super) fn count(&mut self, count: usize) -> &mut Self {
        self.0.update((count as u64).to_be_bytes());
        self
    }

    /// The submodules that were fetched for a render, and from where.
    pub(super) fn submodules(&mut self, tree: &Tree) -> &mut Self {
        let submodules = tree.submodules();
        self.count(submodules.len());
        for (path, url, commit) in submodules {
            self.part(path).part(url).part(&commit.to_string());
        }
        self
    }

    pub(super) fn key(self) -> RenderKey {
        let bytes = self.0.finalize();
        RenderKey(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Path and id of the directory, the options, the submodules, and the targets of symlinks, which the id does not cover.
pub(super) fn of_directory(
    tree: &Tree,
    options: &DirectoryOptions,
    selected: &Selected,
) -> RenderKey {
    let mut hash = KeyHash::of("directory");
    hash.part(tree.path())
        .part(&tree.id())
        .part(&options.recurse.to_string())
        .part(&options.include)
        .part(&options.exclude)
        .submodules(tree);
    for link in &selected.links {
        hash.part(link).part(&selected.files[link].id());
    }
    hash.key()
}
