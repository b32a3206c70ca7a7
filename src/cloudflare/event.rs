//! An event of the platform, and its response.

use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::Request;

use super::stream::JsStream;
use super::{convert, driver, tasks};
use crate::ports::Reply;

/// An event that has no response yet.
pub struct OpenEvent(JsValue);

/// Runs the work of an event, and returns the promise of its response.
pub fn run(work: impl AsyncFnOnce(OpenEvent) + 'static) -> Promise {
    let response = driver::open_response();
    let promise = driver::promise_of(&response);
    tasks::start(work(OpenEvent(response)));
    promise
}

impl OpenEvent {
    pub fn respond(self, reply: Reply<JsStream>) {
        convert::respond(&self.0, reply);
    }

    pub fn respond_with_text(self, text: &str) {
        driver::respond(&self.0, 200, "{}", &text.into());
    }

    /// Responds with another response, as it is.
    pub fn pass_on(self, response: &JsValue) {
        driver::pass_on(&self.0, response);
    }

    /// Fails: the sender gets an exception.
    pub fn refuse(self, message: &str) {
        driver::refuse(&self.0, message);
    }
}

/// The text of a message to an object.
pub async fn message(request: &Request) -> Option<String> {
    let read = driver::operation(|id| driver::read_text(id, request));
    Some(read.await.ok()?.text)
}
