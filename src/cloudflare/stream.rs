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
    /// Gone once it was passed on.
    stream: Option<ReadableStream>,
    length: Option<u64>,
    reader: Option<ReadableStreamDefaultReader>,
    is_over: bool,
}

impl JsStream {
    /// A handle that was not read from yet.
    pub fn new(stream: ReadableStream, length: Option<u64>) -> Self {
        Self {
            stream: Some(stream),
            length,
            reader: None,
            is_over: false,
        }
    }

    /// The platform's stream, to pass on.
    pub fn into_inner(mut self) -> Option<ReadableStream> {
        self.stream.take()
    }

    fn reader(&mut self) -> Result<&ReadableStreamDefaultReader, JsValue> {
        if self.reader.is_none() {
            let stream = self.stream.as_ref().ok_or(JsValue::UNDEFINED)?;
            self.reader = Some(stream.get_reader().unchecked_into());
        }
        self.reader.as_ref().ok_or(JsValue::UNDEFINED)
    }

    async fn read(&mut self) -> Result<Option<Bytes>, JsValue> {
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
}

impl Drop for JsStream {
    /// What was neither passed on nor read to its end is cancelled. The promise tells nothing anybody waits for.
    fn drop(&mut self) {
        match (&self.reader, &self.stream) {
            (Some(reader), _) if !self.is_over => drop(reader.cancel()),
            (None, Some(stream)) if !stream.locked() => drop(stream.cancel()),
            _ => {}
        }
    }
}
