//! The work queue: which Application is looked at next; one pass at a time for each, wakes that pile up count once.
//! It knows nothing of what a pass does and never drops a wake: one that arrives during a pass starts another.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    fmt::Debug,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};
use tokio::sync::Notify;

/// Passes at once. A pass mostly waits for the API server, whose own limit for one client is of this order.
const PASSES: usize = 16;
/// Of these, passes that only verify what a start found: the others stay free for commits and for people.
const CALM_PASSES: usize = 4;

/// How much a wake matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Somebody waits for it: a commit, an edit, an object that changed.
    Prompt,
    /// Nobody does: the first look at an Application after a start, a status that says no more than that a commit was seen.
    Calm,
}

/// The queue of all Applications.
#[derive(Debug)]
pub(crate) struct Queue<K> {
    state: Mutex<State<K>>,
    changed: Notify,
}

impl<K: Clone + Eq + Ord + Hash + Debug> Queue<K> {
    pub(crate) fn new() -> Self {
        Queue {
            state: Mutex::new(State::default()),
            changed: Notify::new(),
        }
    }

    /// Asks for a pass now.
    pub(crate) fn wake(&self, key: &K, lane: Lane) {
        self.state().wake(key, lane);
        self.changed.notify_one();
    }

    /// Asks for a pass at a time. The earliest of several counts; a pass that starts before takes them all back, because it says
    /// itself when it wants to be called again.
    pub(crate) fn wake_at(&self, key: &K, at: Instant) {
        self.state().wake_at(key, at);
        self.changed.notify_one();
    }

    /// The next key to work on, once there is one and a place for it. Every key handed out is given back with [`Queue::done`].
    pub(crate) async fn next(&self) -> K {
        loop {
            let (found, timer) = {
                let mut state = self.state();
                (state.next(Instant::now()), state.timer())
            };
            if let Some(key) = found {
                return key;
            }
            match timer {
                Some(at) => {
                    let _ = tokio::time::timeout_at(at.into(), self.changed.notified()).await;
                }
                None => self.changed.notified().await,
            }
        }
    }

    /// Whether somebody waits for a pass of another key.
    pub(crate) fn is_pressing(&self) -> bool {
        !self.state().prompt.is_empty()
    }

    /// The pass is over.
    pub(crate) fn done(&self, key: &K) {
        self.state().done(key);
        self.changed.notify_one();
    }

