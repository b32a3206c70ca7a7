//! The Durable Object class `Directory`.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;
use worker::durable::State;
use worker::worker_sys::DurableObjectState;

use super::edge::Edge;
use super::storage::ObjectStorage;
use super::{bindings, event};
use crate::flows::directory;
use crate::flows::directory::DirectoryName;
use crate::ports::ObjectName;

/// The source of record for what must be consistent; see `flows::directory`.
#[wasm_bindgen]
pub struct Directory {
    inner: Option<Rc<directory::Directory<Edge, ObjectStorage>>>,
}

#[wasm_bindgen]
impl Directory {
    #[wasm_bindgen(constructor)]
    pub fn new(state: DurableObjectState, env: Env) -> Self {
        let state = State::from(state);
        let name = bindings::own_name(&state).and_then(|name| bindings::directory_name(&name));
        let name = match name {
            Some(ObjectName::Root) => Some(DirectoryName::Root),
            Some(ObjectName::Environment(id)) => Some(DirectoryName::Environment(id)),
            _ => None,
        };
        let inner = name.map(|name| {
            let edge = Edge::of_object(env);
            let isolate = edge.isolate();
            let storage = ObjectStorage::new(&state);
            Rc::new(directory::Directory::new(edge, isolate, storage, name))
        });
        Self { inner }
    }

    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let inner = self.inner.clone();
        event::run(
            async move |event| match (inner, event::message(&request).await) {
                (Some(directory), Some(message)) => {
                    event.respond_with_text(&directory.answer(&message).await);
                }
                _ => event.refuse("the name of this object is unknown, or a message broke off"),
            },
        )
    }

    pub fn alarm(&self) -> Promise {
        let inner = self.inner.clone();
        event::run(async move |event| {
            if let Some(directory) = inner {
                directory.alarm().await;
            }
            event.respond_with_text("");
        })
    }
}
