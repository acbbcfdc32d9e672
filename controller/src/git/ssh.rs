//! Git over ssh: the `ssh` program with nothing of a user's configuration, strict about whom it talks to.
//! It hands the program no key: the agent signs. What a server says is read for its meaning and never repeated.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use gix::protocol::transport::{
    Protocol,
    client::git::{ConnectMode, blocking_io::Connection},
};
use tempfile::TempDir;

use super::{
    GitError,
    agent::{Agent, Serving},
    failure,
    wire::{BoxedTransport, Way},
};
use crate::repositories::{HostKeys, Login, SigningKey, SshTarget, guard};

/// What `ssh` and the server say on standard error, as far as we look at it.
const HEARD: u64 = 16 << 10;
/// How long one of several addresses may take before the next is tried.
const PROBE: Duration = Duration::from_secs(5);
/// A connection without a sign of life ends after three of these.
const ALIVE: Duration = Duration::from_secs(15);

/// One running `ssh`; it ends when this goes.
pub(super) struct Session {
    child: Arc<Mutex<Child>>,
    host: String,
    heard: Option<JoinHandle<Vec<u8>>>,
    overdue: Arc<AtomicBool>,
    /// Its end is the sign for the deadline's thread to go.
    _deadline: mpsc::Sender<()>,
    _agent: Option<Serving>,
    _folder: TempDir,
}

impl Session {
    /// Starts `ssh` towards `target`.
    pub(super) fn start(
        way: &Way<'_>,
        target: SshTarget,
    ) -> Result<(Self, BoxedTransport), GitError> {
        let address = address(way, &target)?;
        let ours = |error: io::Error| way.mirror_error(&error);
        let folder = tempfile::Builder::new()
            .prefix("ssh-")
            .tempdir_in(way.place)
            .map_err(ours)?;
        let mut command = command(way, &target, address, folder.path()).map_err(ours)?;
        let agent = match &way.repository.access.login {
            Login::SshKey(key) => {
                Some((offer(&mut command, folder.path(), key).map_err(ours)?, key))
            }
            _ => None,
        };
        command.arg("--").arg(&target.host);
        command.arg(format!("git-upload-pack {}", quoted(&target.path)));
        let mut child = command.spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => GitError::NoSshProgram {
                url: way.repository.url.to_string(),
            },
            _ => ours(error),
        })?;
        let agent = agent
            .map(|(agent, key)| agent.serve(key.clone(), child.id()))
            .transpose();
        let agent = agent.map_err(ours)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ours(io::ErrorKind::BrokenPipe.into()));
        };
        let transport = Connection::new(
            way.limited(stdout),
            stdin,
            Protocol::V2,
            target.path.as_str(),
            None::<(String, Option<u16>)>,
            ConnectMode::Process,
            false,
        );
        let child = Arc::new(Mutex::new(child));
        let overdue = Arc::new(AtomicBool::new(false));
        let session = Self {
            _deadline: deadline(&child, &overdue, way.limits.whole),
            child,
            host: target.host,
            heard: Some(thread::spawn(move || hear(stderr))),
            overdue,
            _agent: agent,
            _folder: folder,
        };
        Ok((session, Box::new(transport)))
    }

    /// Why it failed, as far as `ssh` tells; to be asked once it has.
    pub(super) fn why(&mut self, way: &Way<'_>) -> Option<GitError> {
        if self.overdue.load(Ordering::Relaxed) {
            return Some(way.timed_out(way.limits.whole));
        }
        // What it has to say comes before its end; one that goes on is ended.
        end(&self.child, PATIENCE);
        let heard = self.heard.take()?.join().unwrap_or_default();
        failure::of_ssh(way.repository, &self.host, &String::from_utf8_lossy(&heard))
    }
}

/// How long an `ssh` may take to end by itself once the conversation has failed.
const PATIENCE: Duration = Duration::from_secs(2);

impl Drop for Session {
    fn drop(&mut self) {
        end(&self.child, Duration::ZERO);
    }
}

/// Waits for the end of `child` as long as `patience`, then ends it.
fn end(child: &Mutex<Child>, patience: Duration) {
    const STEP: Duration = Duration::from_millis(20);
    let mut waited = Duration::ZERO;
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    while waited < patience && matches!(child.try_wait(), Ok(None)) {
        thread::sleep(STEP);
        waited += STEP;
    }
    // Gone already is as good.
    drop(child.kill());
    drop(child.wait());
}

/// Ends `child` after `limit`, unless the sender goes before.
fn deadline(
    child: &Arc<Mutex<Child>>,
    overdue: &Arc<AtomicBool>,
    limit: Duration,
) -> mpsc::Sender<()> {
    let (sender, receiver) = mpsc::channel();
    let (child, overdue) = (Arc::clone(child), Arc::clone(overdue));
    thread::spawn(move || {
        if receiver.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout) {
            overdue.store(true, Ordering::Relaxed);
            let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
            drop(child.kill());
        }
    });
    sender
}

