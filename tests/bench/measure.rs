//! What a process costs: whole children by the kernel's own accounting, running ones by /proc, and what the controller counts
//! itself. Linux only.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

use super::harness::{Controller, Port, get};

/// Clock ticks a second in /proc/PID/stat; Linux has shown user space 100 since ever.
const TICKS: f64 = 100.0;

/// Series of the controller's metrics: looks at Applications, and how often Git servers were asked for refs, and for a commit.
pub(crate) const PASSES: &str = "signet_sync_passes_total";
pub(crate) const LISTINGS: &str = "signet_git_requests_total{request_type=\"ls-remote\"}";
pub(crate) const FETCHES: &str = "signet_git_requests_total{request_type=\"fetch\"}";

/// What several runs of one command cost.
#[derive(Debug)]
pub(crate) struct Cost {
    /// Median, seconds.
    pub(crate) wall: f64,
    /// User and system time of one run on average, seconds.
    pub(crate) cpu: f64,
    /// Largest peak, MiB.
    pub(crate) memory: f64,
}

/// Runs a command several times, after one run that isn't counted, with `input` on its standard input.
///
/// A small process of its own does it: a child's peak memory starts at that of the process which forks it.
pub(crate) fn runs(count: usize, input: &Path, command: &[&str]) -> Cost {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("measure")
        .arg(count.to_string())
        .arg(input)
        .args(command)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command:?} failed");
    let cost: Value = serde_json::from_slice(&output.stdout).unwrap();
    let walls = cost["wall"].as_array().unwrap();
    Cost {
        wall: super::table::median(walls.iter().filter_map(Value::as_f64).collect()),
        cpu: cost["cpu"].as_f64().unwrap(),
        memory: cost["memory"].as_f64().unwrap(),
    }
}

/// The other side of `runs`: `measure COUNT INPUT COMMAND…` prints what it cost as JSON.
pub(crate) fn child(mut args: impl Iterator<Item = String>) {
    let count: usize = args.next().unwrap().parse().unwrap();
    let input = args.next().unwrap();
    let command: Vec<String> = args.collect();
    run(&command, &input);
    let before = cpu_of_children();
    let walls: Vec<f64> = (0..count).map(|_| run(&command, &input)).collect();
    let cpu = (cpu_of_children() - before) / count as f64;
    let memory = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap().max_rss() as f64 / 1024.0;
    println!("{}", json!({ "wall": walls, "cpu": cpu, "memory": memory }));
}

fn run(command: &[String], input: &str) -> f64 {
    let start = Instant::now();
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdin(File::open(input).unwrap())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    let wall = start.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?}: {status}");
    wall
}

fn cpu_of_children() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds =
        |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    seconds(usage.user_time()) + seconds(usage.system_time())
}

/// User and system time of a running process until now, seconds.
pub(crate) fn cpu(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in brackets may hold blanks; the fields behind it don't.
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS
}

/// Peak memory of a running process until now, MiB.
pub(crate) fn peak_memory(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}

/// The running processes of this name.
pub(crate) fn pids(name: &str) -> Vec<u32> {
    let is_it = |pid: &u32| {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| {
            line.split('\0')
                .next()
                .is_some_and(|program| program.ends_with(name))
        })
    };
    let entries = fs::read_dir("/proc").unwrap();
    let pids = entries.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(is_it).collect()
}

/// A series of the controller's metrics; it is not there before there is something to count.
pub(crate) fn metric(controller: &Controller, series: &str) -> f64 {
    let (_, text) = get(&format!("{}/metrics", controller.url(Port::Metrics))).unwrap();
    let value = |line: &str| line.strip_prefix(series)?.trim().parse().ok();
    text.lines().find_map(value).unwrap_or(0.0)
}

/// The size of all files of a folder.
pub(crate) fn bytes_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(of) if of.is_dir() => bytes_below(&entry.path()),
        Ok(of) => of.len(),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
