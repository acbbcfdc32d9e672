//! Where this process keeps its mirrors: a directory of its own below the data directory, removed when it ends.
//! It never touches what a living process or somebody else keeps there.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
};

use tempfile::TempDir;

const PARENT: &str = "git";
const PREFIX: &str = "process-";
const LOCK: &str = "lock";

/// A directory of this process alone; its lock ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Place {
    directory: TempDir,
    _lock: File,
}

impl Place {
    /// Makes a place below `data_dir`, and removes those of processes that are gone: nothing half-written is ever reused.
    pub(super) fn claim(data_dir: &Path) -> io::Result<Self> {
        let parent = data_dir.join(PARENT);
        fs::create_dir_all(&parent)?;
        let one_at_a_time = File::create(parent.join(LOCK))?;
        one_at_a_time.lock()?;
        for entry in fs::read_dir(&parent)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PREFIX) {
                // A process that ends just now removes its own; what stays costs space only.
                if let Err(error) = remove_if_dead(&entry.path()) {
                    tracing::debug!(%error, directory = %entry.path().display(), "old mirrors stay");
                }
            }
        }
        let directory = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir_in(&parent)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.lock()?;
        Ok(Self {
            directory,
            _lock: lock,
        })
    }

    /// A place in the system's temporary directory, readable by us alone.
    pub(super) fn temporary() -> io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("signet-git-").tempdir()?;
        let lock = File::create(directory.path().join(LOCK))?;
        Ok(Self {
            directory,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn remove_if_dead(directory: &Path) -> io::Result<()> {
    let lock = match File::open(directory.join(LOCK)) {
        Ok(lock) => lock,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::remove_dir_all(directory);
        }
        Err(error) => return Err(error),
    };
    match lock.try_lock() {
        Ok(()) => fs::remove_dir_all(directory),
        Err(TryLockError::WouldBlock) => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_dead_process_is_removed_and_that_of_a_living_one_is_not() {
        let data = tempfile::tempdir().unwrap();
        let living = Place::claim(data.path()).unwrap();
        let dead = data.path().join(PARENT).join("process-dead");
        fs::create_dir_all(dead.join("store-x")).unwrap();
        File::create(dead.join(LOCK)).unwrap();
        let foreign = data.path().join(PARENT).join("mine");
        fs::create_dir(&foreign).unwrap();
        let own = Place::claim(data.path()).unwrap();
        assert!(living.path().exists() && own.path().exists() && foreign.exists());
        assert!(!dead.exists());
        let path = own.path().to_owned();
        drop(own);
        assert!(!path.exists());
    }
}
