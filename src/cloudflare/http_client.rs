//! Requests to providers, by the platform's `fetch`.

use bytes::Bytes;
use futures_util::stream::LocalBoxStream;
use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::edge::{Edge, in_time};
use super::stream::JsStream;
use super::{convert, driver};
use crate::ports::{Body, HttpClient, Outgoing, Reply, SendError};

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
}

/// A request without a response yet. Dropping this aborts it: it took too long, or its caller has gone.
struct PendingRequest(Option<AbortController>);

impl Drop for PendingRequest {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
