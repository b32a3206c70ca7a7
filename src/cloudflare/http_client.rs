//! Requests to providers, by the platform's `fetch`.

use std::any::Any;

use bytes::Bytes;
use futures_util::stream::LocalBoxStream;
use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::edge::{Edge, in_time};
use super::stream::{JsStream, READ_WHOLE_BYTES};
use super::{convert, driver, tasks};
use crate::ports::{Body, HttpClient, Outgoing, Reply, SendError, pieces_of};

impl HttpClient for Edge {
    type Stream = JsStream;

    async fn send(&self, request: Outgoing<JsStream>) -> Result<Reply<JsStream>, SendError> {
        let controller = AbortController::new().map_err(|_| SendError::Unreachable)?;
        let signal = controller.signal();
        let mut pending = PendingRequest(Some(controller));
        let headers = convert::headers_out(&request.headers);
        let body = convert::body_out(request.body).unwrap_or(JsValue::NULL);
        let sent = driver::operation(|id| {
            let (method, url) = (request.method.as_str(), request.url.as_str());
            driver::send(id, method, url, &headers, &body, &signal);
        });
        let Some(result) = in_time(self, request.timeout, sent).await else {
            return Err(SendError::Timeout);
        };
        let controller = pending.0.take();
        let mut reply = convert::reply(result.map_err(|_| SendError::Unreachable)?);
        reply.body = match reply.body {
            Body::Stream(stream) => Body::Stream(stream.aborted_by(controller)),
            other => other,
        };
        Ok(reply)
    }

    fn stream(&self, pieces: LocalBoxStream<'static, Bytes>) -> JsStream {
        JsStream::from_pieces(pieces)
    }

    /// The requests of an object share one context, where the platform always reports the end of a write. In the front
    /// Worker the context ends with its request, and a report would never come.
    fn held(&self, bytes: Bytes, held: Box<dyn Any>) -> JsStream {
        if !self.is_of_object() || bytes.len() as u64 > READ_WHOLE_BYTES {
            return self.stream(pieces_of(bytes, held));
        }
        let pipe = driver::open_pipe(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        let body = JsStream::new(driver::readable_of(&pipe), Some(bytes.len() as u64));
        let written = driver::operation(move |id| driver::write_whole(id, &pipe, &bytes));
        tasks::spawn(Box::pin(async move {
            // An error: the reader has gone.
            let _ = written.await;
            drop(held);
        }));
        body
    }
}

/// A request without a response yet. Dropping this aborts it: it took too long, or its caller has gone.
pub(super) struct PendingRequest(pub(super) Option<AbortController>);

impl Drop for PendingRequest {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
