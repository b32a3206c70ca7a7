//! Requests to the SFTP Worker, by its service binding.

use js_sys::Uint8Array;
use wasm_bindgen::JsValue;
use web_sys::AbortController;

use super::edge::{Edge, in_time};
use super::http_client::PendingRequest;
use super::stream::JsStream;
use super::{bindings, convert, driver};
use crate::ports::{Body, Reply, Sftp, SftpFault, SftpRequest};

impl Sftp for Edge {
    async fn ask_sftp(&self, request: SftpRequest<JsStream>) -> Result<Reply<JsStream>, SftpFault> {
        if !bindings::has(&self.env, bindings::SFTP) {
            return Err(SftpFault::Unbound);
        }
        let controller = AbortController::new().map_err(|_| SftpFault::Broken)?;
        let signal = controller.signal();
        let mut pending = PendingRequest(Some(controller));
        let (front, content) = framed(request.framed_head(), request.body);
        let sent = driver::operation(|id| {
            let (env, operation) = (self.env.as_ref(), request.operation);
            driver::ask_sftp(
                id,
                env,
                bindings::SFTP,
                operation,
                &front,
                &content,
                &signal,
            );
        });
        let Some(result) = in_time(self, request.timeout, sent).await else {
            return Err(SftpFault::Timeout);
        };
        let controller = pending.0.take();
        let mut reply = convert::reply(result.map_err(|_| SftpFault::Broken)?);
        reply.body = match reply.body {
            Body::Stream(stream) => Body::Stream(stream.aborted_by(controller)),
            other => other,
        };
        Ok(reply)
    }
}

/// The framed head with the content that is in memory, and the stream of any other content.
fn framed(mut front: Vec<u8>, body: Body<JsStream>) -> (Uint8Array, JsValue) {
    let content = match body {
        Body::Empty => JsValue::NULL,
        Body::Bytes(bytes) => {
            front.extend_from_slice(&bytes);
            JsValue::NULL
        }
        Body::Stream(stream) => stream.into_inner().map_or(JsValue::NULL, Into::into),
    };
    (Uint8Array::from(front.as_slice()), content)
}
