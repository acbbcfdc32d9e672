//! Which SealedSecret is next: new ones before those of the first list, failed ones after a pause, each name once.
//! It must not read a clock or the cluster, and holds no more objects than it must.

mod pauses;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use crds::SealedSecret;

use self::pauses::Repairs;
use super::{Hints, ObjectName};

/// Objects that wait in memory; further ones are fetched when it is their turn. 512 of a usual size are some 2 MB.
const HELD: usize = 512;
/// The SealedSecrets that exist, and what is to be done with them.
#[derive(Debug)]
pub struct Queue {
    policy: Policy,
    entries: HashMap<ObjectName, Entry>,
    /// Newest last, and taken first: one that comes while thousands wait is not the last to be served.
    fresh: Vec<ObjectName>,
    backlog: VecDeque<ObjectName>,
    waiting: BTreeSet<(Instant, ObjectName)>,
    held: usize,
    secrets_are_listed: bool,
    /// Jobs so far.
    jobs: u64,
}

/// What is up to the user.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Failures after which the pause is the longest.
    pub quick_retries: u32,
    /// Secrets in effect are put right when somebody edits them.
    pub self_heal: bool,
}

#[derive(Debug, Default)]
struct Entry {
    state: State,
    /// The object as it was announced; fetched when absent.
    object: Option<Box<SealedSecret>>,
    failures: u32,
    repairs: Repairs,
    /// Lists in which SealedSecret and Secret were last seen.
    listed: u32,
    secret_listed: u32,
}

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    Idle,
    Queued(Place),
    Waiting(Instant),
    Running {
        /// Number of the job.
        job: u64,
        /// Asked for again since the job started.
        again: bool,
        /// Version of the Secret that was announced since; empty when it was deleted.
        secret: Option<String>,
    },
}

impl State {
    /// True when this very job runs.
    fn is_of(&self, id: &JobId) -> bool {
        matches!(self, Self::Running { job, .. } if *job == id.number)
    }
}

/// Where to queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before everything else, the newest first.
    Fresh,
    /// In order, after what is fresh.
    Backlog,
}

/// Which job: a name that is forgotten and comes back can have a second one while the first still runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobId {
    pub name: ObjectName,
    number: u64,
}

/// Something to do.
#[derive(Debug)]
pub struct Job {
    pub id: JobId,
    /// The object, or nothing where it has to be fetched.
    pub object: Option<Box<SealedSecret>>,
    pub(super) hints: Hints,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All is as it should be, without a write.
    Calm,
    /// The Secret was written.
    Wrote,
    /// It has to be tried again.
    Failed,
    /// The API server was away: it has to be tried again, and soon.
    Unreachable,
}

