//! Walks a path through the trees of a commit as a file system would: symlinks are followed, inside the commit only.

use std::collections::VecDeque;

use gix::{ObjectId, Repository, object::tree::EntryKind as Mode};

/// As Linux counts: more links than this on one path are a loop.
const LINKS: usize = 40;

/// Where a path leads to. Paths are those without links, from the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Directory {
        id: ObjectId,
        path: String,
    },
    File {
        id: ObjectId,
        path: String,
    },
    Missing,
    Outside,
    Loop,
    /// The path goes into a submodule.
    Submodule,
}

/// A symlink on the way, by its path from the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) path: String,
    pub(super) id: ObjectId,
}

/// Follows `path` from the tree `root`.
pub(super) fn walk(repository: &Repository, root: ObjectId, path: &str) -> gix::Result<Reached> {
    walk_over(repository, root, path, &mut Vec::new())
}

/// Follows `path` from the tree `root` and collects the symlinks on the way, those to nowhere too.
pub(super) fn walk_over(
    repository: &Repository,
    root: ObjectId,
    path: &str,
    links: &mut Vec<Link>,
) -> gix::Result<Reached> {
    if path.starts_with('/') {
        return Ok(Reached::Outside);
    }
    let mut left: VecDeque<String> = parts(path).collect();
    let mut directories = vec![(String::new(), root)];
    while let Some(name) = left.pop_front() {
        if name == ".." {
            directories.pop();
            if directories.is_empty() {
                return Ok(Reached::Outside);
            }
            continue;
        }
        let (_, here) = directories
            .last()
            .expect("the root leaves the list only by returning");
        let tree = repository.find_tree(*here)?;
        let Some(entry) = tree.find_entry(name.as_str()) else {
            return Ok(Reached::Missing);
        };
        match entry.mode().kind() {
            Mode::Tree => directories.push((name, entry.object_id())),
            Mode::Blob | Mode::BlobExecutable if left.is_empty() => {
                return Ok(Reached::File {
                    id: entry.object_id(),
                    path: below(&directories, &name),
                });
            }
            Mode::Commit => return Ok(Reached::Submodule),
            Mode::Blob | Mode::BlobExecutable => return Ok(Reached::Missing),
            Mode::Link => {
                let id = entry.object_id();
                let target = repository.find_blob(id)?.take_data();
                let target = String::from_utf8_lossy(&target).into_owned();
                let path = below(&directories, &name);
                links.push(Link { path, id });
                if links.len() > LINKS {
                    return Ok(Reached::Loop);
                }
                if target.starts_with('/') {
                    return Ok(Reached::Outside);
                }
                for part in parts(&target).rev() {
                    left.push_front(part);
                }
            }
        }
    }
    let id = directories
        .last()
        .expect("the root leaves the list only by returning")
        .1;
    let names: Vec<_> = directories
        .into_iter()
        .skip(1)
        .map(|(name, _)| name)
        .collect();
    Ok(Reached::Directory {
        id,
        path: names.join("/"),
    })
}

/// The path of an entry of the last directory.
fn below(directories: &[(String, ObjectId)], name: &str) -> String {
    let above = directories.iter().skip(1).map(|(above, _)| above.as_str());
    above.chain([name]).collect::<Vec<_>>().join("/")
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .map(str::to_owned)
}
