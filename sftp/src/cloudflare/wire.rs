//! The TCP connection as russh reads and writes it. `worker::Socket` carries the bytes; this adds that the connection can be cut
//! at any moment, since russh's own task holds the socket and waits for the server.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasm_bindgen_futures::spawn_local;
use worker::Socket;

#[derive(Default)]
struct Cut {
    is_done: AtomicBool,
    reader: AtomicWaker,
    writer: AtomicWaker,
}

/// Cuts the connection when it is dropped.
pub struct Line(Arc<Cut>);

impl Drop for Line {
    fn drop(&mut self) {
        self.0.is_done.store(true, Ordering::Relaxed);
        self.0.reader.wake();
        self.0.writer.wake();
    }
}

pub struct Wire {
    socket: Option<Socket>,
    cut: Arc<Cut>,
    has_ended: bool,
}

impl Wire {
    pub fn new(socket: Socket) -> (Self, Line) {
        let cut = Arc::<Cut>::default();
        let wire = Self {
            socket: Some(socket),
            cut: cut.clone(),
            has_ended: false,
        };
        (wire, Line(cut))
    }

    /// The socket, unless the connection is cut.
    fn socket(&mut self) -> Option<Pin<&mut Socket>> {
        if self.cut.is_done.load(Ordering::Relaxed) {
            return None;
        }
        self.socket.as_mut().map(Pin::new)
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cut.reader.register(context.waker());
        let before = buffer.filled().len();
        // After an error the socket keeps its reader locked: reading again would throw.
        if self.has_ended {
            return Poll::Ready(Ok(()));
        }
        let Some(socket) = self.socket() else {
            return Poll::Ready(Ok(()));
        };
        let poll = socket.poll_read(context, buffer);
        if let Poll::Ready(result) = &poll
            && (result.is_err() || buffer.filled().len() == before)
        {
            self.has_ended = true;
        }
        poll
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cut.writer.register(context.waker());
        match self.socket() {
            Some(socket) => socket.poll_write(context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.writer.register(context.waker());
        match self.socket() {
            Some(socket) => socket.poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Does not fail: russh would report that in place of the reason for which it ends.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.writer.register(context.waker());
        match self.socket() {
            Some(socket) => socket.poll_shutdown(context).map(|_| Ok(())),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Wire {
    /// A dropped socket stays open until the platform collects it.
    fn drop(&mut self) {
        if let Some(mut socket) = self.socket.take() {
            spawn_local(async move {
                let _ = socket.close().await;
            });
        }
    }
}
