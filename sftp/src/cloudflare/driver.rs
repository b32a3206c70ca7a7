//! The functions of `driver.js`, and the two streams: the body of a request, and that of a response.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::JsFuture;
use web_sys::Request;

use crate::error::{Failure, Kind, Outcome};
use crate::frame::{HeadReader, Split, without_head};

#[wasm_bindgen(module = "/src/cloudflare/driver.js")]
extern "C" {
    #[wasm_bindgen(js_name = waitUntil)]
    pub fn wait_until(context: &JsValue, promise: &Promise);
    #[wasm_bindgen(js_name = pathOf)]
    pub fn path_of(request: &Request) -> String;
    /// `headers` are JSON.
    pub fn respond(status: u16, headers: &str, body: &JsValue) -> JsValue;

    #[wasm_bindgen(js_name = readerOf)]
    fn reader_of(request: &Request) -> JsValue;
    #[wasm_bindgen(js_name = readPiece)]
    fn read_piece(reader: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = stopReading)]
    fn stop_reading(reader: &JsValue);

    #[wasm_bindgen(js_name = openPipe)]
    fn open_pipe(length: f64) -> JsValue;
    #[wasm_bindgen(js_name = readableOf)]
    fn readable_of(pipe: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = goneOf)]
    fn gone_of(pipe: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = writePiece)]
    fn write_piece(pipe: &JsValue, bytes: &[u8]) -> Promise;
    #[wasm_bindgen(js_name = closePipe)]
    fn close_pipe(pipe: &JsValue) -> Promise;
    #[wasm_bindgen(js_name = abortPipe)]
    fn abort_pipe(pipe: &JsValue, message: &str);
}

/// The body of a request.
pub struct Body(JsValue);

impl Body {
    pub fn of(request: &Request) -> Self {
        Self(reader_of(request))
    }

    /// The next piece. A body that breaks off is an error and no end: an upload is complete only if its sender says so.
    pub async fn piece(&mut self) -> Outcome<Option<Vec<u8>>> {
        if self.0.is_undefined() {
            return Ok(None);
        }
        let piece = JsFuture::from(read_piece(&self.0))
            .await
            .map_err(|_| Failure::new(Kind::BadRequest, "The content broke off before its end."))?;
        Ok((!piece.is_null()).then(|| Uint8Array::new(&piece).to_vec()))
    }

    pub async fn head(&mut self) -> Outcome<Split> {
        let mut reader = HeadReader::default();
        while let Some(piece) = self.piece().await? {
            if let Some(split) = reader.push(&piece)? {
                return Ok(split);
            }
        }
        Err(without_head())
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if !self.0.is_undefined() {
            stop_reading(&self.0);
        }
    }
}

/// The body of a response, of a length that is known. Unless it is closed, it breaks.
pub struct Pipe {
    js: JsValue,
    gone: JsFuture,
    has_ended: bool,
}

impl Pipe {
    #[allow(clippy::cast_precision_loss)] // a file of more than 2^53 bytes
    pub fn open(length: u64) -> Self {
        let js = open_pipe(length as f64);
        let gone = JsFuture::from(gone_of(&js));
        Self {
            js,
            gone,
            has_ended: false,
        }
    }

    pub fn readable(&self) -> JsValue {
        readable_of(&self.js)
    }

    /// Waits until the bytes are read, so that the pipe holds one piece at most.
    pub async fn write(&self, bytes: &[u8]) -> Outcome<()> {
        let written = JsFuture::from(write_piece(&self.js, bytes)).await;
        written.map(drop).map_err(|_| not_read())
    }

    /// Ends when nothing more is read.
    pub async fn gone(&mut self) -> Failure {
        let _ = (&mut self.gone).await;
        not_read()
    }

    pub async fn close(mut self) -> Outcome<()> {
        self.has_ended = true;
        let closed = JsFuture::from(close_pipe(&self.js)).await;
        closed.map(drop).map_err(|_| not_read())
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if !self.has_ended {
            abort_pipe(&self.js, "The transfer ended before the file did.");
        }
    }
}

/// Nothing receives this: the gateway has gone.
fn not_read() -> Failure {
    Failure::new(Kind::ConnectionLost, "The content is no longer read.")
}
