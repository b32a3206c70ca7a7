//! The Durable Object class `Account`.

use std::rc::Rc;

use worker::durable::State;
use worker::{DurableObject, Env, Request, Response, durable_object};

use super::edge::Edge;
use super::objects;
use super::storage::ObjectStorage;
use super::{bindings, convert};
use crate::flows::object::AccountObject;
use crate::flows::object::dispatch::dispatch;

/// The object of an account, in its region; see `flows::object`.
#[durable_object]
pub struct Account {
    inner: Option<Rc<AccountObject<Edge, ObjectStorage>>>,
}

impl DurableObject for Account {
    fn new(state: State, env: Env) -> Self {
        let id = bindings::own_name(&state).and_then(|name| name.parse().ok());
        let inner = id.map(|id| {
            let edge = Edge::new(env);
            let isolate = edge.isolate();
            let storage = ObjectStorage::new(&state);
            Rc::new(AccountObject::new(edge, isolate, storage, id))
        });
        Self { inner }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let Some(account) = &self.inner else {
            return Response::error("the name of this object is not an account id", 500);
        };
        if request.headers().has(objects::MESSAGE)? {
            let message = request.text().await?;
            return Response::ok(account.answer(&message).await);
        }
        let incoming = convert::incoming(request.inner()).ok();
        let handed = incoming
            .and_then(|incoming| Some((objects::hand_over_in(&incoming.headers)?, incoming)));
        let Some((hand_over, incoming)) = handed else {
            return Response::error("not a request of the front Worker", 500);
        };
        let answer = Box::pin(dispatch(account, hand_over, incoming));
        convert::response(answer.await)
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Some(account) = &self.inner {
            account.alarm().await;
        }
        Response::empty()
    }
}
