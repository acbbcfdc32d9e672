//! Walks a path through the trees of a commit as a file system would: symlinks are followed, inside the commit only.

use std::collections::VecDeque;

use gix::{ObjectId, Repository, object::tree::EntryKind as Mode};

/// As Linux counts: more links than this on one path are a loop.
const LINKS: usize = 40;

/// Where a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Directory {
        id: ObjectId,
        path: String,
    },
    File {
        id: ObjectId,
    },
    Missing,
    Outside,
    Loop,
    /// The path goes into a submodule.
    Submodule,
}

/// Follows `path` from the tree `root`.
pub(super) fn walk(repository: &Repository, root: ObjectId, path: &str) -> gix::Result<Reached> {
    if path.starts_with('/') {
        return Ok(Reached::Outside);
    }
    let mut left: VecDeque<String> = parts(path).collect();
    let mut directories = vec![(String::new(), root)];
    let mut links = 0;
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
                });
            }
            Mode::Commit => return Ok(Reached::Submodule),
            Mode::Blob | Mode::BlobExecutable => return Ok(Reached::Missing),
            Mode::Link => {
                links += 1;
                let target = repository.find_blob(entry.object_id())?.take_data();
                let target = String::from_utf8_lossy(&target).into_owned();
                if links > LINKS {
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

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .map(str::to_owned)
}
