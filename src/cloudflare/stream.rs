//! The platform's handle of a streamed body. Passing it on costs nothing; reading it copies each piece into wasm once.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use web_sys::{AbortController, ReadableStream, ReadableStreamDefaultReader};

use super::driver;
use crate::ports::{BrokenStream, ByteStream};

/// A `ReadableStream` and the length that its sender announced.
pub struct JsStream {
    /// `None` once it was passed on.
    stream: Option<ReadableStream>,
    length: Option<u64>,
    reader: Option<ReadableStreamDefaultReader>,
    is_in_pieces: bool,
    /// Aborts the request whose response this is.
    abort: Option<AbortController>,
    is_done: bool,
}

/// A body of known length up to this is read in one crossing of the JavaScript boundary. The limit is low, because the
/// platform buffers the body where the memory budget does not count it.
pub const READ_WHOLE_BYTES: u64 = 256 * 1024;

impl JsStream {
    pub fn new(stream: ReadableStream, length: Option<u64>) -> Self {
        Self {
            stream: Some(stream),
            length,
            reader: None,
            is_in_pieces: false,
            abort: None,
            is_done: false,
        }
    }

    /// The response of a request that is aborted when the handle is dropped before its end.
    pub fn aborted_by(mut self, abort: Option<AbortController>) -> Self {
        self.abort = abort;
        self
    }

    /// A stream that the gateway produces. The platform does not buffer pieces: it requests one when it can be sent,
    /// and cancels when its reader has gone.
    pub fn from_pieces(pieces: LocalBoxStream<'static, Bytes>) -> Self {
        let pieces = pieces.map(|piece| Ok(Uint8Array::from(piece.as_ref()).into()));
        let stream = wasm_streams::ReadableStream::from_stream(pieces);
        let stream = driver::breakable(stream.into_raw().unchecked_ref());
        Self::new(stream, None)
    }

    pub fn into_inner(mut self) -> Option<ReadableStream> {
        self.is_done = true;
        self.stream.take()
    }

    /// Reads the whole body at once. The platform enforces the announced length.
    async fn read_whole(&mut self, stream: ReadableStream) -> Result<Option<Bytes>, BrokenStream> {
        let read = driver::operation(|id| driver::read_all(id, &stream)).await;
        self.is_done = true;
        let bytes: Uint8Array = read.map_err(|_| BrokenStream)?.value.unchecked_into();
        let bytes = bytes.to_vec();
        Ok(Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty()))
    }

    fn reader(&mut self) -> Result<&ReadableStreamDefaultReader, BrokenStream> {
        if self.reader.is_none() {
            let stream = self.stream.as_ref().ok_or(BrokenStream)?;
            self.reader = Some(stream.get_reader().unchecked_into());
        }
        self.reader.as_ref().ok_or(BrokenStream)
    }

    async fn read(&mut self) -> Result<Option<Bytes>, BrokenStream> {
        if self.is_done {
            return Ok(None);
        }
        if !self.is_in_pieces
            && self.length.is_some_and(|length| length <= READ_WHOLE_BYTES)
            && self.reader.is_none()
            && let Some(stream) = self.stream.take()
        {
            return self.read_whole(stream).await;
        }
        let reader = self.reader()?.clone();
        let piece = driver::operation(|id| driver::read_piece(id, &reader)).await;
        let piece = piece.map_err(|_| BrokenStream)?.value;
        if piece.is_null() {
            self.is_done = true;
            return Ok(None);
        }
        let bytes: Uint8Array = piece.dyn_into().map_err(|_| BrokenStream)?;
        Ok(Some(Bytes::from(bytes.to_vec())))
    }
}

impl ByteStream for JsStream {
    fn length(&self) -> Option<u64> {
        self.length
    }

    async fn next(&mut self) -> Option<Result<Bytes, BrokenStream>> {
        self.read().await.transpose()
    }

    fn in_pieces(mut self) -> Self {
        self.is_in_pieces = true;
        self
    }

    /// Only for a body that was not read from yet. Dropping the handle to read aborts no request.
    fn tee(mut self) -> (Self, Self) {
        let halves = self.stream.take().map(|stream| stream.tee());
        let half = |at| {
            let stream = halves.as_ref()?.get(at).dyn_into().ok();
            stream.map(|stream| Self::new(stream, self.length))
        };
        let nothing = || Self {
            stream: None,
            length: self.length,
            reader: None,
            is_in_pieces: false,
            abort: None,
            is_done: true,
        };
        let read = half(0).unwrap_or_else(nothing);
        let mut pass = half(1).unwrap_or_else(nothing);
        pass.abort = self.abort.take();
        self.is_done = true;
        (read, pass)
    }
}

impl Drop for JsStream {
    /// Cancels a body that was neither passed on nor read to its end. The promise of `cancel` has no result that is
    /// needed.
    fn drop(&mut self) {
        match (&self.abort, &self.reader, &self.stream) {
            _ if self.is_done => {}
            (Some(abort), ..) => abort.abort(),
            (None, Some(reader), _) => drop(reader.cancel()),
            (None, None, Some(stream)) if !stream.locked() => drop(stream.cancel()),
            _ => {}
        }
    }
}
