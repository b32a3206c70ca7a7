//! The Worker shell: passes events to `api::handle` and to the objects, and their responses back. It is the only row
//! that knows the platform, and it decides nothing.

mod account_object;
mod bindings;
mod convert;
mod directory_object;
mod driver;
mod edge;
mod event;
mod http_client;
mod objects;
mod random;
mod sftp;
mod storage;
mod stream;
mod tasks;
mod timers;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

use crate::api;

pub use account_object::Account;
pub use directory_object::Directory;

/// Requests of the world.
#[wasm_bindgen]
pub fn fetch(request: web_sys::Request, env: Env, context: JsValue) -> Promise {
    event::run(async move |event| {
        let edge = edge::Edge::of_request(env, context);
        let (isolate, leases) = (edge.isolate(), edge::leases());
        match api::handle(&edge, (&isolate, &leases), convert::incoming(&request)).await {
            api::FrontReply::Own(reply) => event.respond(reply),
            api::FrontReply::Object(reply) => event.pass_on(&reply.response),
        }
    })
}
