//! Order, pauses and bounds of the queue, with a clock of our own.

use super::pauses::{CALM, FIRST, LONGEST, LONGEST_ABSENCE, QUICK_REPAIRS};
use super::*;

const POLICY: Policy = Policy {
    quick_retries: 5,
    self_heal: true,
};

fn name(name: &str) -> ObjectName {
    ObjectName {
        namespace: "ns".to_owned(),
        name: name.to_owned(),
    }
}

fn with(names: &[&str]) -> Queue {
    let mut queue = Queue::new(POLICY);
    for text in names {
        queue.exists(&name(text), 1);
        queue.want(&name(text), None, Place::Backlog);
    }
    queue
}

fn order(queue: &mut Queue, now: Instant) -> Vec<String> {
    std::iter::from_fn(|| queue.take(now))
        .map(|job| job.id.name.name)
        .collect()
}

/// The job that runs for this name.
fn running(queue: &Queue, text: &str) -> JobId {
    match queue.entries[&name(text)].state {
        State::Running { job, .. } => JobId {
            name: name(text),
            number: job,
        },
        ref state => panic!("{text} is {state:?}"),
    }
}

#[test]
fn what_is_new_comes_first_then_the_backlog_in_order_and_each_name_once() {
    let mut queue = with(&["a", "b", "c"]);
    queue.want(&name("c"), None, Place::Fresh);
    queue.want(&name("c"), None, Place::Fresh);
    queue.exists(&name("d"), 1);
    queue.want(&name("d"), None, Place::Fresh);
    assert_eq!(order(&mut queue, Instant::now()), ["d", "c", "a", "b"]);
}

#[test]
fn a_name_never_runs_twice_at_once() {
    let now = Instant::now();
    let mut queue = with(&["a"]);
    queue.take(now).unwrap();
    queue.want(&name("a"), None, Place::Fresh);
    assert!(queue.take(now).is_none());
    let again = queue.is_outdated(&running(&queue, "a"), |_| true, None);
    assert!(again && queue.ended(&running(&queue, "a"), Ended::Calm, again, now));
    assert!(queue.take(now).is_some());
}

#[test]
fn an_echo_of_our_own_write_asks_for_nothing() {
    let now = Instant::now();
    let mut queue = with(&["a"]);
    queue.take(now).unwrap();
    queue.want(&name("a"), Some(Box::default()), Place::Fresh);
    queue.secret_changed(&name("a"), "7", None, now);
    assert!(!queue.is_outdated(&running(&queue, "a"), |_| true, Some("7")));
    assert!(
        queue.is_outdated(&running(&queue, "a"), |_| false, Some("7")),
        "another object came"
    );
    assert!(
        queue.is_outdated(&running(&queue, "a"), |_| true, Some("6")),
        "another version of the Secret came"
    );
    queue.ended(&running(&queue, "a"), Ended::Wrote, false, now);
    queue.secret_changed(&name("a"), "7", Some("7"), now);
    assert!(queue.take(now).is_none());
    queue.secret_changed(&name("a"), "8", Some("7"), now);
    assert!(queue.take(now).is_some());
}

#[test]
fn pauses_double_then_stay_at_five_minutes_for_ever() {
    let mut now = Instant::now();
    let mut queue = with(&["a"]);
    let mut pauses = Vec::new();
    for _ in 0..8 {
        queue.take(now).unwrap();
        queue.ended(&running(&queue, "a"), Ended::Failed, false, now);
        let next = queue.next_retry().unwrap();
        assert!(queue.take(now).is_none());
        pauses.push((next - now).as_millis());
        now = next;
    }
    assert_eq!(
        pauses,
        [500, 1000, 2000, 4000, 8000, 300_000, 300_000, 300_000]
    );
}

#[test]
fn an_absent_server_is_asked_every_fifteen_seconds_at_least() {
    let mut now = Instant::now();
    let mut queue = with(&["a"]);
    for _ in 0..8 {
        queue.take(now).unwrap();
        queue.ended(&running(&queue, "a"), Ended::Unreachable, false, now);
        let next = queue.next_retry().unwrap();
        assert!(next - now <= LONGEST_ABSENCE);
        now = next;
    }
}

