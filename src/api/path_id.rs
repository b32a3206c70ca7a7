//! The id in a path, which names the record that a call is about.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;

use crate::error::Failure;
use crate::ids::{
    AccountId, ApiTokenId, EnvironmentId, EventId, InstallId, IntegrationId, LinkTokenId,
    McpTokenId, WebhookId,
};

/// An id as it was sent. What is no id names nothing: 404.
#[derive(Clone, PartialEq, Eq)]
pub struct PathId<I> {
    text: String,
    kind: PhantomData<I>,
}

impl<I> PathId<I> {
    /// An id that is not parsed yet.
    pub(super) fn new(text: String) -> Self {
        let kind = PhantomData;
        Self { text, kind }
    }
}

impl<I> fmt::Debug for PathId<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl<I: Identifier> PathId<I> {
    /// The id, or 404.
    pub(super) fn parse(&self) -> Result<I, Failure> {
        parse(&self.text)
    }
}

/// The id in a text of the caller, or 404.
pub(super) fn parse<I: Identifier>(text: &str) -> Result<I, Failure> {
    I::read(text).ok_or_else(not_found::<I>)
}

/// 404 for a record of this kind of id.
pub(super) fn not_found<I: Identifier>() -> Failure {
    Failure::not_found(I::NOUN)
}

/// What names a record in a path.
pub trait Identifier: Sized + JsonSchema {
    /// The record in error messages.
    const NOUN: &'static str;

    /// Reads one.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! identifiers {
    ($($id:ident: $noun:literal,)*) => {
        $(impl Identifier for $id {
            const NOUN: &'static str = $noun;

            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        })*
    };
}

identifiers! {
    AccountId: "integrated account",
    ApiTokenId: "API token",
    EnvironmentId: "environment",
    EventId: "event",
    InstallId: "environment integration",
    IntegrationId: "integration",
    LinkTokenId: "link token",
    McpTokenId: "MCP token",
    WebhookId: "webhook",
}

/// The name of a sync in its integration file.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(inline)]
pub struct SyncName(#[schemars(length(min = 1))] pub(super) String);

impl Identifier for SyncName {
    const NOUN: &'static str = "sync";

    fn read(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}

impl SyncName {
    /// The name.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// The id of an integration, or its name; a file is stored under its name.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(inline)]
pub struct IntegrationKey(#[schemars(length(min = 1))] pub(super) String);

impl Identifier for IntegrationKey {
    const NOUN: &'static str = "integration";

    fn read(text: &str) -> Option<Self> {
        Some(Self(text.to_owned()))
    }
}
