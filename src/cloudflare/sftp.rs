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
        let (front, content) = framed(request.head.expose(), request.body);
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

/// The head with its length in front and the content that is in memory, and the stream of any other content.
fn framed(head: &str, body: Body<JsStream>) -> (Uint8Array, JsValue) {
    let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
    let mut front = length.to_be_bytes().to_vec();
    front.extend_from_slice(head.as_bytes());
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
