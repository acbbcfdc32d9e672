//! What is known of a repository's refs: the last good listing, the last failure, and which of the two is the answer.
//! Pure: it asks no server and reads no clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{GitError, revision::Refs};

/// For so long the last good listing stands in for a server that fails: a short outage is no news (Argo CD's default).
const GRACE: Duration = Duration::from_secs(180);
/// For so long a first failure is the answer for everybody who has no need of a newer one.
const HOLD_OFF: Duration = Duration::from_secs(10);

pub(super) type Listed = Result<Arc<Refs>, GitError>;

/// The listings of one repository so far.
#[derive(Debug, Default)]
pub(super) struct Listings {
    /// The last good one.
    refs: Option<Arc<Refs>>,
    /// The last one, good or not.
    last: Option<Attempt>,
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Attempt {
    began: Instant,
    ended: Instant,
    listed: Listed,
}

#[derive(Clone, Copy, Debug)]
struct Failing {
    since: Instant,
    /// Whether it was told that the grace is over.
    told: bool,
}

/// What a listing changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    None,
    Moved,
    Recovered,
    /// The first failure, or another one than before.
    Failing,
    /// It fails for longer than the last good listing may stand in for it.
    GraceOver,
}

impl Listings {
    /// The answer for who needs no new listing; `None` when there has to be one.
    pub(super) fn cached(&self, now: Instant) -> Option<Listed> {
        let failed = self.last.as_ref().filter(|attempt| attempt.listed.is_err());
        match (&self.refs, self.failing) {
            (Some(refs), None) => Some(Ok(Arc::clone(refs))),
            (Some(refs), Some(failing)) if now < failing.since + GRACE => {
                Some(Ok(Arc::clone(refs)))
            }
            (Some(_), Some(_)) => failed.map(|attempt| attempt.listed.clone()),
            (None, _) => failed
                .filter(|attempt| now < attempt.ended + HOLD_OFF)
                .map(|attempt| attempt.listed.clone()),
        }
    }

    /// A listing that began when `asked` or later.
    pub(super) fn since(&self, asked: Instant) -> Option<Listed> {
        let last = self
            .last
            .as_ref()
            .filter(|attempt| attempt.began >= asked)?;
        Some(last.listed.clone())
    }

    /// Takes in a listing that took from `began` to `ended`.
    pub(super) fn record(&mut self, began: Instant, ended: Instant, listed: &Listed) -> News {
        let news = match listed {
            Ok(refs) => self.succeeded(refs),
            Err(error) => self.failed(began, ended, error),
        };
        self.last = Some(Attempt {
            began,
            ended,
            listed: listed.clone(),
        });
        news
    }

    fn succeeded(&mut self, refs: &Arc<Refs>) -> News {
        let moved = self
            .refs
            .replace(Arc::clone(refs))
            .is_some_and(|before| before != *refs);
        match (self.failing.take(), moved) {
            (Some(_), _) => News::Recovered,
            (None, true) => News::Moved,
            (None, false) => News::None,
        }
    }

    fn failed(&mut self, began: Instant, ended: Instant, error: &GitError) -> News {
        let same = self
            .last
            .as_ref()
            .is_some_and(|last| last.listed.as_ref().err() == Some(error));
        let failing = self.failing.get_or_insert(Failing {
            since: began,
            told: false,
        });
        if self.refs.is_some() && !failing.told && ended >= failing.since + GRACE {
            failing.told = true;
            return News::GraceOver;
        }
        if same { News::None } else { News::Failing }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn refs(commit: &str) -> Listed {
        let id = gix::ObjectId::from_hex(commit.repeat(40).as_bytes()).unwrap();
        let heads = BTreeMap::from([("refs/heads/main".to_owned(), id)]);
        Ok(Arc::new(Refs(heads, BTreeMap::new())))
    }

    fn down() -> Listed {
        Err(GitError::NotFound {
            url: "https://h/a".to_owned(),
        })
    }

    struct Story {
        start: Instant,
        listings: Listings,
    }

    impl Story {
        fn new() -> Self {
            Self {
                start: Instant::now(),
                listings: Listings::default(),
            }
        }

        fn at(&self, second: u64) -> Instant {
            self.start + Duration::from_secs(second)
        }

        fn listed(&mut self, second: u64, listed: &Listed) -> News {
            let (began, ended) = (self.at(second), self.at(second + 1));
            self.listings.record(began, ended, listed)
        }

        fn cached(&self, second: u64) -> Option<Listed> {
            self.listings.cached(self.at(second))
        }
    }

    #[test]
    fn a_listing_serves_until_the_next_and_only_a_moved_ref_is_news() {
        let mut story = Story::new();
        assert_eq!(story.cached(0), None);
        assert_eq!(story.listed(0, &refs("a")), News::None);
        assert_eq!(story.cached(100_000), Some(refs("a")));
        assert_eq!(story.listed(200, &refs("a")), News::None);
        assert_eq!(story.listed(400, &refs("b")), News::Moved);
        assert_eq!(story.cached(401), Some(refs("b")));
    }

    #[test]
    fn the_last_good_listing_stands_in_for_three_minutes_and_its_end_is_told_once() {
        let mut story = Story::new();
        story.listed(0, &refs("a"));
        assert_eq!(story.listed(100, &down()), News::Failing);
        assert_eq!(story.cached(279), Some(refs("a")));
        assert_eq!(story.cached(280), Some(down()));
        assert_eq!(story.listed(200, &down()), News::None);
        assert_eq!(story.listed(300, &down()), News::GraceOver);
        assert_eq!(story.listed(400, &down()), News::None);
        assert_eq!(story.listed(500, &refs("a")), News::Recovered);
        assert_eq!(story.cached(501), Some(refs("a")));
    }

    #[test]
    fn a_first_failure_is_the_answer_for_ten_seconds_after_it_ended() {
        let mut story = Story::new();
        assert_eq!(story.listed(0, &down()), News::Failing);
        assert_eq!(story.cached(10), Some(down()));
        assert_eq!(story.cached(11), None);
    }

    #[test]
    fn who_asks_while_a_listing_runs_needs_a_newer_one() {
        let mut story = Story::new();
        story.listed(10, &refs("a"));
        assert_eq!(story.listings.since(story.at(10)), Some(refs("a")));
        assert_eq!(story.listings.since(story.at(11)), None);
    }
}
