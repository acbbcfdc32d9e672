//! A listener whose connections end when the other side stays silent or does not read.
//! It must not know HTTP.

use std::future::Future;
use std::io;
use std::pin::Pin;
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
    time: Duration,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Limit {
    fn new(time: Duration) -> Self {
        Self { time, wait: None }
    }

    /// Ends the wait when `progress` was made, else fails once it took too long.
    fn check<T>(
        &mut self,
        progress: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if progress.is_ready() || self.time.is_zero() {
            self.wait = None;
            return progress;
        }
        let time = self.time;
        let wait = self.wait.get_or_insert_with(|| Box::pin(sleep(time)));
        match wait.as_mut().poll(cx) {
            Poll::Ready(()) => {
                wait.as_mut().reset(Instant::now() + time);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending => Poll::Pending,
        }
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

    #[tokio::test]
    async fn a_silent_connection_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut listener = Listener::new(listener, Duration::from_millis(10), Duration::ZERO);
        let address = listener.local_addr().unwrap();
        let (accepted, silent) = tokio::join!(listener.accept(), TcpStream::connect(address));
        let error = accepted
            .0
            .take(1)
            .read_to_end(&mut Vec::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(silent);
    }
}
