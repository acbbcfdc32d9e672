//! Walks a path through the trees of a commit and its submodules as a file system would: symlinks are followed, inside the
//! commit only.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use gix::{ObjectId, Repository, object::tree::EntryKind as Mode};

use super::snapshot::Snapshot;

/// As Linux counts: more links than this on one path are a loop.
const LINKS: usize = 40;

/// Where a path leads to. Paths are those without links, from the root.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reached {
    Directory(Place),
    File(Place),
    Missing,
    Outside,
    Loop,
    /// A submodule that is not there; the id is its commit's.
    Submodule(Place),
}

/// An object, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) id: ObjectId,
    /// The path of the submodule that has it; empty for the commit itself.
    pub(super) within: Arc<str>,
}

/// The repositories of a snapshot, opened as they are needed.
pub(super) struct Opened<'a> {
    snapshot: &'a Snapshot,
    repositories: BTreeMap<Arc<str>, Repository>,
}

impl<'a> Opened<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            repositories: BTreeMap::new(),
        }
    }

    /// The one that has the objects within the submodule at this path.
    pub(super) fn within(&mut self, path: &Arc<str>) -> &Repository {
        self.repositories
            .entry(Arc::clone(path))
            .or_insert_with(|| {
                let (_, part) = self.snapshot.part(path).expect("only parts have objects");
                part.store.open()
            })
    }

    /// What a directory has under this name.
    fn entry(&mut self, directory: &Place, name: &str) -> gix::Result<Option<(Mode, Place)>> {
        let (_, part) = self
            .snapshot
            .part(&directory.within)
            .expect("only parts have objects");
        let opened = self.within(&directory.within);
        let entries = part.store.directory(opened, directory.id)?;
        Ok(entries.get(name.as_bytes()).map(|(mode, id)| {
            let place = Place {
                path: join(&directory.path, name),
                id: *id,
                within: Arc::clone(&directory.within),
            };
            (mode.kind(), place)
        }))
    }

    /// The root of the submodule that stands at a place, if it is there at that commit.
    pub(super) fn enter(&self, submodule: &Place) -> Option<Place> {
        let (within, part) = self.snapshot.part(&submodule.path)?;
        (part.commit.0 == submodule.id).then(|| Place {
            path: submodule.path.clone(),
            id: part.root,
            within: Arc::clone(within),
        })
    }
}

/// Follows `path` from the root.
pub(super) fn walk(snapshot: &Snapshot, path: &str) -> gix::Result<Reached> {
    walk_over(snapshot, path, &mut Vec::new())
}

/// Follows `path` from the root and collects the symlinks on the way, those to nowhere too.
pub(super) fn walk_over(
    snapshot: &Snapshot,
    path: &str,
    links: &mut Vec<Place>,
) -> gix::Result<Reached> {
    if path.starts_with('/') {
        return Ok(Reached::Outside);
    }
    let mut opened = Opened::of(snapshot);
    let mut left: VecDeque<String> = parts(path).collect();
    let mut directories = vec![Place {
        path: String::new(),
        id: snapshot.top().root,
        within: Arc::default(),
    }];
    while let Some(name) = left.pop_front() {
        if name == ".." {
            directories.pop();
            if directories.is_empty() {
                return Ok(Reached::Outside);
            }
            continue;
        }
        let here = directories
            .last()
            .expect("the root leaves the list only by returning");
        let Some((kind, place)) = opened.entry(here, &name)? else {
            return Ok(Reached::Missing);
        };
        match kind {
            Mode::Tree => directories.push(place),
            Mode::Blob | Mode::BlobExecutable if left.is_empty() => {
                return Ok(Reached::File(place));
            }
            Mode::Blob | Mode::BlobExecutable => return Ok(Reached::Missing),
            Mode::Commit => match opened.enter(&place) {
                Some(root) => directories.push(root),
                None => return Ok(Reached::Submodule(place)),
            },
            Mode::Link => {
                let target = opened.within(&place.within).find_blob(place.id)?;
                let target = String::from_utf8_lossy(&target.data).into_owned();
                links.push(place);
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
    let here = directories.pop();
    Ok(Reached::Directory(
        here.expect("the root leaves the list only by returning"),
    ))
}

/// `below` the directory `path`, which is empty for the root.
pub(crate) fn join(path: &str, below: &str) -> String {
    match path {
        "" => below.to_owned(),
        path => format!("{path}/{below}"),
    }
}

fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    path.split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .map(str::to_owned)
}