impl Queue {
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            entries: HashMap::new(),
            fresh: Vec::new(),
            backlog: VecDeque::new(),
            waiting: BTreeSet::new(),
            held: 0,
            secrets_are_listed: false,
            jobs: 0,
        }
    }

    /// Notes that a SealedSecret exists, as seen in this list.
    pub fn exists(&mut self, name: &ObjectName, list: u32) {
        self.entries.entry(name.clone()).or_default().listed = list;
    }

    /// Asks for work on a SealedSecret that exists and is not what it was: who changed its Secret is forgotten.
    pub fn want(&mut self, name: &ObjectName, object: Option<Box<SealedSecret>>, place: Place) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.repairs.forget();
        }
        self.enqueue(name, object, place);
    }

    fn enqueue(&mut self, name: &ObjectName, object: Option<Box<SealedSecret>>, place: Place) {
        let held = object.is_some_and(|object| self.hold(name, object));
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        match &mut entry.state {
            State::Running { again, .. } => *again |= !held,
            State::Queued(old) if *old == place || place == Place::Backlog => {}
            State::Idle | State::Waiting(_) | State::Queued(_) => {
                if let State::Waiting(until) = entry.state {
                    self.waiting.remove(&(until, name.clone()));
                }
                entry.state = State::Queued(place);
                match place {
                    Place::Fresh => self.fresh.push(name.clone()),
                    Place::Backlog => self.backlog.push_back(name.clone()),
                }
            }
        }
    }

    /// The Secret of this name was seen at this version, empty for a deleted one. `left` is the version that the last
    /// job found or left: at that one, all is well. One that somebody keeps changing has to wait.
    pub fn secret_changed(
        &mut self,
        name: &ObjectName,
        version: &str,
        left: Option<&str>,
        now: Instant,
    ) {
        let Some(entry) = self.entries.get_mut(name) else {
            return;
        };
        let is_edit = !version.is_empty();
        let pause = entry.repairs.pause(now);
        match &mut entry.state {
            State::Running { secret, .. } => *secret = Some(version.to_owned()),
            // It will be looked at anyway.
            State::Queued(_) => {}
            _ if Some(version) == left => {}
            _ if entry.failures > 0 => self.enqueue(name, None, Place::Fresh),
            _ if is_edit && !self.policy.self_heal => {}
            State::Idle if pause > Duration::ZERO => self.wait(name, now + pause),
            // The pause after which it is put right, whatever happens to it meanwhile.
            State::Waiting(_) => {}
            State::Idle => self.enqueue(name, None, Place::Fresh),
        }
    }

    /// Keys came or went: asks for work on everything that failed, and on `others`.
    pub fn keys_changed(&mut self, others: Vec<ObjectName>) {
        let failed = self.entries.iter().filter(|(_, entry)| entry.failures > 0);
        let failed: Vec<_> = failed.map(|(name, _)| name.clone()).collect();
        for name in failed.into_iter().chain(others) {
            self.enqueue(&name, None, Place::Backlog);
        }
    }

    /// The next job, if any. It is running from now on.
    pub fn take(&mut self, now: Instant) -> Option<Job> {
        while let Some((until, name)) = self
            .waiting
            .first()
            .cloned()
            .filter(|(until, _)| *until <= now)
        {
            self.waiting.remove(&(until, name.clone()));
            if let Some(entry) = self.entries.get_mut(&name) {
                entry.state = State::Queued(Place::Backlog);
                self.backlog.push_back(name);
            }
        }
        while let Some(name) = self.fresh.pop().or_else(|| self.backlog.pop_front()) {
            // A name can stand in both lines, or belong to an object that has gone.
            let Some(entry) = self
                .entries
                .get_mut(&name)
                .filter(|entry| matches!(entry.state, State::Queued(_)))
            else {
                continue;
            };
            self.jobs += 1;
            entry.state = State::Running {
                job: self.jobs,
                again: false,
                secret: None,
            };
            let object = entry.object.take();
            self.held -= usize::from(object.is_some());
            let hints = Hints {
                is_absent: self.secrets_are_listed && entry.secret_listed == 0,
                is_contested: entry.repairs.pause(now) > Duration::ZERO,
            };
            return Some(Job {
                id: JobId {
                    name,
                    number: self.jobs,
                },
                object,
                hints,
            });
        }
        None
    }

    /// When the next pause ends.
    pub fn next_retry(&self) -> Option<Instant> {
        self.waiting.first().map(|(until, _)| *until)
    }

    /// True when something came in while the job was running that it did not see: an object other than the one tried,
    /// or the Secret at another version than the job left.
    pub fn is_outdated(
        &self,
        job: &JobId,
        was_tried: impl Fn(&SealedSecret) -> bool,
        left: Option<&str>,
    ) -> bool {
        let entry = self.entries.get(&job.name);
        let Some(entry) = entry.filter(|entry| entry.state.is_of(job)) else {
            return false;
        };
        let State::Running { again, secret, .. } = &entry.state else {
            return false;
        };
        *again
            || entry
                .object
                .as_deref()
                .is_some_and(|object| !was_tried(object))
            || (secret.is_some() && secret.as_deref() != left)
    }

    /// A job ended, and is to run `again` at once or not. False when the object has gone meanwhile.
    pub fn ended(&mut self, job: &JobId, how: Ended, again: bool, now: Instant) -> bool {
        let name = &job.name;
        let Some(entry) = self.entries.get_mut(name) else {
            return false;
        };
        if !entry.state.is_of(job) {
            // The object is another one by now, which has or awaits a job of its own.
            return true;
        }
        entry.state = State::Idle;
        match how {
            Ended::Calm => entry.failures = 0,
            Ended::Wrote => {
                entry.failures = 0;
                entry.repairs.wrote(now);
            }
            Ended::Failed | Ended::Unreachable => {
                entry.failures = entry.failures.saturating_add(1);
            }
        }
        let failures = entry.failures;
        let pause = match how {
            Ended::Unreachable => pauses::while_away(failures),
            _ => pauses::after_failures(failures, self.policy.quick_retries),
        };
        if again {
            self.enqueue(name, None, Place::Fresh);
            return true;
        }
        self.drop_object(name);
        if failures > 0 {
            self.wait(name, now + pause);
        }
        true
    }

    /// Forgets a SealedSecret that has gone; false when it was not known.
    pub fn forget(&mut self, name: &ObjectName) -> bool {
        self.drop_object(name);
        let Some(entry) = self.entries.remove(name) else {
            return false;
        };
        if let State::Waiting(until) = entry.state {
            self.waiting.remove(&(until, name.clone()));
        }
        true
    }

    /// SealedSecrets of this scope that were not in this list.
    pub fn missing(&self, scope: Option<&str>, list: u32) -> Vec<ObjectName> {
        let gone = self
            .entries
            .iter()
            .filter(|(name, entry)| is_in(name, scope) && entry.listed != list);
        gone.map(|(name, _)| name.clone()).collect()
    }

    /// Notes that the Secret of this name exists; false when it belongs to no SealedSecret.
    pub fn secret_exists(&mut self, name: &ObjectName, list: u32) -> bool {
        self.entries
            .get_mut(name)
            .map(|entry| entry.secret_listed = list)
            .is_some()
    }

    /// Notes that there is no Secret of this name any more.
    pub fn secret_is_gone(&mut self, name: &ObjectName) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.secret_listed = 0;
        }
    }

    /// Notes that all Secrets were seen.
    pub fn secrets_are_listed(&mut self) {
        self.secrets_are_listed = true;
    }

    /// SealedSecrets of this scope whose Secret was not in this list.
    pub fn missing_secrets(&self, scope: Option<&str>, list: u32) -> Vec<ObjectName> {
        let gone = self
            .entries
            .iter()
            .filter(|(name, entry)| is_in(name, scope) && entry.secret_listed != list);
        gone.map(|(name, _)| name.clone()).collect()
    }

    fn wait(&mut self, name: &ObjectName, until: Instant) {
        if let Some(entry) = self.entries.get_mut(name) {
            entry.state = State::Waiting(until);
            self.waiting.insert((until, name.clone()));
        }
    }

    /// Keeps the object until its turn; false when there is no room.
    fn hold(&mut self, name: &ObjectName, object: Box<SealedSecret>) -> bool {
        self.drop_object(name);
        let Some(entry) = self.entries.get_mut(name).filter(|_| self.held < HELD) else {
            return false;
        };
        entry.object = Some(object);
        self.held += 1;
        true
    }

    fn drop_object(&mut self, name: &ObjectName) {
        if self
            .entries
            .get_mut(name)
            .and_then(|entry| entry.object.take())
            .is_some()
        {
            self.held -= 1;
        }
    }
}

fn is_in(name: &ObjectName, scope: Option<&str>) -> bool {
    scope.is_none_or(|namespace| namespace == name.namespace)
}

#[cfg(test)]
mod tests;
