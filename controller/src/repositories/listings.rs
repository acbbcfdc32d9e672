//! What is known of a listing that servers are asked for again and again: the last good one, the last failure, and which of the
//! two is the answer. Pure: it asks no server and reads no clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// For so long the last good listing stands in for a server that fails: a short outage is no news (Argo CD's default).
const GRACE: Duration = Duration::from_secs(180);
/// For so long a first failure is the answer for everybody who has no need of a newer one.
const HOLD_OFF: Duration = Duration::from_secs(10);

pub(crate) type Listed<T, E> = Result<Arc<T>, E>;

/// The listings of one repository so far.
#[derive(Debug)]
pub(crate) struct Listings<T, E> {
    good: Option<Arc<T>>,
    last: Option<Attempt<T, E>>,
    failing: Option<Failing>,
}

#[derive(Debug)]
struct Attempt<T, E> {
    began: Instant,
    ended: Instant,
    listed: Listed<T, E>,
}

#[derive(Clone, Copy, Debug)]
struct Failing {
    since: Instant,
    /// Whether it was told that the grace is over.
    told: bool,
}

/// What a listing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    None,
    Moved,
    Recovered,
    /// The first failure, or another one than before.
    Failing,
    /// It fails for longer than the last good listing may stand in for it.
    GraceOver,
}

impl<T, E> Default for Listings<T, E> {
    fn default() -> Self {
        Self {
            good: None,
            last: None,
            failing: None,
        }
    }
}

impl<T: PartialEq, E: Clone + PartialEq> Listings<T, E> {
    /// The last good one.
    pub(crate) fn good(&self) -> Option<Arc<T>> {
        self.good.clone()
    }

    /// The answer for who needs no new listing; `None` when there has to be one.
    pub(crate) fn cached(&self, now: Instant) -> Option<Listed<T, E>> {
        let failed = self.last.as_ref().filter(|attempt| attempt.listed.is_err());
        match (&self.good, self.failing) {
            (Some(good), None) => Some(Ok(Arc::clone(good))),
            (Some(good), Some(failing)) if now < failing.since + GRACE => {
                Some(Ok(Arc::clone(good)))
            }
            (Some(_), Some(_)) => failed.map(|attempt| attempt.listed.clone()),
            (None, _) => failed
                .filter(|attempt| now < attempt.ended + HOLD_OFF)
                .map(|attempt| attempt.listed.clone()),
        }
    }

    /// A listing that began when `asked` or later.
    pub(crate) fn since(&self, asked: Instant) -> Option<Listed<T, E>> {
        let last = self
            .last
            .as_ref()
            .filter(|attempt| attempt.began >= asked)?;
        Some(last.listed.clone())
    }

    /// Takes in a listing that took from `began` to `ended`.
    pub(crate) fn record(&mut self, began: Instant, ended: Instant, listed: &Listed<T, E>) -> News {
        let news = match listed {
            Ok(good) => self.succeeded(good),
            Err(error) => self.failed(began, ended, error),
        };
        self.last = Some(Attempt {
            began,
            ended,
            listed: listed.clone(),
        });
        news
    }

    fn succeeded(&mut self, good: &Arc<T>) -> News {
        let moved = self
            .good
            .replace(Arc::clone(good))
            .is_some_and(|before| !Arc::ptr_eq(&before, good) && before != *good);
        match (self.failing.take(), moved) {
            (Some(_), _) => News::Recovered,
            (None, true) => News::Moved,
            (None, false) => News::None,
        }
    }

    fn failed(&mut self, began: Instant, ended: Instant, error: &E) -> News {
        let before = self
            .last
            .as_ref()
            .and_then(|last| last.listed.as_ref().err());
        let same = before == Some(error);
        let failing = self.failing.get_or_insert(Failing {
            since: began,
            told: false,
        });
        if self.good.is_some() && !failing.told && ended >= failing.since + GRACE {
            failing.told = true;
            return News::GraceOver;
        }
        if same { News::None } else { News::Failing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Listing = Listed<u8, &'static str>;

    fn down() -> Listing {
        Err("down")
    }

    fn listing(number: u8) -> Listing {
        Ok(Arc::new(number))
    }

    struct Story {
        start: Instant,
        listings: Listings<u8, &'static str>,
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

        fn listed(&mut self, second: u64, listed: &Listing) -> News {
            let (began, ended) = (self.at(second), self.at(second + 1));
            self.listings.record(began, ended, listed)
        }

        fn cached(&self, second: u64) -> Option<Listing> {
            self.listings.cached(self.at(second))
        }
    }

    #[test]
    fn a_listing_serves_until_the_next_and_only_another_one_is_news() {
        let mut story = Story::new();
        assert_eq!(story.cached(0), None);
        assert_eq!(story.listed(0, &listing(1)), News::None);
        assert_eq!(story.cached(100_000), Some(listing(1)));
        assert_eq!(story.listed(200, &listing(1)), News::None);
        assert_eq!(story.listed(400, &listing(2)), News::Moved);
        assert_eq!(story.cached(401), Some(listing(2)));
    }

    #[test]
    fn the_last_good_listing_stands_in_for_three_minutes_and_its_end_is_told_once() {
        let mut story = Story::new();
        story.listed(0, &listing(1));
        assert_eq!(story.listed(100, &down()), News::Failing);
        assert_eq!(story.cached(279), Some(listing(1)));
        assert_eq!(story.cached(280), Some(down()));
        assert_eq!(story.listed(200, &down()), News::None);
        assert_eq!(story.listed(300, &down()), News::GraceOver);
        assert_eq!(story.listed(400, &down()), News::None);
        assert_eq!(story.listed(500, &listing(1)), News::Recovered);
        assert_eq!(story.cached(501), Some(listing(1)));
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
        story.listed(10, &listing(1));
        assert_eq!(story.listings.since(story.at(10)), Some(listing(1)));
        assert_eq!(story.listings.since(story.at(11)), None);
    }
}
