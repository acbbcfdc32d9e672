//! Reads bodies of requests: each bounded in bytes and in time, all together in memory.
//! It must not look into one.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a request counts at least, so that many small ones are bounded too.
pub(crate) const SMALLEST: u32 = 16 << 10;

/// Room for the bodies of all callers together.
#[derive(Debug)]
pub(crate) struct Room {
    largest: usize,
    /// Bytes that may still be held.
    left: Arc<Semaphore>,
}

/// A body, and its share of the room.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    _share: OwnedSemaphorePermit,
}

/// Why a body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    /// It did not arrive whole, or not in time.
    Broken,
    /// Other callers' bodies fill the room there is.
    Busy,
}

impl Room {
    /// Room for `held` bytes, in bodies of `largest` at most.
    pub(crate) fn new(held: usize, largest: usize) -> Self {
        Self {
            largest,
            left: Arc::new(Semaphore::new(held)),
        }
    }

    /// Takes a body in; `time` of zero is any time.
    pub(crate) async fn read(&self, body: Body, time: Duration) -> Result<Held, Unread> {
        let whole = self.collect(body);
        match time.is_zero() {
            true => whole.await,
            false => tokio::time::timeout(time, whole)
                .await
                .unwrap_or(Err(Unread::Broken)),
        }
    }

    async fn collect(&self, body: Body) -> Result<Held, Unread> {
        let mut share = self.take(SMALLEST)?;
        let mut bytes = Vec::new();
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Unread::Broken)?;
            if bytes.len() + chunk.len() > self.largest {
                return Err(Unread::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
            let more = bytes.len().saturating_sub(share.num_permits());
            share.merge(self.take(u32::try_from(more).unwrap_or(u32::MAX))?);
        }
        Ok(Held {
            bytes,
            _share: share,
        })
    }

    fn take(&self, bytes: u32) -> Result<OwnedSemaphorePermit, Unread> {
        let share = Arc::clone(&self.left).try_acquire_many_owned(bytes);
        share.map_err(|_| Unread::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: usize = 3 * SMALLEST as usize;

    fn body(bytes: u32) -> Body {
        Body::from("x".repeat(bytes as usize))
    }

    #[tokio::test]
    async fn bodies_are_refused_while_others_fill_the_room() {
        let room = Room::new(HELD, HELD);
        let read = async |bytes| room.read(body(bytes), Duration::ZERO).await;
        let first = read(2 * SMALLEST).await.unwrap();
        assert_eq!(read(2 * SMALLEST).await.unwrap_err(), Unread::Busy);
        assert!(read(1).await.is_ok());
        drop(first);
        assert!(read(2 * SMALLEST).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_of_the_largest_size_is_read_and_one_byte_more_is_too_large() {
        let room = Room::new(HELD, 10);
        assert!(room.read(body(10), Duration::ZERO).await.is_ok());
        let read = room.read(body(11), Duration::ZERO).await;
        assert_eq!(read.unwrap_err(), Unread::TooLarge);
    }

    #[tokio::test]
    async fn a_body_that_does_not_end_is_given_up() {
        let room = Room::new(HELD, HELD);
        let endless = futures::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let read = room.read(Body::from_stream(endless), Duration::from_millis(1));
        assert_eq!(read.await.unwrap_err(), Unread::Broken);
        assert_eq!(room.left.available_permits(), HELD);
    }
}
