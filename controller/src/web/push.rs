//! What the web server tells the sync engine: that somebody pushed to a repository, by the URLs that the repository has.
//! It carries nothing else of a webhook: no revision, no path, no text that would be shown.

use std::collections::BTreeSet;

use tokio::sync::oneshot;

use super::location::Location;
use crate::git::RepositoryUrl;

/// Pushes that may wait for the sync engine, which takes each in at once.
pub(super) const WAITING: usize = 64;

/// The repositories of ours that a push is about.
pub type Concerned = BTreeSet<RepositoryUrl>;

/// Somebody pushed.
#[derive(Debug)]
pub struct Push {
    locations: Vec<Location>,
    answer: oneshot::Sender<Concerned>,
}

impl Push {
    /// A push, and where the answer to it arrives.
    pub(crate) fn new(locations: Vec<Location>) -> (Self, oneshot::Receiver<Concerned>) {
        let (answer, answered) = oneshot::channel();
        (Self { locations, answer }, answered)
    }

    /// Whether it went to the repository of this URL.
    #[must_use]
    pub fn concerns(&self, url: &RepositoryUrl) -> bool {
        Location::of(url.as_str()).is_some_and(|location| self.locations.contains(&location))
    }

    /// Says which repositories are looked at because of it.
    pub fn answer(self, concerned: Concerned) {
        // The caller may have gone: then nobody wants to know.
        let _ = self.answer.send(concerned);
    }
}
