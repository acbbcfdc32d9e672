//! Work with private keys, on threads of its own, so that it holds up no network and no panic of it ends more than itself.
//! It must not know what the work is for.

use std::sync::Arc;

use tokio::sync::Semaphore;

/// A defect of ours ended the work; the log says where.
#[derive(Debug)]
pub(super) struct Panicked;

/// Runs one piece of work, not more than the permits at once.
pub(super) async fn run_opening<T: Send + 'static>(
    permits: &Arc<Semaphore>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .expect("invariant: the semaphore is never closed");
    // The permit goes with the work, which goes on when nobody awaits it any more.
    let work = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    });
    work.await.map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_nothing_but_its_own_work() {
        let permits = Arc::new(Semaphore::new(1));
        let odd = run_opening(&permits, || panic!("a defect of ours")).await;
        assert!(matches!(odd, Err(Panicked)));
        assert_eq!(run_opening(&permits, || 1).await.ok(), Some(1));
    }
}
