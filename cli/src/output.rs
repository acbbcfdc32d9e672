//! Where results go: standard output, or a file that is whole or absent.
//! Must not know what it writes.

use std::fs::Permissions;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use crate::report;

/// Where a result goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Stdout,
    File(PathBuf),
}

/// Who may read a file that did not exist before. An existing file keeps its mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Sealed: made for Git.
    Everybody,
    /// Plain: only the user.
    Owner,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot write {}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot write standard output")]
    Stdout { source: io::Error },
}

impl Error {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("make its folder first".to_owned())
            }
            _ => None,
        }
    }
}

impl Output {
    /// No path and `-` are standard output.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        match path {
            Some(path) if path != Path::new("-") => Self::File(path.to_owned()),
            _ => Self::Stdout,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        *self == Self::Stdout && io::stdout().is_terminal()
    }

    /// Writes everything or nothing. A file is replaced by a rename after its content is on disk.
    pub(crate) fn write(&self, bytes: &[u8], readers: Readers) -> Result<(), Error> {
        match self {
            Self::Stdout => report::result(bytes).map_err(|source| Error::Stdout { source }),
            Self::File(path) => replace(path, bytes, readers).map_err(|source| Error::File {
                path: path.clone(),
                source,
            }),
        }
    }
}

/// Replaces a file by a rename after its content is on disk.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // A link keeps pointing at its file.
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let permissions = match std::fs::metadata(&path) {
        Ok(found) if !found.is_file() => return write_through(&path, bytes),
        Ok(found) => Some(found.permissions()),
        Err(_) => default_permissions(readers),
    };
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // A folder that is missing is said in the words of the system. The message of what else fails would name the
    // temporary file, of which the user knows nothing.
    std::fs::metadata(folder)?;
    let mut file = tempfile::Builder::new()
        .prefix(".signet-")
        .tempfile_in(folder)
        .map_err(|error| io::Error::from(error.kind()))?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    file.persist(&path)?;
    Ok(())
}

/// Writes what is never replaced: pipes and devices such as `/dev/null`, files that have to stay in place.
pub(crate) fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).truncate(true).open(path)?;
    file.write_all(bytes)
}

#[cfg(unix)]
fn default_permissions(readers: Readers) -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(match readers {
        Readers::Everybody => 0o644,
        Readers::Owner => 0o600,
    }))
}

/// Elsewhere a file belongs to its user, and inherits from its folder who else may read it.
#[cfg(not(unix))]
fn default_permissions(_: Readers) -> Option<Permissions> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path)
            .expect("the file exists")
            .permissions()
            .mode()
            & 0o777
    }

    #[test]
    fn a_new_file_is_readable_for_those_it_is_made_for_and_an_old_one_keeps_its_mode() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.yaml");
        let output = Output::File(path.clone());
        output.write(b"1", Readers::Owner).expect("written");
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).expect("set");
        output.write(b"2", Readers::Everybody).expect("written");
        assert_eq!(
            (mode(&path), std::fs::read(&path).expect("read")),
            (0o640, b"2".to_vec())
        );
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("listed").count(),
            1,
            "no temporary file stays"
        );
    }

    #[test]
    fn a_link_keeps_pointing_at_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "old").expect("written");
        std::os::unix::fs::symlink(&target, &link).expect("linked");
        Output::File(link.clone())
            .write(b"new", Readers::Everybody)
            .expect("written");
        assert_eq!(std::fs::read(&target).expect("read"), b"new");
        assert!(link.is_symlink());
    }
}
