//! What a request takes from its caller.

use http::HeaderMap;

use super::reserved_names::FileParameters;
use crate::proxy::body::BodySource;
use crate::proxy::query::CallerQuery;

/// What the caller brings.
pub struct CallerInput<'a> {
    /// Without the parameters that are ours.
    pub query: &'a CallerQuery,
    /// The fields that go to the provider.
    pub headers: &'a HeaderMap,
    /// The body, where something is put into it; else empty.
    pub body: &'a [u8],
    /// Whether its body goes as it is.
    pub source: BodySource,
    /// Who chose all that.
    pub author: InputAuthor,
}

/// Who chose the parameters of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputAuthor {
    /// A caller: their parameters replace no entry that is reserved for the file.
    Caller,
    /// A step of an action: part of the file, and it replaces the file's other entries.
    Step,
}

impl CallerInput<'_> {
    pub(super) fn kept(&self, of: impl FnOnce() -> FileParameters) -> FileParameters {
        match self.author {
            InputAuthor::Caller => of(),
            InputAuthor::Step => FileParameters::default(),
        }
    }
}
