//! The files of a checkout as a controller takes them: what is tracked, and what is not yet but would be by `git add`.
//! Must not change anything, nor follow a link.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tar::{Builder, EntryType, Header};

/// Bytes of the archive.
const LARGEST: usize = 16 << 20;
/// How git marks what it tracks and a sparse checkout lacks.
const SPARSE: u8 = b'S';

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{} can't be sent: it can't be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot run git to list the files of {}", path.display())]
    Git { path: PathBuf, source: io::Error },
    #[error("git does not list the files of {}: {said}", path.display())]
    Refused { path: PathBuf, said: String },
    #[error("the checkout {} is sparse: {} is not in it", path.display(), file.display())]
    Sparse { path: PathBuf, file: PathBuf },
    #[error("{} can't be sent: it is neither a file nor a link", path.display())]
    Odd { path: PathBuf },
    #[error("the files of {} have more than {} MiB", path.display(), LARGEST >> 20)]
    TooLarge { path: PathBuf },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::TooLarge { .. } => Some(
                "only files that git tracks, or would add, are sent: list in .gitignore what does not belong there"
                    .to_owned(),
            ),
            Self::Git { .. } => Some("is git installed?".to_owned()),
            Self::Sparse { .. } => {
                Some("`git sparse-checkout disable` checks everything out".to_owned())
            }
            Self::Read { .. } | Self::Refused { .. } | Self::Odd { .. } => None,
        }
    }
}

/// The checkout that a folder is in, as a tar archive; where there is none, the folder itself.
pub(crate) fn archive(folder: &Path) -> Result<Vec<u8>, Error> {
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    };
    let folder = folder.canonicalize().map_err(read(folder))?;
    let is_root = |folder: &&Path| folder.join(".git").exists();
    let root = folder.ancestors().find(is_root);
    let mut files = Vec::new();
    match root {
        Some(root) => tracked(root, Path::new(""), &mut files)?,
        None => all(&folder, Path::new(""), &mut files)?,
    }
    let root = root.unwrap_or(&folder);
    files.sort();
    files.dedup();
    let mut builder = Builder::new(Vec::new());
    for name in files {
        let path = root.join(&name);
        // What is tracked may be deleted.
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            metadata => metadata.map_err(read(&path))?,
        };
        if !metadata.is_file() && !metadata.is_symlink() {
            return Err(Error::Odd { path });
        }
        let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
        if builder.get_ref().len().saturating_add(size) > LARGEST {
            return Err(Error::TooLarge {
                path: root.to_owned(),
            });
        }
        append(&mut builder, &path, &name, &metadata).map_err(read(&path))?;
    }
    builder.into_inner().map_err(read(root))
}

fn append(
    builder: &mut Builder<Vec<u8>>,
    path: &Path,
    name: &Path,
    metadata: &Metadata,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(metadata.permissions().mode() & 0o755);
    if metadata.is_symlink() {
        header.set_entry_type(EntryType::Symlink);
        header.set_size(0);
        return builder.append_link(&mut header, name, fs::read_link(path)?);
    }
    let content = fs::read(path)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(content.len() as u64);
    builder.append_data(&mut header, name, content.as_slice())
}

/// What git tracks or would add below `root`, submodules included; names begin with `below`.
fn tracked(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["ls-files", "-z", "-t"]);
    let listed = command.args(["--cached", "--others", "--exclude-standard"]);
    let listed = listed.output().map_err(|source| Error::Git {
        path: root.to_owned(),
        source,
    })?;
    if !listed.status.success() {
        return Err(Error::Refused {
            path: root.to_owned(),
            said: String::from_utf8_lossy(&listed.stderr).trim().to_owned(),
        });
    }
    let lines = listed.stdout.split(|byte| *byte == 0);
    // Each is a mark, a space and a name.
    for (mark, name) in lines.filter_map(|line| line.split_at_checked(2)) {
        let name = Path::new(OsStr::from_bytes(name));
        let (path, name) = (root.join(name), below.join(name));
        if mark[0] == SPARSE {
            return Err(Error::Sparse {
                path: root.to_owned(),
                file: name,
            });
        }
        match path.is_dir() && !path.is_symlink() {
            true if path.join(".git").exists() => tracked(&path, &name, found)?,
            // A submodule that is not checked out.
            true => {}
            false => found.push(name),
        }
    }
    Ok(())
}

