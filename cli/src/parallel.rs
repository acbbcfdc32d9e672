//! Work on all cores at once, results in the order of the work.
//! Must not know what the work is.

use std::thread;

/// What `work` makes of each item.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    if items.len() <= 1 || cores == 1 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|threads| {
        let chunks = items.chunks(items.len().div_ceil(cores));
        let running: Vec<_> = chunks
            .map(|chunk| threads.spawn(move || chunk.iter().map(work).collect::<Vec<_>>()))
            .collect();
        running
            .into_iter()
            .flat_map(|thread| thread.join().expect("invariant: the work does not panic"))
            .collect()
    })
}
