//! One piece of blocking work at a time, with a limit on its time; who waits meanwhile takes its result.
//! It knows nothing of Git.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Mutex, task, time::timeout};

/// A queue of one. Work that overstays its limit keeps its place until its thread is done, so that a server that never
/// answers holds one thread and not one per attempt.
#[derive(Debug, Default)]
pub(super) struct Turn {
    place: Arc<Mutex<()>>,
}

/// Why there is no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// The limit of time is over.
    Overdue,
    /// The thread of the work panicked.
    Died,
}

impl Turn {
    /// Waits for its turn, then gives what `done` says, else does `work` on a thread of its own.
    /// `work` is told by its argument when nobody waits for it any more.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        limit: Duration,
        done: impl Fn() -> Option<T>,
        work: impl FnOnce(&AtomicBool) -> T + Send + 'static,
    ) -> Result<T, Unfinished> {
        let place = timeout(limit, Arc::clone(&self.place).lock_owned())
            .await
            .map_err(|_| Unfinished::Overdue)?;
        if let Some(result) = done() {
            return Ok(result);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = task::spawn_blocking(move || {
            let _place = place;
            work(&told)
        });
        match timeout(limit, thread).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(Unfinished::Died),
            Err(_) => {
                stop.store(true, Ordering::Relaxed);
                Err(Unfinished::Overdue)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_hundred_callers_at_once_share_one_piece_of_work() {
        let turn = Arc::new(Turn::default());
        let times = Arc::new(AtomicUsize::new(0));
        let callers = (0..100).map(|_| {
            let (turn, times) = (Arc::clone(&turn), Arc::clone(&times));
            tokio::spawn(async move {
                let seen = Arc::clone(&times);
                let done = move || (seen.load(Ordering::SeqCst) > 0).then_some(1);
                turn.take(LONG, done, move |_| {
                    times.fetch_add(1, Ordering::SeqCst) + 1
                })
                .await
            })
        });
        for caller in callers.collect::<Vec<_>>() {
            assert_eq!(caller.await.unwrap(), Ok(1));
        }
        assert_eq!(times.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn work_that_overstays_is_told_and_keeps_its_place_until_it_ends() {
        let turn = Turn::default();
        let (ended, wait) = std::sync::mpsc::channel::<()>();
        let limit = Duration::from_millis(20);
        let stuck = turn.take(
            limit,
            || None,
            move |stop| {
                let _ = wait.recv();
                assert!(stop.load(Ordering::Relaxed));
            },
        );
        assert_eq!(stuck.await, Err(Unfinished::Overdue));
        assert_eq!(
            turn.take(limit, || None, |_| ()).await,
            Err(Unfinished::Overdue)
        );
        drop(ended);
        assert_eq!(turn.take(LONG, || None, |_| ()).await, Ok(()));
    }
}