/// All files below `root`; names begin with `below`.
fn all(root: &Path, below: &Path, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let read = |source| Error::Read {
        path: root.to_owned(),
        source,
    };
    for entry in fs::read_dir(root).map_err(read)? {
        let entry = entry.map_err(read)?;
        let name = below.join(entry.file_name());
        match entry.file_type().map_err(read)?.is_dir() {
            true => all(&entry.path(), &name, found)?,
            false => found.push(name),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden_errors::assert_said;

    fn names(folder: &Path) -> Vec<String> {
        let archive = archive(folder).expect("an archive");
        let mut archive = tar::Archive::new(archive.as_slice());
        let entries = archive.entries().expect("entries");
        let name = |entry: tar::Entry<'_, _>| entry.path().expect("a path").display().to_string();
        entries
            .map(|entry| name(entry.expect("an entry")))
            .collect()
    }

    fn git(folder: &Path, args: &[&str]) {
        let done = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(args)
            .output();
        assert!(done.expect("git runs").status.success(), "{args:?}");
    }

    #[test]
    fn what_git_would_have_of_a_checkout_is_sent_from_wherever_in_it_one_stands() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        git(root, &["init", "--quiet"]);
        fs::create_dir(root.join("app")).expect("made");
        for (name, text) in [
            ("app/a.yaml", "a"),
            ("b.yaml", "b"),
            (".gitignore", "*.log\n"),
            ("x.log", "x"),
        ] {
            fs::write(root.join(name), text).expect("written");
        }
        git(root, &["add", "b.yaml"]);
        std::os::unix::fs::symlink("../b.yaml", root.join("app/link")).expect("linked");
        let expected = [".gitignore", "app/a.yaml", "app/link", "b.yaml"];
        assert_eq!(names(&root.join("app")), expected);
        fs::remove_file(root.join("b.yaml")).expect("removed");
        assert_eq!(names(root), &expected[..3]);
    }

    #[test]
    fn what_a_sparse_checkout_lacks_is_not_taken_for_deleted() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        git(root, &["init", "--quiet"]);
        fs::write(root.join("a.yaml"), "a").expect("written");
        git(root, &["add", "a.yaml"]);
        git(root, &["update-index", "--skip-worktree", "a.yaml"]);
        fs::remove_file(root.join("a.yaml")).expect("removed");
        assert!(matches!(archive(root), Err(Error::Sparse { .. })));
    }

    #[test]
    fn of_a_folder_that_is_no_checkout_everything_is_sent() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("app")).expect("made");
        fs::write(folder.path().join("app/a.yaml"), "a").expect("written");
        assert_eq!(names(folder.path()), ["app/a.yaml"]);
    }

    #[test]
    fn what_can_not_be_sent_is_said() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = fs::File::create(folder.path().join("large")).expect("made");
        file.set_len(LARGEST as u64 + 1).expect("grown");
        assert!(matches!(
            archive(folder.path()),
            Err(Error::TooLarge { .. })
        ));
        let path = || PathBuf::from("config");
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let said = "fatal: detected dubious ownership".to_owned();
        let errors = [
            Error::Read {
                path: path(),
                source: missing(),
            },
            Error::Git {
                path: path(),
                source: missing(),
            },
            Error::Refused { path: path(), said },
            Error::Sparse {
                path: path(),
                file: "app/a.yaml".into(),
            },
            Error::Odd { path: path() },
            Error::TooLarge { path: path() },
        ];
        assert_said(
            "checkout",
            &errors
                .each_ref()
                .map(|error| error as &dyn std::error::Error),
        );
    }
}
