//! Files that somebody sent, laid down as Git would have them: a tree in a store of its own, which goes with its last reader.
//! It must not take over anything but files, links and the directories between them.

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Component, Path},
    sync::Arc,
};

use gix::bstr::BString;
use gix::objs::tree::{Entry, EntryKind};
use gix::{ObjectId, objs};
use tar::{Archive, EntryType};

use super::{CommitId, Repository, Tree, snapshot::Part, store::Store};

/// Most files, and directories between them.
const FILES: usize = 20_000;
/// Longest path, in bytes, and deepest one: each name of it is a step into the tree.
const PATH: usize = 4_096;
const DEPTH: usize = 100;

/// What lies under a name.
enum Node {
    Blob(EntryKind, ObjectId),
    Tree(BTreeMap<BString, Node>),
}

/// The files of a tar archive, in place of those of a commit.
///
/// # Errors
/// What in the archive is neither file nor link, leads out of it, or is one too many.
pub(super) fn tree(
    parent: &Path,
    repository: &Repository,
    commit: CommitId,
    archive: &[u8],
) -> Result<Tree, String> {
    let store = Store::create(parent, "sent-", 1)?;
    let opened = store.open();
    let mut root = BTreeMap::new();
    let mut archive = Archive::new(archive);
    let entries = archive.entries().map_err(|error| error.to_string())?;
    let mut left = FILES;
    for entry in entries {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path = entry.path().map_err(|error| error.to_string())?;
        let names = names(&path)?;
        let Some((node, path)) = read(&opened, &mut entry)?.map(|node| (node, names)) else {
            continue;
        };
        insert(&mut root, &path, node, &mut left)?;
    }
    let root = write(&opened, &root)?;
    drop(opened);
    Ok(Tree::of(Part {
        store: Arc::new(store),
        repository: repository.clone(),
        commit,
        root,
    }))
}

/// The names on the way from the root to an entry.
fn names(path: &Path) -> Result<Vec<BString>, String> {
    let refused = || format!("{}: expected a path inside the repository", path.display());
    let here = |component: &Component<'_>| *component != Component::CurDir;
    let name = |component| match component {
        Component::Normal(name) if name != ".git" => Ok(name.to_str().ok_or_else(refused)?.into()),
        _ => Err(refused()),
    };
    if path.as_os_str().len() > PATH {
        return Err(format!("a path has more than {PATH} bytes"));
    }
    let names: Vec<BString> = path
        .components()
        .filter(here)
        .map(name)
        .collect::<Result<_, _>>()?;
    match names.len() {
        0 => Err(refused()),
        1..=DEPTH => Ok(names),
        _ => Err(format!("a path has more than {DEPTH} names")),
    }
}

/// An entry as an object of the store; nothing for a directory.
fn read(
    store: &gix::Repository,
    entry: &mut tar::Entry<'_, impl Read>,
) -> Result<Option<Node>, String> {
    let blob = |content: &[u8]| {
        let written = store.write_blob(content);
        written
            .map(gix::Id::detach)
            .map_err(|error| error.to_string())
    };
    match entry.header().entry_type() {
        // The second names the commit, where git wrote the archive.
        EntryType::Directory | EntryType::XGlobalHeader => Ok(None),
        EntryType::Regular => {
            let mode = entry.header().mode().unwrap_or_default();
            let kind = match mode & 0o100 {
                0 => EntryKind::Blob,
                _ => EntryKind::BlobExecutable,
            };
            let mut content = Vec::new();
            let read = entry.read_to_end(&mut content);
            read.map_err(|error| error.to_string())?;
            Ok(Some(Node::Blob(kind, blob(&content)?)))
        }
        EntryType::Symlink => {
            let target = entry.link_name_bytes().unwrap_or_default();
            Ok(Some(Node::Blob(EntryKind::Link, blob(&target)?)))
        }
        _ => Err("expected files, links and directories".to_owned()),
    }
}

fn insert(
    tree: &mut BTreeMap<BString, Node>,
    path: &[BString],
    node: Node,
    left: &mut usize,
) -> Result<(), String> {
    let Some((name, below)) = path.split_first() else {
        return Ok(());
    };
    if !tree.contains_key(name) {
        let many = || format!("there are more than {FILES} files and directories");
        *left = left.checked_sub(1).ok_or_else(many)?;
    }
    if below.is_empty() {
        tree.insert(name.clone(), node);
        return Ok(());
    }
    let new = || Node::Tree(BTreeMap::new());
    match tree.entry(name.clone()).or_insert_with(new) {
        Node::Tree(tree) => insert(tree, below, node, left),
        Node::Blob(..) => Err(format!("{name}: is a file and a directory")),
    }
}

