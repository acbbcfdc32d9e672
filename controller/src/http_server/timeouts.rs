//! A listener whose connections end when the other side stays silent or does not read.
//! It must not know HTTP.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep, sleep};

/// Accepts connections with time limits.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    read: Duration,
    write: Duration,
}

impl Listener {
    pub(crate) fn new(listener: TcpListener, read: Duration, write: Duration) -> Self {
        Self {
            listener,
            read,
            write,
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Limited;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Limited, Self::Addr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.listener).await;
        let limited = Limited {
            stream,
            read: Limit::new(self.read),
            write: Limit::new(self.write),
        };
        (limited, address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection with time limits.
#[derive(Debug)]
pub(crate) struct Limited {
    stream: TcpStream,
    read: Limit,
    write: Limit,
}

/// The time that one wait may take; zero for any time.
#[derive(Debug)]
struct Limit {
    time: Patience,
    wait: Option<(Instant, Pin<Box<Sleep>>)>,
}

/// How long the other side of a connection may be silent, for whoever has a reason to wait longer.
#[derive(Clone, Debug)]
pub(crate) struct Patience(Arc<AtomicU64>);

impl Patience {
    fn new(time: Duration) -> Self {
        let patience = Self(Arc::default());
        patience.be(time);
        patience
    }

    /// Is so long from now on.
    pub(crate) fn be(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.store(millis, Ordering::Relaxed);
    }

    fn time(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Limited {
    /// How long the other side may be silent.
    pub(crate) fn patience(&self) -> &Patience {
        &self.read.time
    }
}

impl Limit {
    fn new(time: Duration) -> Self {
        let time = Patience::new(time);
        Self { time, wait: None }
    }

    /// Ends the wait when `progress` was made, else fails once it took too long.
    fn check<T>(
        &mut self,
        progress: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        let time = self.time.time();
        if progress.is_ready() || time.is_zero() {
            self.wait = None;
            return progress;
        }
        let new = || (Instant::now(), Box::pin(sleep(time)));
        let (since, wait) = self.wait.get_or_insert_with(new);
        while wait.as_mut().poll(cx).is_ready() {
            let ends = *since + time;
            if ends <= Instant::now() {
                *since = Instant::now();
                wait.as_mut().reset(*since + time);
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // It may take longer by now than when the wait began.
            wait.as_mut().reset(ends);
        }
        Poll::Pending
    }
}

impl AsyncRead for Limited {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let progress = Pin::new(&mut this.stream).poll_read(cx, buffer);
        this.read.check(progress, cx)
    }
}

impl AsyncWrite for Limited {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let progress = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.write.check(progress, cx)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let progress = Pin::new(&mut this.stream).poll_flush(cx);
        this.write.check(progress, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let progress = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.write.check(progress, cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::serve::Listener as _;
    use tokio::io::AsyncReadExt;

    async fn connected(read: Duration) -> (Limited, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut listener = Listener::new(listener, read, Duration::ZERO);
        let address = listener.local_addr().unwrap();
        let (accepted, other) = tokio::join!(listener.accept(), TcpStream::connect(address));
        (accepted.0, other.unwrap())
    }

    #[tokio::test]
    async fn a_silent_connection_ends() {
        let (accepted, silent) = connected(Duration::from_millis(10)).await;
        let read = accepted.take(1).read_to_end(&mut Vec::new()).await;
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(silent);
    }

    #[tokio::test]
    async fn a_wait_that_has_begun_may_be_made_longer() {
        let (mut accepted, mut other) = connected(Duration::from_millis(50)).await;
        let patience = accepted.patience().clone();
        let talks = async {
            sleep(Duration::from_millis(1)).await;
            patience.be(Duration::from_secs(60));
            sleep(Duration::from_millis(200)).await;
            tokio::io::AsyncWriteExt::write_all(&mut other, b"x")
                .await
                .unwrap();
        };
        let mut heard = [0];
        let (read, ()) = tokio::join!(accepted.read_exact(&mut heard), talks);
        assert_eq!((read.unwrap(), heard), (1, *b"x"));
    }
}