#[test]
fn a_secret_is_known_to_be_absent_only_once_all_are_listed() {
    let now = Instant::now();
    let mut queue = with(&["a", "b", "c"]);
    queue.secret_exists(&name("b"), 1);
    assert!(!queue.take(now).unwrap().hints.is_absent);
    queue.secrets_are_listed();
    assert!(!queue.take(now).unwrap().hints.is_absent, "b is there");
    assert!(queue.take(now).unwrap().hints.is_absent);
    queue.ended(&running(&queue, "b"), Ended::Calm, false, now);
    queue.secret_is_gone(&name("b"));
    queue.secret_changed(&name("b"), "", Some("1"), now);
    assert!(queue.take(now).unwrap().hints.is_absent);
}

#[test]
fn a_changed_key_wakes_what_failed_and_what_it_opened_at_once() {
    let now = Instant::now();
    let mut queue = with(&["a", "b"]);
    queue.take(now).unwrap();
    queue.take(now).unwrap();
    queue.ended(&running(&queue, "a"), Ended::Failed, false, now);
    queue.ended(&running(&queue, "b"), Ended::Calm, false, now);
    queue.keys_changed(vec![name("b"), name("gone")]);
    assert_eq!(order(&mut queue, now), ["a", "b"]);
}

/// Repairs a Secret that somebody changes back at once, and returns the pauses before each further repair in ms.
fn fight(queue: &mut Queue, mut now: Instant, repairs: usize) -> Vec<u128> {
    let mut pauses = Vec::new();
    for _ in 0..repairs {
        queue.take(now).expect("it is its turn");
        queue.ended(&running(queue, "a"), Ended::Wrote, false, now);
        queue.secret_changed(&name("a"), "theirs", Some("ours"), now);
        let next = queue.next_retry().unwrap_or(now);
        pauses.push((next - now).as_millis());
        // Further changes during the pause do not end it.
        queue.secret_changed(&name("a"), "theirs again", Some("ours"), now);
        assert!(next == now || queue.take(now).is_none());
        now = next;
    }
    pauses
}

#[test]
fn a_secret_that_somebody_keeps_changing_is_put_right_ever_more_rarely() {
    let mut queue = with(&["a"]);
    let pauses = fight(&mut queue, Instant::now(), 20);
    assert_eq!(pauses[..7], [0, 0, 0, 0, 0, 500, 1000]);
    assert_eq!(pauses[15..], [300_000; 5]);
    assert!(pauses.is_sorted());
}

#[test]
fn a_repair_that_had_to_wait_is_known_as_contested() {
    let now = Instant::now();
    let mut queue = with(&["a"]);
    fight(&mut queue, now, QUICK_REPAIRS as usize);
    let job = queue.take(now).unwrap();
    assert!(!job.hints.is_contested);
    queue.ended(&running(&queue, "a"), Ended::Wrote, false, now);
    queue.secret_changed(&name("a"), "theirs", Some("ours"), now);
    assert!(queue.take(now + FIRST).unwrap().hints.is_contested);
}

#[test]
fn a_fight_is_forgotten_when_it_is_over() {
    let now = Instant::now();
    let mut queue = with(&["a"]);
    fight(&mut queue, now, 8);
    let end = queue.next_retry().unwrap();
    queue.take(end).unwrap();
    queue.ended(&running(&queue, "a"), Ended::Wrote, false, end);
    let later = end + CALM + LONGEST;
    queue.secret_changed(&name("a"), "theirs", Some("ours"), later);
    assert!(!queue.take(later).unwrap().hints.is_contested);
}

#[test]
fn a_new_version_of_the_sealed_secret_ends_a_fight() {
    let now = Instant::now();
    let mut queue = with(&["a"]);
    fight(&mut queue, now, 8);
    queue.want(&name("a"), None, Place::Fresh);
    assert!(!queue.take(now).unwrap().hints.is_contested);
}

