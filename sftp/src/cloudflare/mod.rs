//! The shell: a request in, an SSH connection, a response out. It decides nothing that the pure modules can.
//!
//! The work is one task that the platform keeps until it has ended (`waitUntil`), even when the gateway has gone: so a session is
//! ended at the server, and the part of a broken upload removed.

mod admission;
mod connect;
mod download;
mod driver;
mod session;
mod short;
mod timing;
mod upload;
mod wire;

use std::time::Duration;

use js_sys::Promise;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::future_to_promise;

use admission::Slot;
use connect::Connection;
use download::Download;
use driver::{Body, Pipe};
use session::Session;
use timing::within;
use upload::Upload;

use crate::error::{Failure, Outcome};
use crate::request::{Operation, Read, Request, Write};

/// How long the head may take. It is in the first piece that the gateway sends.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Requests of the gateway.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, context: &JsValue) -> Promise {
    let (responder, response) = oneshot::channel();
    let work = future_to_promise(async move {
        serve(&request, Responder(responder)).await;
        Ok(JsValue::UNDEFINED)
    });
    driver::wait_until(context, &work);
    future_to_promise(async move {
        response
            .await
            .map_err(|_| "the operation has no response".into())
    })
}

struct Responder(oneshot::Sender<JsValue>);

impl Responder {
    // A response that is no longer waited for is dropped.

    fn json(self, status: u16, body: &Value) {
        let headers = r#"{"content-type": "application/json"}"#;
        let response = driver::respond(status, headers, &body.to_string().into());
        let _ = self.0.send(response);
    }

    fn fail(self, failure: &Failure) {
        self.json(failure.kind.status(), &failure.json());
    }

    fn stream(self, headers: &str, pipe: &Pipe) {
        let _ = self.0.send(driver::respond(200, headers, &pipe.readable()));
    }
}

async fn serve(request: &web_sys::Request, responder: Responder) {
    let mut body = Body::of(request);
    let admitted = async {
        let split = body.head().await?;
        let request = Request::parse(&driver::path_of(request), &split.head)?;
        let slot = Slot::take(&request)?;
        Ok((request, split.content, slot))
    };
    let (request, content, slot) = match within(HEAD_TIME, admitted).await {
        Ok(admitted) => admitted,
        Err(failure) => return responder.fail(&failure),
    };
    let redacted = |failure: Failure| failure.redacted(&request.server.secrets());
    match &request.operation {
        Operation::Read(read) => download(&request, read, responder, &slot).await,
        Operation::Write(write) => {
            let content = (content, &mut body);
            upload(&request, write, content, responder, &slot).await;
        }
        _ => {
            let mut session = None;
            let limit = Duration::from_millis(request.timeout_ms.into());
            match within(limit, run(&request, &mut session)).await {
                Ok(answer) => responder.json(200, &answer),
                Err(failure) => responder.fail(&redacted(failure)),
            }
            end(session).await;
        }
    }
}

/// An operation that moves no content.
async fn run(request: &Request, place: &mut Option<Session>) -> Outcome<Value> {
    if let Operation::HostKey = request.operation {
        let presented = Connection::host_key(&request.server).await?;
        return Ok(json!({ "host_key": presented.host_key, "fingerprint": presented.fingerprint }));
    }
    let session = place.insert(Session::open(request).await?);
    match &request.operation {
        Operation::List(list) => short::list(session, list).await,
        Operation::Stat(target) => short::stat(session, &target.path).await,
        Operation::Delete(target) => short::delete(session, &target.path).await,
        Operation::Mkdir(target) => short::mkdir(session, &target.path).await,
        Operation::Rmdir(target) => short::rmdir(session, &target.path).await,
        Operation::Rename(names) => short::rename(session, names).await,
        _ => short::check(session).await,
    }
}

async fn download(request: &Request, read: &Read, responder: Responder, slot: &Slot) {
    let mut place = None;
    let limit = Duration::from_millis(request.timeout_ms.into());
    let opened = async {
        let session = place.insert(Session::open(request).await?);
        Download::open(session, read).await
    };
    match within(limit, opened).await {
        Err(failure) => responder.fail(&failure.redacted(&request.server.secrets())),
        Ok(file) => {
            let pipe = Pipe::open(file.length());
            responder.stream(&file.headers(), &pipe);
            if let Some(session) = &place {
                // How it failed is seen by the response, which breaks.
                let _ = file.run(session, pipe, slot).await;
            }
        }
    }
    end(place).await;
}

async fn upload(
    request: &Request,
    write: &Write,
    content: (Vec<u8>, &mut Body),
    responder: Responder,
    slot: &Slot,
) {
    let mut place = None;
    let limit = Duration::from_millis(request.timeout_ms.into());
    let opened = async {
        let session = place.insert(Session::open(request).await?);
        Upload::open(session, write).await
    };
    let opened = within(limit, opened).await;
    let stored = match (opened, &place) {
        (Ok(part), Some(session)) => part.run(session, content, write, slot).await,
        (Ok(_), None) => return,
        (Err(failure), _) => Err(failure),
    };
    match stored {
        Ok(answer) => responder.json(200, &answer),
        Err(failure) => responder.fail(&failure.redacted(&request.server.secrets())),
    }
    end(place).await;
}

async fn end(session: Option<Session>) {
    if let Some(session) = session {
        session.end().await;
    }
}
