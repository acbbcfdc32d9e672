//! A listing that many ask for: one request at a time, and who waits meanwhile takes its answer.
//! It knows no server.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Mutex as Turn;

use super::ChartError;
use crate::git::Freshness;
use crate::repositories::listings::{Listed, Listings, News};

/// One listing, as it is known now.
#[derive(Debug)]
pub(super) struct Shared<T> {
    turn: Turn<()>,
    known: Mutex<Listings<T, ChartError>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            turn: Turn::default(),
            known: Mutex::default(),
        }
    }
}

impl<T: PartialEq> Shared<T> {
    /// The listing, as new as asked for, by `request` where need be; it is told the last good one. And what is new about it.
    pub(super) async fn get<F: Future<Output = Listed<T, ChartError>>>(
        &self,
        freshness: Freshness,
        request: impl FnOnce(Option<Arc<T>>) -> F,
    ) -> (Listed<T, ChartError>, News) {
        let asked = Instant::now();
        if let Some(listed) = self.answer(freshness, asked) {
            return (listed, News::None);
        }
        let _turn = self.turn.lock().await;
        if let Some(listed) = self.answer(freshness, asked) {
            return (listed, News::None);
        }
        let began = Instant::now();
        let good = self.known().good();
        let listed = request(good).await;
        let news = self.known().record(began, Instant::now(), &listed);
        (listed, news)
    }

    fn answer(&self, freshness: Freshness, asked: Instant) -> Option<Listed<T, ChartError>> {
        match freshness {
            Freshness::Cached => self.known().cached(Instant::now()),
            Freshness::Latest => self.known().since(asked),
        }
    }

    fn known(&self) -> MutexGuard<'_, Listings<T, ChartError>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
