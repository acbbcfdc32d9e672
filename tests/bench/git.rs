//! The real git beside the controller: how long it takes, what its server was asked, and a repository with a long history.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use super::harness::Testbed;

/// 512 commits with a file of 4 MiB each: 2 GiB.
const COMMITS: u32 = 512;
const FILE: usize = 4 << 20;

/// Seconds that git takes for this in `directory`.
pub(crate) fn timed(directory: &Path, args: &[&str]) -> f64 {
    let start = Instant::now();
    let output = Command::new("git")
        .args(args)
        .current_dir(directory)
        .output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {errors}");
    start.elapsed().as_secs_f64()
}

/// Requests to the Git server of repositories whose names begin so.
pub(crate) fn requests(testbed: &Testbed, of: &str) -> usize {
    let journal = fs::read_to_string(testbed.path("logs/git.log")).unwrap();
    let is_one = |line: &&str| {
        line.split_once(" /")
            .is_some_and(|(_, rest)| rest.starts_with(of))
    };
    journal.lines().filter(is_one).count()
}

/// Gives the bare repository a branch `main` with 2 GiB of history and `file` alone at its tip.
pub(crate) fn import_history(bare: &Path, file: &str, text: &str) {
    let mut import = Command::new("git")
        .args(["-c", "core.compression=0", "fast-import", "--quiet"])
        .arg("--depth=0")
        .current_dir(bare)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stream = io::BufWriter::new(import.stdin.take().unwrap());
    write_history(&mut stream, file, text).unwrap();
    drop(stream);
    assert!(import.wait().unwrap().success(), "git fast-import failed");
}

fn write_history(stream: &mut impl Write, file: &str, text: &str) -> io::Result<()> {
    let mut asset = noise();
    for number in 0..COMMITS {
        // No two are alike, and without deltas each takes its whole size.
        asset[..4].copy_from_slice(&number.to_le_bytes());
        begin_commit(stream, number)?;
        data(stream, &format!("asset-{}.bin", number % 8), &asset)?;
    }
    begin_commit(stream, COMMITS)?;
    writeln!(stream, "deleteall")?;
    data(stream, file, text.as_bytes())
}

fn begin_commit(stream: &mut impl Write, number: u32) -> io::Result<()> {
    let time = 1_700_000_000 + number;
    write!(
        stream,
        "commit refs/heads/main\ncommitter Bench <bench@example.com> {time} +0000\ndata 7\nanother\n"
    )
}

fn data(stream: &mut impl Write, path: &str, bytes: &[u8]) -> io::Result<()> {
    write!(stream, "M 100644 inline {path}\ndata {}\n", bytes.len())?;
    stream.write_all(bytes)?;
    writeln!(stream)
}

/// Bytes that do not compress, the same in every run (xorshift).
fn noise() -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let words = (0..FILE / 8).flat_map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.collect()
}
