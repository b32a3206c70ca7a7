//! Operations of the platform, by `driver.js`: one synchronous call begins an operation, one brings its result, and the task
//! that waits for it goes on in that same call. A `JsFuture` costs three closures and a microtask instead.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::handler::set_on_abort;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use web_sys::{ReadableStream, ReadableStreamDefaultReader, Request};

use super::tasks;

#[wasm_bindgen(module = "/src/cloudflare/driver.js")]
extern "C" {
    fn listen(callback: JsValue);

    /// Rejects the open responses, breaks the bodies that Rust produces, and starts a new instance.
    fn lose();

    #[wasm_bindgen(js_name = openResponse)]
    fn open() -> JsValue;
    #[wasm_bindgen(js_name = promiseOf)]
    pub fn promise_of(response: &JsValue) -> Promise;
    /// Makes the response; `headers` are JSON.
    pub fn respond(response: &JsValue, status: u16, headers: &str, body: &JsValue);
    /// Makes it of another response.
    #[wasm_bindgen(js_name = passOn)]
    pub fn pass_on(response: &JsValue, value: &JsValue);
    /// Rejects it.
    pub fn refuse(response: &JsValue, message: &str);

    /// The method, the URL and the header fields of a request, each on a line.
    #[wasm_bindgen(js_name = headOf)]
    pub fn head_of(request: &Request) -> String;
    /// The value of a header field, or nothing.
    #[wasm_bindgen(js_name = fieldOf)]
    pub fn field_of(request: &Request, name: &str) -> String;
    #[wasm_bindgen(js_name = bodyOf)]
    pub fn body_of(request: &Request) -> Option<ReadableStream>;

    /// Sends a request to a provider. Result: the status, the header fields as lines, the body's stream or null.
    pub fn send(
        operation: u32,
        method: &str,
        url: &str,
        headers: &str,
        body: &JsValue,
        signal: &JsValue,
    );
    /// Sends a request to the SFTP Worker: `front`, then the stream `content` or nothing. Result as of [`send`].
    #[wasm_bindgen(js_name = askSftp)]
    pub fn ask_sftp(
        operation: u32,
        env: &JsValue,
        binding: &str,
        name: &str,
        front: &Uint8Array,
        content: &JsValue,
        signal: &JsValue,
    );
    /// The response without a header field.
    #[wasm_bindgen(js_name = withoutHeader)]
    pub fn without_header(response: &JsValue, name: &str) -> JsValue;
    /// Keeps a request of the front Worker alive until the promise is settled.
    #[wasm_bindgen(js_name = waitUntil)]
    pub fn wait_until(context: &JsValue, promise: &Promise);

    /// Sends a request to an object. Result: the status, its lease offer, and the response.
    #[wasm_bindgen(js_name = callObject)]
    pub fn call_object(
        operation: u32,
        env: &JsValue,
        binding: &str,
        name: &str,
        location: &str,
        method: &str,
        url: &str,
        headers: &str,
        body: &JsValue,
    );
    /// Sends a message to an object. Result: the status and the text of the answer.
    #[wasm_bindgen(js_name = sendMessage)]
    pub fn send_message(
        operation: u32,
        env: &JsValue,
        binding: &str,
        name: &str,
        location: &str,
        headers: &str,
        message: &str,
    );
    /// Result: the text of the body.
    #[wasm_bindgen(js_name = readText)]
    pub fn read_text(operation: u32, request: &Request);
    /// Result: all bytes.
    #[wasm_bindgen(js_name = readAll)]
    pub fn read_all(operation: u32, stream: &ReadableStream);
    /// Result: the next bytes, or null at the end.
    #[wasm_bindgen(js_name = readPiece)]
    pub fn read_piece(operation: u32, reader: &ReadableStreamDefaultReader);

    /// Runs a statement of the object's database. `values` and the rows are JSON; the text is empty without rows.
    #[wasm_bindgen(catch)]
    pub fn execute(sql: &JsValue, statement: &str, values: &str) -> Result<String, JsValue>;

    /// A stream that Rust produces. A trap breaks it, which otherwise would never end.
    pub fn breakable(stream: &ReadableStream) -> ReadableStream;
    /// A body of this many bytes, which are written with [`write_whole`].
    #[wasm_bindgen(js_name = openPipe)]
    pub fn open_pipe(length: u32) -> JsValue;
    #[wasm_bindgen(js_name = readableOf)]
    pub fn readable_of(pipe: &JsValue) -> ReadableStream;
    /// Result: the reader has all bytes. An error: it has gone.
    #[wasm_bindgen(js_name = writeWhole)]
    pub fn write_whole(operation: u32, pipe: &JsValue, bytes: &[u8]);

    /// Calls back in a microtask.
    #[wasm_bindgen(js_name = runSoon)]
    pub fn run_soon(callback: &JsValue);
    #[wasm_bindgen(js_name = setTimer)]
    pub fn set_timer(callback: &JsValue, ms: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimer)]
    pub fn clear_timer(timer: &JsValue);
}

/// A response that is not made yet. A trap rejects it, and a panic is a trap.
pub fn open_response() -> JsValue {
    // `lose` runs in the instance that the trap has ended.
    set_on_abort(lose);
    open()
}

/// The result of an operation; what it means is said with each.
pub struct Settled {
    pub status: u16,
    pub text: String,
    pub value: JsValue,
}

#[derive(Default)]
struct Slot {
    result: Cell<Option<Result<Settled, String>>>,
    waker: Cell<Option<Waker>>,
}

thread_local! {
    static OPERATIONS: RefCell<HashMap<u32, Rc<Slot>>> = RefCell::default();
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// An operation that has begun. Its result is dropped if this is.
struct PendingOperation {
    id: u32,
    slot: Rc<Slot>,
}

impl Drop for PendingOperation {
    fn drop(&mut self) {
        OPERATIONS.with_borrow_mut(|operations| operations.remove(&self.id));
    }
}

/// Begins an operation and returns its result; an error is the platform's text.
pub async fn operation(begin: impl FnOnce(u32)) -> Result<Settled, String> {
    let id = next_id();
    let slot = Rc::new(Slot::default());
    OPERATIONS.with_borrow_mut(|operations| operations.insert(id, Rc::clone(&slot)));
    let operation = PendingOperation { id, slot };
    begin(id);
    poll_fn(|context| {
        if let Some(result) = operation.slot.result.take() {
            return Poll::Ready(result);
        }
        operation.slot.waker.set(Some(context.waker().clone()));
        Poll::Pending
    })
    .await
}

fn next_id() -> u32 {
    let last = LAST.get();
    if last == 0 {
        let callback = Closure::<dyn FnMut(u32, u16, String, JsValue)>::new(settle);
        listen(callback.into_js_value());
    }
    let next = last.checked_add(1).unwrap_or(1);
    LAST.set(next);
    next
}

fn settle(id: u32, status: u16, text: String, value: JsValue) {
    let Some(slot) = OPERATIONS.with_borrow(|operations| operations.get(&id).cloned()) else {
        return;
    };
    slot.result.set(Some(match status {
        0 => Err(text),
        status => Ok(Settled {
            status,
            text,
            value,
        }),
    }));
    if let Some(waker) = slot.waker.take() {
        tasks::run_woken_by(|| waker.wake());
    }
}
