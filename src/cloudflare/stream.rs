//! The platform's handle of a streamed body. Passed on it costs nothing; read, each piece is copied
//! into wasm once.

use bytes::Bytes;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use crate::ports::{BrokenStream, ByteStream};

/// A `ReadableStream` and what its sender said of its length.
pub struct JsStream {
    stream: ReadableStream,
    length: Option<u64>,
    reader: Option<ReadableStreamDefaultReader>,
}

impl JsStream {
    /// A handle that was not read from yet.
    pub fn new(stream: ReadableStream, length: Option<u64>) -> Self {
        Self {
            stream,
            length,
            reader: None,
        }
    }

    /// The platform's stream, to pass on.
    pub fn into_inner(self) -> ReadableStream {
        self.stream
    }

    fn reader(&mut self) -> Result<&ReadableStreamDefaultReader, JsValue> {
        if self.reader.is_none() {
            let reader: ReadableStreamDefaultReader = self.stream.get_reader().unchecked_into();
            self.reader = Some(reader);
        }
        self.reader.as_ref().ok_or(JsValue::UNDEFINED)
    }

    async fn read(&mut self) -> Result<Option<Bytes>, JsValue> {
        let piece = JsFuture::from(self.reader()?.read()).await?;
        if Reflect::get(&piece, &"done".into())?.is_truthy() {
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

    fn discard(self) {
        // A stream with a reader is cancelled by it. The promise tells nothing anybody waits for.
        drop(match self.reader {
            Some(reader) => reader.cancel(),
            None => self.stream.cancel(),
        });
    }
}