fn write(store: &gix::Repository, tree: &BTreeMap<BString, Node>) -> Result<ObjectId, String> {
    let entry = |(name, node): (&BString, &Node)| {
        let (kind, oid) = match node {
            Node::Blob(kind, id) => (*kind, *id),
            Node::Tree(tree) => (EntryKind::Tree, write(store, tree)?),
        };
        Ok(Entry {
            mode: kind.into(),
            filename: name.clone(),
            oid,
        })
    };
    let mut entries = tree.iter().map(entry).collect::<Result<Vec<_>, String>>()?;
    // As Git sorts them: a directory as if its name ended with a slash.
    entries.sort();
    let written = store.write_object(&objs::Tree { entries });
    written
        .map(gix::Id::detach)
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use tar::{Builder, Header};

    use super::*;

    fn entry(archive: &mut Builder<Vec<u8>>, kind: EntryType, name: &str, content: &str) {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        // As it is written: the crate would refuse what leads out of an archive.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        match kind {
            EntryType::Symlink | EntryType::Link => {
                header.set_size(0);
                header.set_link_name(content).unwrap();
                header.set_cksum();
                archive.append(&header, std::io::empty()).unwrap();
            }
            _ => {
                header.set_size(content.len() as u64);
                header.set_cksum();
                archive.append(&header, content.as_bytes()).unwrap();
            }
        }
    }

    fn sent(place: &Path, entries: &[(EntryType, &str, &str)]) -> Result<Tree, String> {
        let mut archive = Builder::new(Vec::new());
        for (kind, name, content) in entries {
            entry(&mut archive, *kind, name, content);
        }
        read(place, archive)
    }

    fn read(place: &Path, archive: Builder<Vec<u8>>) -> Result<Tree, String> {
        let archive = archive.into_inner().unwrap();
        let repository = Repository::public("https://git.example.com/shop.git").unwrap();
        let commit = CommitId(ObjectId::null(gix::hash::Kind::Sha1));
        tree(place, &repository, commit, &archive)
    }

    #[test]
    fn files_links_and_directories_are_as_git_would_have_them() {
        let place = tempfile::tempdir().unwrap();
        let entries = [
            (EntryType::Directory, "app/", ""),
            (EntryType::Regular, "./app/a.yaml", "a"),
            (EntryType::Symlink, "app/link", "../b.yaml"),
            (EntryType::Regular, "app.yaml", "x"),
            (EntryType::Regular, "b.yaml", "b"),
        ];
        let tree = sent(place.path(), &entries).unwrap();
        let names: Vec<String> = tree
            .entries(true)
            .unwrap()
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        assert_eq!(names, ["app.yaml", "app/a.yaml", "app/link", "b.yaml"]);
    }

    #[test]
    fn a_path_that_is_too_long_or_too_deep_is_refused() {
        let place = tempfile::tempdir().unwrap();
        for (path, problem) in [
            ("d/".repeat(100) + "a", "a path has more than 100 names"),
            ("d".repeat(5_000), "a path has more than 4096 bytes"),
        ] {
            let mut archive = Builder::new(Vec::new());
            let mut header = Header::new_gnu();
            header.set_size(0);
            archive
                .append_data(&mut header, &path, std::io::empty())
                .unwrap();
            let refused = read(place.path(), archive).err();
            assert_eq!(refused.as_deref(), Some(problem));
        }
    }

    #[test]
    fn what_leads_out_or_is_no_file_is_refused() {
        let file = EntryType::Regular;
        let place = tempfile::tempdir().unwrap();
        for (entries, problem) in [
            (
                &[(file, "../a.yaml", "")][..],
                "../a.yaml: expected a path inside the repository",
            ),
            (
                &[(file, "/etc/a.yaml", "")],
                "/etc/a.yaml: expected a path inside the repository",
            ),
            (
                &[(file, ".git/config", "")],
                ".git/config: expected a path inside the repository",
            ),
            (
                &[(file, "a/.git", "")],
                "a/.git: expected a path inside the repository",
            ),
            (
                &[(EntryType::Link, "a", "b")],
                "expected files, links and directories",
            ),
            (
                &[(EntryType::Fifo, "a", "")],
                "expected files, links and directories",
            ),
            (
                &[(file, "a", ""), (file, "a/b", "")],
                "a: is a file and a directory",
            ),
        ] {
            let refused = sent(place.path(), entries).err();
            assert_eq!(refused.as_deref(), Some(problem), "{entries:?}");
        }
    }
}