#[test]
fn an_edit_of_what_blocks_ends_the_pause_at_once() {
    let now = Instant::now();
    for self_heal in [true, false] {
        let mut queue = Queue::new(Policy {
            self_heal,
            ..POLICY
        });
        queue.exists(&name("a"), 1);
        queue.want(&name("a"), None, Place::Backlog);
        queue.take(now).unwrap();
        queue.ended(&running(&queue, "a"), Ended::Failed, false, now);
        queue.secret_changed(&name("a"), "8", Some("7"), now);
        assert!(queue.take(now).is_some(), "self_heal: {self_heal}");
    }
}

#[test]
fn without_self_heal_an_edit_stays_and_a_deletion_does_not() {
    let now = Instant::now();
    let mut queue = Queue::new(Policy {
        self_heal: false,
        ..POLICY
    });
    queue.exists(&name("a"), 1);
    queue.want(&name("a"), None, Place::Backlog);
    queue.take(now).unwrap();
    queue.ended(&running(&queue, "a"), Ended::Wrote, false, now);
    queue.secret_changed(&name("a"), "8", Some("7"), now);
    assert!(queue.take(now).is_none());
    queue.secret_changed(&name("a"), "", None, now);
    assert!(queue.take(now).is_some());
}

#[test]
fn a_first_list_of_secrets_moves_nothing_ahead() {
    let now = Instant::now();
    let mut queue = with(&["a", "b"]);
    queue.secret_changed(&name("b"), "7", None, now);
    assert_eq!(order(&mut queue, now), ["a", "b"]);
}

#[test]
fn objects_that_wait_take_bounded_memory() {
    let mut queue = Queue::new(POLICY);
    let names: Vec<_> = (0..HELD + 10)
        .map(|index| name(&index.to_string()))
        .collect();
    for name in &names {
        queue.exists(name, 1);
        queue.want(name, Some(Box::default()), Place::Backlog);
    }
    let jobs: Vec<_> = std::iter::from_fn(|| queue.take(Instant::now())).collect();
    assert_eq!(jobs.iter().filter(|job| job.object.is_some()).count(), HELD);
    assert_eq!((jobs.len(), queue.held), (HELD + 10, 0));
}

#[test]
fn a_forgotten_name_leaves_nothing_behind() {
    let now = Instant::now();
    let mut queue = with(&["a", "b"]);
    let job = queue.take(now).unwrap().id;
    queue.ended(&job, Ended::Failed, false, now);
    assert!(queue.forget(&name("a")) && queue.forget(&name("b")) && !queue.forget(&name("b")));
    assert!(queue.take(now + LONGEST).is_none() && queue.next_retry().is_none());
    assert!(!queue.ended(&job, Ended::Calm, false, now));
}

#[test]
fn the_end_of_a_job_for_one_that_has_gone_is_not_the_end_of_its_successors() {
    let now = Instant::now();
    let mut queue = with(&["a"]);
    let old = queue.take(now).unwrap().id;
    queue.forget(&name("a"));
    queue.exists(&name("a"), 1);
    queue.want(&name("a"), None, Place::Fresh);
    assert!(!queue.is_outdated(&old, |_| false, None));
    assert!(queue.ended(&old, Ended::Failed, false, now));
    let new = queue.take(now).expect("it still waits for its turn").id;
    assert!(queue.ended(&old, Ended::Failed, false, now));
    queue.want(&name("a"), None, Place::Fresh);
    assert!(queue.take(now).is_none(), "it runs");
    assert!(queue.is_outdated(&new, |_| true, None));
}

#[test]
fn what_a_later_list_no_longer_shows_is_missing() {
    let mut queue = with(&["a", "b"]);
    queue.exists(&name("a"), 2);
    assert_eq!(queue.missing(None, 2), [name("b")]);
    assert!(queue.missing(Some("elsewhere"), 2).is_empty());
    assert!(queue.secret_exists(&name("a"), 1) && !queue.secret_exists(&name("c"), 1));
    assert_eq!(queue.missing_secrets(Some("ns"), 1), [name("b")]);
}
