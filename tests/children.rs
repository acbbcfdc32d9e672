//! Programs that try to get out of their confinement. `sh` stands for a program that does what an attacker wants:
//! it is given the system's programs to read, and nothing else beside its scratch folder.

#![allow(clippy::unwrap_used, reason = "a test that can't go on fails")]

#[path = "testbed/harness/eventually.rs"]
mod eventually;

use std::{
    ffi::OsString,
    fs,
    io::Read,
    net::TcpListener,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use controller::render::child::{Child, ChildError, Limits, Runner, Scratch};
use eventually::eventually;

const LAUNCHER: &str = env!("CARGO_BIN_EXE_signet-controller");
/// What Debian's and Fedora's `sh` need to run.
const SYSTEM: [&str; 6] = [
    "/bin",
    "/usr/bin",
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
];

/// A child and the place it lives in; `outside` is beside its scratch folder.
struct Prison {
    place: tempfile::TempDir,
    scratch: Scratch,
    limits: Limits,
    network: bool,
    devices: Vec<PathBuf>,
}

impl Prison {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let scratch = Scratch::create(place.path()).unwrap();
        fs::write(place.path().join("outside"), "hunter2").unwrap();
        Self {
            place,
            scratch,
            limits: Limits::default(),
            network: false,
            devices: Vec::new(),
        }
    }

    fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        let mut prison = Self::new();
        change(&mut prison.limits);
        prison
    }

    fn outside(&self) -> String {
        self.place.path().join("outside").display().to_string()
    }

    fn sh(&self, script: &str) -> Result<String, ChildError> {
        self.run("/bin/sh", script)
    }

    fn run(&self, shell: &str, script: &str) -> Result<String, ChildError> {
        let child = Child {
            program: Path::new(shell),
            arguments: ["-c", script].map(OsString::from).to_vec(),
            scratch: &self.scratch,
            directory: "",
            readable: SYSTEM
                .iter()
                .map(PathBuf::from)
                .chain(self.devices.clone())
                .collect(),
            network: self.network,
            landlocked: false,
        };
        let runner = Runner::launched_by(LAUNCHER.into(), self.limits);
        let output = runner.run(&child)?;
        Ok(String::from_utf8(output).unwrap().trim_end().to_owned())
    }

    /// The script fails, and its words are these.
    #[track_caller]
    fn refuses(&self, script: &str, words: &str) {
        let error = self.sh(script).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn what_a_child_prints_is_given_whole() {
    assert_eq!(Prison::new().sh("echo one; echo two").unwrap(), "one\ntwo");
}

#[test]
fn nothing_of_our_environment_is_in_a_childs() {
    let prison = Prison::new();
    // PWD, _ and the like are the shell's own.
    let names = prison
        .sh("/usr/bin/env -u PWD -u OLDPWD -u SHLVL -u _")
        .unwrap();
    let mut names: Vec<_> = names
        .lines()
        .filter_map(|line| line.split('=').next())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "TMPDIR"]);
    prison
        .sh(r#"echo x > "$HOME/x" && echo x > "$TMPDIR/x" && echo x > x"#)
        .unwrap();
}

#[test]
fn files_outside_are_out_of_reach() {
    let prison = Prison::new();
    symlink(prison.outside(), prison.scratch.tree().join("link")).unwrap();
    symlink("../../outside", prison.scratch.tree().join("relative")).unwrap();
    for way in [
        &*prison.outside(),
        "../../outside",
        "link",
        "relative",
        "/etc/passwd",
        "/proc/self/environ",
    ] {
        prison.refuses(&format!("cat {way}"), "Permission denied");
    }
    prison.refuses(
        &format!("echo x > {}", prison.outside()),
        "Permission denied",
    );
    prison.refuses("ls ../..", "Permission denied");
    prison.refuses("mkdir ../../x", "Permission denied");
    assert_eq!(fs::read_to_string(prison.outside()).unwrap(), "hunter2");
}

#[test]
fn the_memory_of_the_controller_is_out_of_reach() {
    let prison = Prison::new();
    let us = std::process::id();
    for file in ["mem", "environ", "maps"] {
        prison.refuses(&format!("head -c 1 /proc/{us}/{file}"), "Permission denied");
    }
    prison.refuses(&format!("ls /proc/{us}/fd/"), "Permission denied");
    prison.refuses(&format!("kill -0 {us}"), "ermitted");
}

