//! The platform's handle of a streamed body. Passed on it costs nothing; read, each piece is copied
//! into wasm once.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::LocalBoxStream;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStream, ReadableStreamDefaultReader, Response};

use crate::ports::{BrokenStream, ByteStream};

/// A `ReadableStream` and what its sender said of its length.
pub struct JsStream {
    /// Gone once it was passed on.
    stream: Option<ReadableStream>,
    length: Option<u64>,
    reader: Option<ReadableStreamDefaultReader>,
    is_in_pieces: bool,
    /// Ends the request whose answer this is.
    abort: Option<AbortController>,
    is_over: bool,
}

/// A body of known length up to this is read in one crossing of the boundary. The platform holds what has arrived of it
/// where nothing of ours counts it, so it is short.
const READ_WHOLE_BYTES: u64 = 256 * 1024;

impl JsStream {
    /// A handle that was not read from yet.
    pub fn new(stream: ReadableStream, length: Option<u64>) -> Self {
        Self {
            stream: Some(stream),
            length,
            reader: None,
            is_in_pieces: false,
            abort: None,
            is_over: false,
        }
    }

    /// The same, of a request that is ended when nobody wants the rest of its answer.
    pub fn aborted_by(mut self, abort: Option<AbortController>) -> Self {
        self.abort = abort;
        self
    }

    /// A stream of our own. The platform keeps no piece in store: it asks for one when it can be sent, and cancels
    /// when its reader has gone.
    pub fn from_pieces(pieces: LocalBoxStream<'static, Bytes>) -> Self {
        let pieces = pieces.map(|piece| Ok(Uint8Array::from(piece.as_ref()).into()));
        let stream = wasm_streams::ReadableStream::from_stream(pieces);
        Self::new(stream.into_raw().unchecked_into(), None)
    }

    /// The platform's stream, to pass on.
    pub fn into_inner(mut self) -> Option<ReadableStream> {
        self.is_over = true;
        self.stream.take()
    }

    /// Everything at once. The platform holds a sender to the length he gave.
    async fn read_whole(&mut self, stream: ReadableStream) -> Result<Option<Bytes>, JsValue> {
        let whole = Response::new_with_opt_readable_stream(Some(&stream))?;
        let buffer = JsFuture::from(whole.array_buffer()?).await?;
        self.is_over = true;
        let bytes = Uint8Array::new(&buffer).to_vec();
        Ok(Some(Bytes::from(bytes)).filter(|bytes| !bytes.is_empty()))
    }

    fn reader(&mut self) -> Result<&ReadableStreamDefaultReader, JsValue> {
        if self.reader.is_none() {
            let stream = self.stream.as_ref().ok_or(JsValue::UNDEFINED)?;
            self.reader = Some(stream.get_reader().unchecked_into());
        }
        self.reader.as_ref().ok_or(JsValue::UNDEFINED)
    }

    async fn read(&mut self) -> Result<Option<Bytes>, JsValue> {
        if self.is_over {
            return Ok(None);
        }
        if !self.is_in_pieces
            && self.length.is_some_and(|length| length <= READ_WHOLE_BYTES)
            && self.reader.is_none()
            && let Some(stream) = self.stream.take()
        {
            return self.read_whole(stream).await;
        }
        let piece = JsFuture::from(self.reader()?.read()).await?;
        if Reflect::get(&piece, &"done".into())?.is_truthy() {
            self.is_over = true;
            return Ok(None);
        }
        let bytes: Uint8Array = Reflect::get(&piece, &"value".into())?.dyn_into()?;
        Ok(Some(Bytes::from(bytes.to_vec())))
    }
}

impl ByteStream for JsStream {
    fn length(&self) -> Option<u64> {
        self.length
    }

    async fn next(&mut self) -> Option<Result<Bytes, BrokenStream>> {
        self.read().await.map_err(|_| BrokenStream).transpose()
    }

    fn in_pieces(mut self) -> Self {
        self.is_in_pieces = true;
        self
    }

    /// Only of a body that was not read from yet. The handle to look into ends no request.
    fn twice(mut self) -> (Self, Self) {
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
            is_over: true,
        };
        let look = half(0).unwrap_or_else(nothing);
        let mut pass = half(1).unwrap_or_else(nothing);
        pass.abort = self.abort.take();
        self.is_over = true;
        (look, pass)
    }
}

impl Drop for JsStream {
    /// What was neither passed on nor read to its end is cancelled. The promise tells nothing anybody waits for.
    fn drop(&mut self) {
        match (&self.abort, &self.reader, &self.stream) {
            _ if self.is_over => {}
            (Some(abort), ..) => abort.abort(),
            (None, Some(reader), _) => drop(reader.cancel()),
            (None, None, Some(stream)) if !stream.locked() => drop(stream.cancel()),
            _ => {}
        }
    }
}
