//! The real `sshd` for tests, with keys and a configuration of its own, for the user that runs the tests.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::eventually::eventually;

const PROGRAM: &str = "/usr/sbin/sshd";

pub(crate) struct Sshd {
    pub(crate) port: u16,
    folder: TempDir,
    child: Child,
}

impl Sshd {
    /// An `sshd` that lets in whoever has one of the private keys made by [`Self::key`].
    pub(crate) fn start() -> Self {
        assert!(
            Path::new(PROGRAM).exists(),
            "{PROGRAM} is missing: install openssh-server, or run tests/run as root on Debian"
        );
        let folder = tempfile::tempdir().unwrap();
        keygen(folder.path(), "host", &["-t", "ed25519"]);
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = |name: &str| folder.path().join(name).display().to_string();
        fs::write(at("authorized_keys"), "").unwrap();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nAcceptEnv GIT_PROTOCOL\nMaxAuthTries 3\n",
            at("host"),
            at("authorized_keys")
        );
        fs::write(at("config"), config).unwrap();
        // Where its unprivileged half lives; only root has one, and makes the folder at boot.
        let _ = fs::create_dir_all("/run/sshd");
        let child = Command::new(PROGRAM)
            .args(["-D", "-e", "-f", &at("config")])
            .stdin(Stdio::null())
            .stderr(fs::File::create(at("log")).unwrap())
            .spawn()
            .unwrap();
        let sshd = Self {
            port,
            folder,
            child,
        };
        sshd.await_start();
        sshd
    }

    fn await_start(&self) {
        eventually("sshd listens", || {
            let connected = TcpStream::connect(("127.0.0.1", self.port));
            connected.map_err(|error| format!("{error}: {}", self.log()))
        });
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A new private key that opens this server, made by `ssh-keygen` with these arguments.
    pub(crate) fn key(&self, args: &[&str]) -> String {
        let path = keygen(self.folder.path(), &format!("key{}", args.join("")), args);
        let public = fs::read_to_string(path.with_extension("pub")).unwrap();
        let authorized = self.folder.path().join("authorized_keys");
        let so_far = fs::read_to_string(&authorized).unwrap();
        fs::write(authorized, so_far + &public).unwrap();
        fs::read_to_string(path).unwrap()
    }

    /// The line of `known_hosts` for this server.
    pub(crate) fn host_key(&self) -> String {
        let public = fs::read_to_string(self.folder.path().join("host.pub")).unwrap();
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    /// The URL of the repository in the folder `bare`.
    pub(crate) fn url(&self, bare: &Path) -> String {
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        format!(
            "ssh://{}@127.0.0.1:{}{}",
            user.trim(),
            self.port,
            bare.display()
        )
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key pair at `folder/name` and `folder/name.pub`.
pub(crate) fn keygen(folder: &Path, name: &str, args: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "tester", "-f"])
        .arg(&path)
        .args(args)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    path
}
