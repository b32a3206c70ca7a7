//! An admin call whose caller has the right to it, and its body.

use std::marker::PhantomData;

use http::HeaderMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

use crate::api::caller::Caller;
use crate::api::query::QueryParameters;
use crate::api::{RequestContext, shape};
use crate::error::Failure;
use crate::ids::EnvironmentId;
use crate::ports::{Body, HttpClient, Outside, Visibility};

/// An admin call, without its body.
pub(in crate::api) struct AdminCall<'a, O> {
    pub(in crate::api) context: &'a RequestContext<'a, O>,
    pub(in crate::api) caller: &'a Caller,
    pub(in crate::api) url: Url,
    pub(in crate::api) headers: HeaderMap,
}

impl<'a, O: Outside> AdminCall<'a, O> {
    pub(super) fn outside(&self) -> &'a O {
        self.context.outside
    }

    /// The environment it is about: named in its body or its query, or a token's own.
    pub(super) fn environment(&self, named: Option<&str>) -> Result<EnvironmentId, Failure> {
        let query = self.query()?;
        self.caller
            .environment(named.or(query.get("environment_id")))
    }

    /// Which accounts the caller may see. The admin token may name an environment; it need not, for an id is enough.
    pub(super) fn visibility(&self) -> Result<Visibility, Failure> {
        let query = self.query()?;
        self.visibility_in(query.get("environment_id"))
    }

    /// The same in an environment, where one is named.
    pub(super) fn visibility_in(&self, named: Option<&str>) -> Result<Visibility, Failure> {
        match named {
            None => Ok(self.caller.visibility()),
            Some(_) => self.caller.environment(named).map(Visibility::Environment),
        }
    }

    fn query(&self) -> Result<QueryParameters, Failure> {
        QueryParameters::read(&self.url, &["environment_id"])
    }
}

/// A JSON body of this type, not read yet: what refuses a call without its body comes first.
pub(in crate::api) struct JsonBody<O: HttpClient, T> {
    body: Body<O::Stream>,
    shape: PhantomData<fn() -> T>,
}

impl<O: Outside, T: DeserializeOwned> JsonBody<O, T> {
    pub(in crate::api) fn new(body: Body<O::Stream>) -> Self {
        let shape = PhantomData;
        Self { body, shape }
    }

    pub(super) async fn read(self, call: &AdminCall<'_, O>) -> Result<T, Failure> {
        shape::read(call.context, self.body).await
    }

    /// At most so many bytes of it.
    pub(super) async fn read_within(
        self,
        call: &AdminCall<'_, O>,
        most: usize,
    ) -> Result<T, Failure> {
        shape::read_shape(&shape::read_json_within(call.context, self.body, most).await?)
    }

    /// It has a `context` of at most so many bytes: a longer one is not built.
    pub(super) async fn read_with_context(
        self,
        call: &AdminCall<'_, O>,
        most: usize,
    ) -> Result<T, Failure> {
        shape::read_with_context(call.context, self.body, most).await
    }

    /// It may be absent: then null.
    pub(super) async fn read_if_any(self, call: &AdminCall<'_, O>) -> Result<T, Failure> {
        let room = &call.context.room;
        let json = shape::read_json_if_any(call.outside(), self.body, room, None).await?;
        shape::read_shape(&json)
    }
}

/// A text or null; a null in the body is kept apart from an absent key.
pub(super) fn text_or_null<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Value>, D::Error> {
    let text: Option<String> = Option::deserialize(input)?;
    Ok(Some(text.into()))
}
