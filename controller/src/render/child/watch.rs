//! Watches a running child: reads what it writes, and ends it with all its processes when it overstays a limit.
//! Whatever happens, no process of its group is left when this returns.

use std::{
    io,
    os::unix::process::ExitStatusExt,
    process::{Child as Process, ChildStderr, ChildStdout, ExitStatus},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::{
        signal::{Signal, killpg},
        wait::{Id, WaitPidFlag, waitid},
    },
    unistd::Pid,
};

use super::{
    error::Why,
    launcher::NOT_STARTED,
    limits::Limits,
    streams::{self, Stream},
};

/// What of standard error is kept: errors begin with what matters.
const WORDS: usize = 64 * 1024;
/// After the kill its pipes close at once, unless a process left the group; then they are left behind.
const AFTER_KILL: Duration = Duration::from_secs(5);

enum Event {
    Output(io::Result<Stream>),
    Words(io::Result<Stream>),
    Ended(io::Result<ExitStatus>),
}

#[derive(Default)]
struct Seen {
    output: Option<Vec<u8>>,
    words: Option<String>,
    status: Option<ExitStatus>,
}

impl Seen {
    fn all(&self) -> bool {
        self.output.is_some() && self.words.is_some() && self.status.is_some()
    }
}

pub(super) fn watch(mut process: Process, limits: &Limits) -> Result<Vec<u8>, Why> {
    let group = Arc::new(Group::of(&process));
    let (tell, events) = channel();
    if let (Some(output), Some(words)) = (process.stdout.take(), process.stderr.take()) {
        read(output, words, limits.output, &tell);
    }
    let reaper = Arc::clone(&group);
    thread::spawn(move || {
        let _ = tell.send(Event::Ended(reaper.reap(process)));
    });
    let mut seen = Seen::default();
    let followed = follow(&events, Instant::now() + limits.time, limits, &mut seen);
    if followed.is_err() {
        group.end();
        let _ = follow(&events, Instant::now() + AFTER_KILL, limits, &mut seen);
    }
    followed.and_then(|()| judge(seen))
}

/// The processes of a child, by the number of their leader: it means nobody else until the leader is reaped.
struct Group {
    leader: Pid,
    reaped: Mutex<bool>,
}

impl Group {
    fn of(process: &Process) -> Self {
        Self {
            leader: Pid::from_raw(process.id().cast_signed()),
            reaped: Mutex::default(),
        }
    }

    fn end(&self) {
        let reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        if !*reaped {
            // It may be gone already.
            let _ = killpg(self.leader, Signal::SIGKILL);
        }
    }

    /// Waits for the leader, ends what it left behind, and only then takes its number out of use.
    fn reap(&self, mut process: Process) -> io::Result<ExitStatus> {
        waitid(
            Id::Pid(self.leader),
            WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT,
        )?;
        self.end();
        let mut reaped = self.reaped.lock().unwrap_or_else(PoisonError::into_inner);
        *reaped = true;
        process.wait()
    }
}

fn read(output: ChildStdout, words: ChildStderr, limit: usize, tell: &Sender<Event>) {
    let (of_output, of_words) = (tell.clone(), tell.clone());
    thread::spawn(move || {
        let _ = of_output.send(Event::Output(streams::read(output, limit)));
    });
    thread::spawn(move || {
        let _ = of_words.send(Event::Words(streams::read_beginning(words, WORDS)));
    });
}

/// Takes events until all is seen.
fn follow(
    events: &Receiver<Event>,
    end: Instant,
    limits: &Limits,
    seen: &mut Seen,
) -> Result<(), Why> {
    let broken = |error: io::Error| Why::NotStarted(error.to_string());
    while !seen.all() {
        match events.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Event::Output(Ok(Stream::Whole(bytes)))) => seen.output = Some(bytes),
            Ok(Event::Output(Ok(Stream::Cut(bytes)))) => {
                seen.output = Some(bytes);
                return Err(Why::TooMuch(limits.output));
            }
            Ok(Event::Words(Ok(Stream::Whole(bytes) | Stream::Cut(bytes)))) => {
                seen.words = Some(String::from_utf8_lossy(&bytes).into_owned());
            }
            Ok(Event::Ended(Ok(status))) => seen.status = Some(status),
            Ok(Event::Output(Err(error)) | Event::Words(Err(error)) | Event::Ended(Err(error))) => {
                return Err(broken(error));
            }
            Err(RecvTimeoutError::Timeout) => return Err(Why::Overdue(limits.time)),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(broken(io::ErrorKind::BrokenPipe.into()));
            }
        }
    }
    Ok(())
}

fn judge(seen: Seen) -> Result<Vec<u8>, Why> {
    let words = seen.words.unwrap_or_default();
    let Some(status) = seen.status else {
        return Err(Why::Failed(words));
    };
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(seen.output.unwrap_or_default()),
        (Some(code), _) if code == i32::from(NOT_STARTED) => {
            Err(Why::NotStarted(words.trim().to_owned()))
        }
        (_, Some(signal)) => Err(Why::Killed(signal)),
        _ => Err(Why::Failed(words)),
    }
}
