//! Runs one program for one case in a folder of its own and notes everything that came of it.
//! Both programs find the very same place, one after the other, so that no path differs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::time::Duration;

use super::cases::Case;
use super::fixtures;

/// A program that takes this long has hung. It only costs time when a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How it ends when it doesn't.
const ENDLESS: &str = "never";

/// What a program did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) exit: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Every file that is there afterwards: permissions and content.
    pub(crate) files: BTreeMap<String, String>,
}

impl Outcome {
    /// Of a program that would never end, which is all that matters.
    pub(crate) fn endless(beside: &Self) -> Self {
        Self {
            exit: ENDLESS.to_owned(),
            ..beside.clone()
        }
    }
}

/// A folder in which the calls happen.
pub(crate) struct Bench {
    /// Where `files/` and `targets/` are.
    pub(crate) root: PathBuf,
    pub(crate) place: PathBuf,
    /// What every call has in its environment.
    pub(crate) environment: Vec<(String, String)>,
}

impl Bench {
    /// Runs `program`, which is named `kubeseal` whatever it is.
    pub(crate) fn run(&self, program: &Path, case: &Case) -> Outcome {
        let place = self.place.join("case");
        drop(fs::remove_dir_all(&self.place));
        fs::create_dir_all(place.join("tmp")).expect("a folder of our own");
        symlink(self.root.join("files"), place.join("files")).expect("a folder of our own");
        if case.line.mentions("targets") {
            fixtures::copy_targets(&self.root, &place);
        }
        fs::write(place.join("input"), &case.input).expect("a folder of our own");
        let exit = self.call(program, case, &place);
        Outcome {
            exit,
            stdout: read(&self.place.join("stdout")),
            stderr: read(&self.place.join("stderr")),
            files: files_below(&place),
        }
    }

    fn call(&self, program: &Path, case: &Case, place: &Path) -> String {
        let output = |name: &str| File::create(self.place.join(name)).expect("a folder of our own");
        let mut command = if case.terminal {
            on_a_terminal(program, &case.line.arguments)
        } else {
            let mut command = Command::new(program);
            command.arg0("kubeseal").args(&case.line.arguments);
            command
        };
        command.current_dir(place).env_clear();
        command
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", place)
            .env("TMPDIR", place.join("tmp"));
        let environment = self.environment.iter().chain(&case.line.environment);
        command.envs(environment.map(|(name, value)| (name, value)));
        command.stdin(File::open(place.join("input")).expect("a file of our own"));
        command.stdout(output("stdout")).stderr(output("stderr"));
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("start {}: {error}", program.display()));
        wait(child).map_or_else(|| ENDLESS.to_owned(), exit_of)
    }
}

/// The program on a terminal of its own, by util-linux's `script`. The terminal repeats nothing of the input: whether it gets to that
/// before a program ends that reads none of it is chance.
fn on_a_terminal(program: &Path, arguments: &[String]) -> Command {
    let words: Vec<String> = arguments.iter().map(|word| format!("'{word}'")).collect();
    let line = format!("exec {} {}", program.display(), words.join(" "));
    let mut command = Command::new("script");
    let options = ["--quiet", "--return", "--echo", "never"];
    command
        .args(options)
        .args(["--command", &line, "/dev/null"]);
    command
}

/// `None` when it had to be killed.
fn wait(mut child: Child) -> Option<ExitStatus> {
    let pid = child.id().to_string();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || drop(sender.send(child.wait())));
    match receiver.recv_timeout(PATIENCE) {
        Ok(status) => Some(status.expect("a child can be waited for")),
        Err(_) => {
            drop(Command::new("kill").args(["-KILL", &pid]).status());
            None
        }
    }
}

fn exit_of(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, signal) => format!("signal {signal:?}"),
    }
}

fn read(path: &Path) -> String {
    text_of(&fs::read(path).expect("a file of our own"))
}

/// Bytes as text that can be compared and shown.
fn text_of(bytes: &[u8]) -> String {
    bytes.utf8_chunks().fold(String::new(), |mut text, chunk| {
        text += chunk.valid();
        for byte in chunk.invalid() {
            text += &format!("<byte {byte:02x}>");
        }
        text
    })
}

fn files_below(place: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![place.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of our own") {
            let path = entry.expect("an entry").path();
            let metadata = fs::symlink_metadata(&path).expect("a file of our own");
            let name = path
                .strip_prefix(place)
                .expect("below it")
                .display()
                .to_string();
            let mode = metadata.permissions().mode() & 0o777;
            if metadata.is_dir() {
                found.insert(format!("{name}/"), format!("{mode:o}"));
                folders.push(path);
            } else if metadata.is_file() {
                found.insert(name, format!("{mode:o}\n{}", read(&path)));
            }
        }
    }
    found
}
