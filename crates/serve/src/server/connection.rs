//! Connections that are given up when their client takes nothing for too long.
//!
//! Without it, a client that stops reading keeps its answer, and its place among the requests, for as long
//! as it likes: the time limits of the HTTP library are for what clients send.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// Takes connections that are given up after `timeout`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ImpatientAcceptor {
    pub(super) timeout: Duration,
}

impl<S> Accept<TcpStream, S> for ImpatientAcceptor {
    type Stream = Impatient<TcpStream>;
    type Service = S;
    type Future = std::future::Ready<io::Result<(Impatient<TcpStream>, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let ready = stream.set_nodelay(true);
        std::future::ready(ready.map(|()| (Impatient::new(stream, self.timeout), service)))
    }
}

/// A connection whose writes fail after they have waited for `timeout`.
pub(super) struct Impatient<C> {
    inner: C,
    timeout: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl<C> Impatient<C> {
    fn new(inner: C, timeout: Duration) -> Impatient<C> {
        Impatient { inner, timeout, timer: None }
    }

    /// What a write came to; an error where nothing has been taken for too long.
    fn timed<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let timeout = self.timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(timer.as_mut().poll(context));
        timer.as_mut().reset(Instant::now() + timeout);
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for Impatient<C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for Impatient<C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.timed(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.timed(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.timed(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(context);
        self.timed(shut, context)
    }
}
