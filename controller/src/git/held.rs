//! What a mirror keeps of one kind of fetch: what came of the last, or why it failed.
//! It fetches nothing.

use std::{sync::Arc, time::Instant};

use super::{CommitId, GitError};

#[derive(Debug)]
pub(super) struct Held<T> {
    it: Option<Arc<T>>,
    failed: Option<(Instant, CommitId, GitError)>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self {
            it: None,
            failed: None,
        }
    }
}

impl<T> Held<T> {
    pub(super) fn get(&self) -> Option<&Arc<T>> {
        self.it.as_ref()
    }

    pub(super) fn put(&mut self, it: Arc<T>) {
        self.it = Some(it);
    }

    /// Starts anew: its objects on disk can't be read.
    pub(super) fn discard(&mut self) {
        self.it = None;
    }

    /// Another access may not fail.
    pub(super) fn forgive(&mut self) {
        self.failed = None;
    }

    /// What to tell who asked for a commit: that it is here, or that a fetch begun since then failed; none calls for a fetch.
    pub(super) fn answer(
        &self,
        commit: CommitId,
        asked: Instant,
        has: impl Fn(&T) -> bool,
    ) -> Option<Result<Arc<T>, GitError>> {
        if let Some(it) = self.it.as_ref().filter(|it| has(it)) {
            return Some(Ok(Arc::clone(it)));
        }
        let (at, failed, error) = self.failed.as_ref()?;
        (*failed == commit && *at >= asked).then(|| Err(error.clone()))
    }

    /// Notes how a fetch ended.
    pub(super) fn record(
        &mut self,
        began: Instant,
        commit: CommitId,
        fetched: &Result<Arc<T>, GitError>,
    ) {
        match fetched {
            Ok(it) => self.it = Some(Arc::clone(it)),
            Err(error) => {
                if matches!(error, GitError::Mirror { .. }) {
                    self.it = None;
                }
                self.failed = Some((began, commit, error.clone()));
            }
        }
    }
}