fn hear(stderr: ChildStderr) -> Vec<u8> {
    use io::Read;
    let mut heard = Vec::new();
    let mut stderr = stderr.take(HEARD);
    // As much as came is what there is.
    drop(stderr.read_to_end(&mut heard));
    drop(io::copy(&mut stderr.into_inner(), &mut io::sink()));
    heard
}

/// The address to connect to: looked at here, so that `ssh` resolves nothing by itself.
fn address(way: &Way<'_>, target: &SshTarget) -> Result<IpAddr, GitError> {
    let found = (target.host.as_str(), target.port)
        .to_socket_addrs()
        .map_err(|_| way.unreachable("the host name does not resolve"))?;
    let addresses: Vec<SocketAddr> = match way.repository.access.allow_local_addresses {
        true => found.collect(),
        false => guard::permitted(&target.host, found)
            .map_err(|local| failure::local_address(way.repository, &local))?,
    };
    let reachable = |address: &&SocketAddr| TcpStream::connect_timeout(address, PROBE).is_ok();
    let first = match addresses.len() {
        0 | 1 => addresses.first(),
        _ => addresses.iter().find(reachable).or(addresses.first()),
    };
    first
        .map(SocketAddr::ip)
        .ok_or_else(|| way.unreachable("the host name does not resolve"))
}

/// `ssh` with its options, up to the host.
fn command(
    way: &Way<'_>,
    target: &SshTarget,
    address: IpAddr,
    folder: &Path,
) -> io::Result<Command> {
    let mut command = Command::new("ssh");
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .envs([("LC_ALL", "C"), ("GIT_PROTOCOL", "version=2")])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .args(["-F", "/dev/null", "-T", "-a", "-x"])
        .arg(format!("-p{}", target.port))
        .args(["-l", &target.user]);
    // An alias of its own keeps host keys bound to the name, though an address is connected to.
    let alias = match target.port {
        22 => target.host.clone(),
        port => format!("[{}]:{port}", target.host),
    };
    let known = match &way.repository.access.host_keys {
        HostKeys::Known(keys) => {
            let file = folder.join("known_hosts");
            fs::write(&file, keys.as_bytes())?;
            [
                "StrictHostKeyChecking=yes".to_owned(),
                path_option("UserKnownHostsFile", &file),
            ]
        }
        HostKeys::Any => {
            ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"].map(str::to_owned)
        }
    };
    let own = [
        format!("HostName={address}"),
        format!("HostKeyAlias={alias}"),
        format!("ConnectTimeout={}", way.limits.idle.as_secs().max(1)),
        format!("ServerAliveInterval={}", ALIVE.as_secs()),
    ];
    for option in FIXED.into_iter().map(str::to_owned).chain(known).chain(own) {
        command.arg("-o").arg(option);
    }
    Ok(command)
}

/// No question, no password, nothing forwarded, nothing remembered, no word but of errors.
const FIXED: [&str; 17] = [
    "BatchMode=yes",
    "CheckHostIP=no",
    "ClearAllForwardings=yes",
    "ConnectionAttempts=1",
    "ControlMaster=no",
    "ControlPath=none",
    "GlobalKnownHostsFile=/dev/null",
    "IdentitiesOnly=yes",
    "KbdInteractiveAuthentication=no",
    "LogLevel=ERROR",
    "PasswordAuthentication=no",
    "PermitLocalCommand=no",
    "PreferredAuthentications=publickey",
    "ProxyCommand=none",
    "SendEnv=GIT_PROTOCOL",
    "ServerAliveCountMax=3",
    "UpdateHostKeys=no",
];

/// Tells `ssh` of the key by its public half, and of the agent that has the other one.
fn offer(command: &mut Command, folder: &Path, key: &SigningKey) -> io::Result<Agent> {
    let file = folder.join("key.pub");
    fs::write(
        &file,
        format!("{} {}\n", key.kind(), STANDARD.encode(key.public())),
    )?;
    let agent = Agent::listen(folder)?;
    command.arg("-o").arg(path_option("IdentityFile", &file));
    command
        .arg("-o")
        .arg(path_option("IdentityAgent", &agent.socket));
    Ok(agent)
}

/// Paths of options are words in quotes, in which `%` begins a token.
fn path_option(option: &str, path: &Path) -> String {
    format!(
        "{option}=\"{}\"",
        path.display().to_string().replace('%', "%%")
    )
}

/// `path` as one word for the server's shell.
fn quoted(path: &str) -> String {
    format!("'{}'", path.replace('\'', "'\\''").replace('!', "'\\!'"))
}
