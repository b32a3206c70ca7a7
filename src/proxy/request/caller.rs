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
    /// Who says all that.
    pub words: Words,
}

/// Whose words stand where a caller's would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// A caller's: they take the place of no entry that the file keeps.
    Callers,
    /// A step's of an action: the file's own, and later than its other entries.
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