    /// The Application is gone: nothing of it waits any more.
    pub(crate) fn forget(&self, key: &K) {
        self.state().forget(key);
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct State<K> {
    prompt: VecDeque<K>,
    calm: VecDeque<K>,
    /// The lane each waiting key is to be taken from; an entry of a lane that disagrees is stale.
    waiting: HashMap<K, Lane>,
    /// Keys being worked on with their lane, and the wake that came meanwhile.
    running: HashMap<K, (Lane, Option<Lane>)>,
    timers: BTreeSet<(Instant, K)>,
    timer_of: HashMap<K, Instant>,
}

impl<K> Default for State<K> {
    fn default() -> Self {
        State {
            prompt: VecDeque::new(),
            calm: VecDeque::new(),
            waiting: HashMap::new(),
            running: HashMap::new(),
            timers: BTreeSet::new(),
            timer_of: HashMap::new(),
        }
    }
}

impl<K: Clone + Eq + Ord + Hash> State<K> {
    fn wake(&mut self, key: &K, lane: Lane) {
        if let Some((_, again)) = self.running.get_mut(key) {
            *again = Some(sooner(*again, lane));
            return;
        }
        let before = self.waiting.get(key).copied();
        let lane = sooner(before, lane);
        if before == Some(lane) {
            return;
        }
        self.waiting.insert(key.clone(), lane);
        match lane {
            Lane::Prompt => self.prompt.push_back(key.clone()),
            Lane::Calm => self.calm.push_back(key.clone()),
        }
    }

    fn wake_at(&mut self, key: &K, at: Instant) {
        if self.timer_of.get(key).is_some_and(|before| *before <= at) {
            return;
        }
        self.stop_timer(key);
        self.timers.insert((at, key.clone()));
        self.timer_of.insert(key.clone(), at);
    }

    fn stop_timer(&mut self, key: &K) {
        if let Some(at) = self.timer_of.remove(key) {
            self.timers.remove(&(at, key.clone()));
        }
    }

    /// When to look again though nothing happens: only a timer that has not fired counts.
    fn timer(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    fn fire(&mut self, now: Instant) {
        while let Some((at, key)) = self.timers.first().cloned() {
            if at > now {
                return;
            }
            self.stop_timer(&key);
            self.wake(&key, Lane::Prompt);
        }
    }

    fn next(&mut self, now: Instant) -> Option<K> {
        self.fire(now);
        if self.running.len() >= PASSES {
            return None;
        }
        let key = self.take(Lane::Prompt).or_else(|| {
            let calm = self
                .running
                .values()
                .filter(|(lane, _)| *lane == Lane::Calm)
                .count();
            if calm < CALM_PASSES {
                self.take(Lane::Calm)
            } else {
                None
            }
        })?;
        let lane = self.waiting.remove(&key).unwrap_or(Lane::Prompt);
        self.running.insert(key.clone(), (lane, None));
        self.stop_timer(&key);
        Some(key)
    }

    fn take(&mut self, lane: Lane) -> Option<K> {
        loop {
            let key = match lane {
                Lane::Prompt => self.prompt.pop_front()?,
                Lane::Calm => self.calm.pop_front()?,
            };
            if self.waiting.get(&key) == Some(&lane) {
                return Some(key);
            }
        }
    }

    fn done(&mut self, key: &K) {
        if let Some((_, Some(lane))) = self.running.remove(key) {
            self.wake(key, lane);
        }
    }

    fn forget(&mut self, key: &K) {
        self.waiting.remove(key);
        self.stop_timer(key);
        if let Some((_, again)) = self.running.get_mut(key) {
            *again = None;
        }
    }
}

fn sooner(before: Option<Lane>, lane: Lane) -> Lane {
    match (before, lane) {
        (Some(Lane::Prompt), _) | (_, Lane::Prompt) => Lane::Prompt,
        _ => Lane::Calm,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn state() -> State<u32> {
        State::default()
    }

    #[test]
    fn wakes_that_pile_up_are_one_pass() {
        let (mut queue, now) = (state(), Instant::now());
        queue.wake(&1, Lane::Prompt);
        queue.wake(&1, Lane::Prompt);
        assert_eq!(queue.next(now), Some(1));
        assert_eq!(queue.next(now), None);
        queue.done(&1);
        assert_eq!(queue.next(now), None);
    }

    #[test]
    fn a_wake_during_a_pass_starts_another() {
        let (mut queue, now) = (state(), Instant::now());
        queue.wake(&1, Lane::Prompt);
        assert_eq!(queue.next(now), Some(1));
        queue.wake(&1, Lane::Calm);
        assert_eq!(queue.next(now), None, "one pass at a time");
        queue.done(&1);
        assert_eq!(queue.next(now), Some(1));
    }

    #[test]
    fn a_commit_overtakes_first_looks() {
        let (mut queue, now) = (state(), Instant::now());
        for key in 0..10 {
            queue.wake(&key, Lane::Calm);
        }
        queue.wake(&7, Lane::Prompt);
        assert_eq!(queue.next(now), Some(7));
        let calm: Vec<_> = std::iter::from_fn(|| queue.next(now)).collect();
        assert_eq!(
            calm,
            [0, 1, 2, 3],
            "no more calm passes at once than their share"
        );
        queue.wake(&11, Lane::Prompt);
        assert_eq!(queue.next(now), Some(11));
    }

    #[test]
    fn who_gives_way_is_next_when_nobody_waits_any_more() {
        let queue = Queue::new();
        queue.wake(&1, Lane::Prompt);
        queue.wake(&2, Lane::Prompt);
        let next = || queue.state().next(Instant::now());
        assert_eq!(next(), Some(1));
        assert!(queue.is_pressing());
        queue.wake(&1, Lane::Calm);
        queue.done(&1);
        assert_eq!(next(), Some(2));
        assert!(!queue.is_pressing());
        assert_eq!(next(), Some(1));
    }

    #[test]
    fn timers_fire_once_and_a_pass_takes_them_back() {
        let (mut queue, now) = (state(), Instant::now());
        let later = now + Duration::from_secs(5);
        queue.wake_at(&1, later);
        queue.wake_at(&1, later + Duration::from_secs(1));
        assert_eq!(queue.timer(), Some(later));
        assert_eq!(queue.next(now), None);
        assert_eq!(queue.next(later), Some(1));
        queue.done(&1);
        assert_eq!(queue.next(later + Duration::from_secs(9)), None);

        queue.wake_at(&2, later);
        queue.wake(&2, Lane::Prompt);
        assert_eq!(queue.next(now), Some(2));
        assert_eq!(queue.timer(), None);
    }

    #[test]
    fn what_is_forgotten_does_not_come_back() {
        let (mut queue, now) = (state(), Instant::now());
        queue.wake(&1, Lane::Prompt);
        queue.wake_at(&1, now);
        queue.forget(&1);
        assert_eq!(queue.next(now), None);
    }

    #[test]
    fn no_more_passes_than_places() {
        let (mut queue, now) = (state(), Instant::now());
        for key in 0..40 {
            queue.wake(&key, Lane::Prompt);
        }
        assert_eq!(std::iter::from_fn(|| queue.next(now)).count(), PASSES);
    }
}
