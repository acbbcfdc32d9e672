//! A volume of a few megabytes, in memory, that a test fills and makes room on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Testbed, run, unique};

/// A mounted volume. Dropping it takes it away, also while a program still uses it.
#[derive(Debug)]
pub(crate) struct Volume(PathBuf);

impl Volume {
    /// A volume of this size, as `mount` takes it: `2m`.
    #[track_caller]
    pub(crate) fn of(size: &str) -> Self {
        let volume = Self(Testbed::get().path(&format!("volume-{}", unique())));
        fs::create_dir(&volume.0).expect("the testbed's folder is writable");
        volume.mount(&format!("size={size}"));
        volume
    }

    /// Where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it larger.
    #[track_caller]
    pub(crate) fn grow(&self, size: &str) {
        self.mount(&format!("remount,size={size}"));
    }

    /// Fills it to the last byte.
    #[track_caller]
    pub(crate) fn fill(&self) {
        let blocks = vec![0; 64 << 20];
        fs::write(self.ballast(), blocks).expect_err("the volume is smaller than that");
    }

    /// Takes off again what filled it.
    #[track_caller]
    pub(crate) fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("it was filled before");
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    fn mount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "signet-test"]);
        run(mount.arg(&self.0), None).success();
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        // The controller may still be there, and a failed test must not fail twice.
        drop(Command::new("umount").arg("--lazy").arg(&self.0).status());
    }
}