#[test]
fn other_hosts_are_out_of_reach_unless_the_source_needs_them() {
    let mut prison = Prison::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let call = format!(
        "echo hello > /dev/tcp/127.0.0.1/{}",
        listener.local_addr().unwrap().port()
    );
    assert!(prison.run("/bin/bash", &call).is_err());
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());

    prison.network = true;
    prison.run("/bin/bash", &call).unwrap();
    let mut said = String::new();
    listener.set_nonblocking(false).unwrap();
    listener
        .accept()
        .unwrap()
        .0
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!(said, "hello\n");
}

#[test]
fn a_child_that_never_ends_is_stopped_with_all_that_it_started() {
    let prison = Prison::limited(|limits| limits.time = Duration::from_secs(1));
    let mark = "86399.25";
    let error = prison
        .sh(&format!(
            "for i in 1 2 3 4 5 6 7 8; do sleep {mark} & done; wait"
        ))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "sh did not end within 1 s and was stopped"
    );
    goes_away(mark);
}

#[test]
fn what_a_child_leaves_behind_is_stopped() {
    let mark = "86399.5";
    assert_eq!(
        Prison::new()
            .sh(&format!("sleep {mark} > /dev/null 2>&1 & echo done"))
            .unwrap(),
        "done"
    );
    goes_away(mark);
}

#[test]
fn output_without_end_is_stopped() {
    let prison = Prison::new();
    let error = prison.sh("yes | head -c 1000000000").unwrap_err();
    assert_eq!(
        error.to_string(),
        "sh wrote more than 10 MiB and was stopped"
    );
    // Words are read to their end, and only the beginning is kept.
    let error = prison
        .sh("yes 'Error: no' | head -c 100000000 >&2; exit 1")
        .unwrap_err();
    assert_eq!(error.to_string(), "sh failed: no");
}

#[test]
fn memory_processor_time_files_and_processes_are_limited() {
    let mut prison = Prison::limited(|limits| {
        limits.data = 64 << 20;
        limits.cpu_seconds = 1;
        limits.file_size = 1 << 20;
    });
    prison.devices.push("/dev/zero".into());
    prison.refuses("head -c 200000000 /dev/zero | tail", "memory");
    prison.refuses("while :; do :; done", "ended by signal");
    prison.refuses(
        "head -c 2000000 /dev/zero > x; test $(wc -c < x) -gt 1048576",
        "File size limit",
    );
    assert_eq!(prison.sh("ulimit -c").unwrap(), "0");
}

/// The kernel counts no processes of root, so root asks as somebody else.
#[test]
fn a_fork_bomb_runs_against_its_limit() {
    let script = "for i in $(seq 60); do sleep 3 & done";
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout == b"0\n" {
        let this = std::env::current_exe().unwrap();
        let place = tempfile::tempdir().unwrap();
        let copy = |from: &Path, name: &str| {
            let to = place.path().join(name);
            fs::copy(from, &to).unwrap();
            to
        };
        let (test, launcher) = (copy(&this, "test"), copy(Path::new(LAUNCHER), "launcher"));
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(place.path(), mode).unwrap();
        let status = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(test)
            .args(["--exact", "a_fork_bomb_runs_against_its_limit"])
            .env("LAUNCHER", launcher)
            .env("TMPDIR", "/tmp")
            .current_dir("/")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let launcher = std::env::var_os("LAUNCHER").map_or(LAUNCHER.into(), PathBuf::from);
    let prison = Prison::limited(|limits| {
        limits.processes = 20;
        limits.processes_of_user = 20;
    });
    let child = Child {
        program: Path::new("/bin/sh"),
        arguments: ["-c", script].map(OsString::from).to_vec(),
        scratch: &prison.scratch,
        directory: "",
        readable: SYSTEM.iter().map(PathBuf::from).collect(),
        network: false,
        landlocked: false,
    };
    let error = Runner::launched_by(launcher, prison.limits)
        .run(&child)
        .unwrap_err();
    assert!(error.to_string().contains("ork"), "{error}");
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let prison = Prison::new();
    let error = prison
        .run("/nowhere/kustomize", "")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("kustomize could not be started: No such file"),
        "{error}"
    );
}

/// A process that was killed is there until the kernel has put it away.
fn goes_away(mark: &str) {
    eventually("the process is gone", || match is_running(mark) {
        true => Err("it runs"),
        false => Ok(()),
    });
}

fn is_running(mark: &str) -> bool {
    let wanted = format!("sleep\0{mark}\0");
    let mut processes = fs::read_dir("/proc").unwrap().flatten();
    processes.any(|process| {
        let line = fs::read(process.path().join("cmdline"));
        line.is_ok_and(|line| line == wanted.as_bytes())
    })
}
