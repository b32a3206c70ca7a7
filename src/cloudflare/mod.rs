//! The Worker shell: passes events to `api::handle` and to the objects, and their responses back. It is the only row
//! that knows the platform, and it decides nothing.

mod account_object;
mod bindings;
mod convert;
mod directory_object;
mod edge;
mod http_client;
mod objects;
mod storage;
mod stream;

use worker::{Context, Env, Request, Response, event};

use crate::api;

pub use account_object::Account;
pub use directory_object::Directory;

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let edge = edge::Edge::new(env);
    let isolate = edge.isolate();
    let reply = api::handle(&edge, &isolate, convert::incoming(request.inner())).await;
    convert::response(reply)
}
