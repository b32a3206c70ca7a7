//! Requests to providers, by the platform's `fetch`.

use bytes::Bytes;
use futures_util::stream::LocalBoxStream;
use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestCache, RequestInit, RequestRedirect, WorkerGlobalScope};

use super::convert;
use super::edge::{Edge, in_time};
use super::stream::JsStream;
use crate::ports::{Body, HttpClient, Outgoing, Reply, SendError};

impl HttpClient for Edge {
    type Stream = JsStream;

    async fn send(&self, request: Outgoing<JsStream>) -> Result<Reply<JsStream>, SendError> {
        let timeout = request.timeout;
        let controller = AbortController::new().map_err(|_| SendError::Unreachable)?;
        let request = build(request, &controller).map_err(|_| SendError::Unreachable)?;
        let mut pending = PendingRequest(Some(controller));
        let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
        let Some(outcome) =
            in_time(timeout, JsFuture::from(scope.fetch_with_request(&request))).await
        else {
            return Err(SendError::Timeout);
        };
        let controller = pending.0.take();
        let response: web_sys::Response = outcome
            .map_err(|_| SendError::Unreachable)?
            .unchecked_into();
        let mut reply = convert::reply(&response);
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

fn build(
    request: Outgoing<JsStream>,
    controller: &AbortController,
) -> Result<web_sys::Request, JsValue> {
    let init = RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_headers(&convert::headers_out(&request.headers)?);
    init.set_redirect(RequestRedirect::Manual);
    // The edge cache must not keep the data of one account for another.
    init.set_cache(RequestCache::NoStore);
    init.set_signal(Some(&controller.signal()));
    if let Some(body) = convert::body_out(request.body) {
        init.set_body(&body);
    }
    web_sys::Request::new_with_str_and_init(request.url.as_str(), &init)
}
