//! The Durable Object class `Account`.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;
use worker::durable::State;
use worker::worker_sys::DurableObjectState;

use super::edge::Edge;
use super::event::{self, OpenEvent};
use super::storage::ObjectStorage;
use super::{bindings, driver, objects};
use crate::flows::object::AccountObject;
use crate::flows::object::dispatch::dispatch;

type Inner = AccountObject<Edge, ObjectStorage>;

/// The object of an account, in its region; see `flows::object`.
#[wasm_bindgen]
pub struct Account {
    inner: Option<Rc<Inner>>,
}

#[wasm_bindgen]
impl Account {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        let state = State::from(state);
        let id = bindings::own_name(&state).and_then(|name| name.parse().ok());
        let inner = id.map(|id| {
            let edge = Edge::of_object(env);
            let isolate = edge.isolate();
            let storage = ObjectStorage::new(&state);
            Rc::new(AccountObject::new(edge, isolate, storage, id))
        });
        Self { inner }
    }

    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let inner = self.inner.clone();
        event::run(async move |event| match inner {
            Some(account) => answer(event, &account, &request).await,
            None => event.refuse("the name of this object is not an account id"),
        })
    }

    pub fn alarm(&self) -> Promise {
        let inner = self.inner.clone();
        event::run(async move |event| {
            if let Some(account) = inner {
                account.alarm().await;
            }
            event.respond_with_text("");
        })
    }
}

async fn answer(event: OpenEvent, account: &Rc<Inner>, request: &web_sys::Request) {
    if let Some((hand_over, incoming)) = objects::hand_over_in(request) {
        return event.respond(Box::pin(dispatch(account, hand_over, incoming)).await);
    }
    if driver::field_of(request, objects::MESSAGE).is_empty() {
        return event.refuse("not a request of the front Worker");
    }
    match event::message(request).await {
        Some(message) => event.respond_with_text(&account.answer(&message).await),
        None => event.refuse("a message broke off"),
    }
}
