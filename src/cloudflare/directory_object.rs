//! The Durable Object class `Directory`.

use worker::durable::State;
use worker::{DurableObject, Env, Request, Response, durable_object};

use super::bindings;
use super::edge::Edge;
use super::storage::ObjectStorage;
use crate::flows::directory;
use crate::flows::directory::DirectoryName;
use crate::ports::ObjectName;

/// The source of record for what must be consistent; see `flows::directory`.
#[durable_object]
pub struct Directory {
    inner: Option<directory::Directory<Edge, ObjectStorage>>,
}

impl DurableObject for Directory {
    fn new(state: State, env: Env) -> Self {
        let name = bindings::own_name(&state).and_then(|name| bindings::directory_name(&name));
        let name = match name {
            Some(ObjectName::Root) => Some(DirectoryName::Root),
            Some(ObjectName::Environment(id)) => Some(DirectoryName::Environment(id)),
            _ => None,
        };
        let inner = name.map(|name| {
            let edge = Edge::new(env);
            let isolate = edge.isolate();
            directory::Directory::new(edge, isolate, ObjectStorage::new(&state), name)
        });
        Self { inner }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let message = request.text().await?;
        match &self.inner {
            Some(directory) => Response::ok(directory.answer(&message).await),
            None => Response::error("the name of this object is not one of a directory", 500),
        }
    }

    async fn alarm(&self) -> worker::Result<Response> {
        if let Some(directory) = &self.inner {
            directory.alarm().await;
        }
        Response::empty()
    }
}
