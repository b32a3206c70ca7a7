//! What a request takes from its caller.

use http::HeaderMap;

use super::last_word::FileParameters;
use crate::proxy::body::BodySource;
use crate::proxy::query::CallerQuery;

/// What the caller brings.
pub struct Caller<'a> {
    /// Without the parameters that are ours.
    pub query: &'a CallerQuery,
    /// The fields that go to the provider.
    pub headers: &'a HeaderMap,
    /// The body, where something is put into it; else empty.
    pub body: &'a [u8],
    /// Whether its body goes as it is.
    pub source: BodySource,
    /// Who chose all that.
    pub words: Words,
}

/// Who chose the parameters of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// A caller: their parameters replace no entry that is reserved for the file.
    Callers,
    /// A step of an action: part of the file, and it replaces the file's other entries.
    Steps,
}

impl Caller<'_> {
    pub(super) fn kept(&self, of: impl FnOnce() -> FileParameters) -> FileParameters {
        match self.words {
            Words::Callers => of(),
            Words::Steps => FileParameters::default(),
        }
    }
}
