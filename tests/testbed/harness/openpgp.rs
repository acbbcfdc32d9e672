//! OpenPGP keys for tests, made by the real `gpg`, each in a home of its own whose agent goes with it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

pub(crate) struct OpenPgp {
    home: tempfile::TempDir,
    /// The last 16 digits of its fingerprint.
    pub(crate) id: String,
}

impl OpenPgp {
    pub(crate) fn create() -> Self {
        let home = tempfile::tempdir().expect("a folder that only we can enter");
        let user = "Ann <ann@a.example>";
        let make = ["--quick-generate-key", user, "ed25519", "sign", "never"];
        gpg(home.path(), &[&["--passphrase", ""], &make[..]].concat());
        let listed = gpg(home.path(), &["--with-colons", "--list-keys"]);
        let line = listed.lines().find(|line| line.starts_with("pub:"));
        let id = line.and_then(|line| line.split(':').nth(4));
        let id = id.expect("gpg lists the key").to_owned();
        Self { home, id }
    }

    /// The public key, armoured.
    pub(crate) fn public(&self) -> String {
        gpg(self.home.path(), &["--armor", "--export"])
    }

    /// The program that `gpg.program` of git names, so that it signs with this key.
    pub(crate) fn program(&self) -> String {
        let program = self.home.path().join("sign");
        let home = self.home.path().display();
        let script = format!("#!/bin/sh\nexec gpg --homedir {home} --batch \"$@\"\n");
        fs::write(&program, script).expect("the folder is writable");
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&program, mode).expect("the file is ours");
        program.display().to_string()
    }
}

impl Drop for OpenPgp {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.arg("--homedir").arg(self.home.path());
        // One that does not go ends when its folder is gone.
        drop(command.args(["--kill", "gpg-agent"]).status());
    }
}

fn gpg(home: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("gpg");
    command.arg("--homedir").arg(home);
    let output = command
        .args(["--batch", "--quiet"])
        .args(arguments)
        .output();
    let output = output.expect("gpg is installed");
    assert!(
        output.status.success(),
        "gpg {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("gpg writes text")
}
