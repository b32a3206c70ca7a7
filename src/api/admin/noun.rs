//! Listing, showing and deleting, for every noun whose records a `Directory` has.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer::{Deleted, List};
use super::call::AdminCall;
use crate::api::caller::Caller;
use crate::api::path_id::{Identifier, PathId, not_found};
use crate::api::query::{Filtered, QueryParameters};
use crate::error::Failure;
use crate::flows::base::records::{ListPage, PageRequest};
use crate::flows::messages::environment::EnvironmentMessage;
use crate::flows::messages::{RootMessage, send_to_environment, send_to_root};
use crate::ids::EnvironmentId;
use crate::ports::Outside;

/// A record of a `Directory` as answers show it.
pub(in crate::api) trait Noun: Filtered + Sized {
    /// The record as it is stored.
    type Record: DeserializeOwned;
    /// The messages of its `Directory`.
    type Message: DirectoryMessage;

    /// Lists records.
    fn list(page: PageRequest) -> Self::Message;
    /// The record as it is shown.
    fn show<O: Outside>(call: &AdminCall<'_, O>, record: Self::Record) -> Self;
}

/// A noun whose records can be shown one by one.
pub(in crate::api) trait Findable: Noun {
    /// What names a record in a path.
    type Id: Identifier;

    /// Finds a record → `Option<Self::Record>`
    fn find(id: Self::Id) -> Self::Message;
}

/// What names a record that can be deleted.
pub(in crate::api) trait Deletable: Identifier {
    /// The messages of its `Directory`.
    type Message: DirectoryMessage;
    /// What the `Directory` answers.
    type Gone: DeserializeOwned;
    /// What the answer names the record by.
    type Named: Serialize + JsonSchema;

    /// Deletes the record → `Self::Gone`
    fn delete(&self) -> Self::Message;
    /// Drops what the isolate has cached of the record; the name of the record.
    fn forget<O: Outside>(self, call: &AdminCall<'_, O>, gone: Self::Gone) -> Self::Named;
}

/// A message to the `Directory` that has a noun's records.
pub(in crate::api) trait DirectoryMessage {
    /// Which `Directory` of its kind.
    type Place: Copy;
    /// The parameters that name it.
    const PARAMETERS: &'static [&'static str];

    /// The `Directory` of a call, which its query may name.
    fn place<O: Outside>(call: &AdminCall<'_, O>) -> Result<Self::Place, Failure>;
    /// The `Directory` that a parameter names.
    fn named(caller: &Caller, name: Option<&str>) -> Result<Self::Place, Failure>;
    /// Asks it.
    async fn send<T: DeserializeOwned>(
        self,
        outside: &impl Outside,
        place: Self::Place,
    ) -> Result<T, Failure>;
}

impl DirectoryMessage for RootMessage {
    type Place = ();
    const PARAMETERS: &'static [&'static str] = &[];

    fn place<O: Outside>(_: &AdminCall<'_, O>) -> Result<(), Failure> {
        Ok(())
    }

    fn named(_: &Caller, _: Option<&str>) -> Result<(), Failure> {
        Ok(())
    }

    async fn send<T: DeserializeOwned>(self, outside: &impl Outside, (): ()) -> Result<T, Failure> {
        send_to_root(outside, &self).await
    }
}

impl DirectoryMessage for EnvironmentMessage {
    type Place = EnvironmentId;
    const PARAMETERS: &'static [&'static str] = &["environment_id"];

    fn place<O: Outside>(call: &AdminCall<'_, O>) -> Result<EnvironmentId, Failure> {
        call.environment(None)
    }

    fn named(caller: &Caller, name: Option<&str>) -> Result<EnvironmentId, Failure> {
        caller.environment(name)
    }

    async fn send<T: DeserializeOwned>(
        self,
        outside: &impl Outside,
        environment: EnvironmentId,
    ) -> Result<T, Failure> {
        send_to_environment(outside, environment, &self).await
    }
}

/// A piece of the list, by the query.
pub(in crate::api) async fn list<N: Noun, O: Outside>(
    call: &AdminCall<'_, O>,
) -> Result<List<N>, Failure> {
    let (query, page) = QueryParameters::of_list(&call.url, N::Message::PARAMETERS, N::FILTERS)?;
    let place = N::Message::named(call.caller, query.get("environment_id"))?;
    let message = N::list(page.clone());
    let found: ListPage<N::Record> = message.send(call.outside(), place).await?;
    Ok(List::of(found, &page, |record| N::show(call, record)))
}

/// One record.
pub(in crate::api) async fn get<N: Findable, O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<N::Id>,
) -> Result<N, Failure> {
    let place = N::Message::place(call)?;
    let record = find::<N, O>(call, place, id.parse()?).await?;
    Ok(N::show(call, record))
}

/// A record as it is stored, or 404.
pub(super) async fn find<N: Findable, O: Outside>(
    call: &AdminCall<'_, O>,
    place: <N::Message as DirectoryMessage>::Place,
    id: N::Id,
) -> Result<N::Record, Failure> {
    let found: Option<N::Record> = N::find(id).send(call.outside(), place).await?;
    found.ok_or_else(not_found::<N::Id>)
}

/// Deletes one record.
pub(in crate::api) async fn delete<I: Deletable, O: Outside>(
    call: &AdminCall<'_, O>,
    id: &PathId<I>,
) -> Result<Deleted<I::Named>, Failure> {
    let place = I::Message::place(call)?;
    let id = id.parse()?;
    let gone = id.delete().send(call.outside(), place).await?;
    let id = id.forget(call, gone);
    Ok(Deleted { id })
}
