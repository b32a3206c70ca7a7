//! The steps of a proxied call: what is asked for, the request to the provider, where redirects may
//! lead, what becomes of the answer. Sending is the flow's.

pub mod body;
pub mod description;
mod fields;
pub mod form;
pub mod guard;
pub mod headers;
pub mod multipart;
pub mod query;
mod query_in_body;
pub mod reads;
pub mod redact;
pub mod redirect;
pub mod reply;
pub mod request;
pub mod wanted;
pub mod xml;

use serde::{Deserialize, Serialize};

pub use crate::media::charset;

/// Whether a method is safe (RFC 9110 §9.2.1): a sandbox account takes no other.
pub fn is_read(method: &http::Method) -> bool {
    matches!(
        *method,
        http::Method::GET | http::Method::HEAD | http::Method::OPTIONS
    )
}

/// A call that goes out to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// `/proxy/{resource}…`: a method of a resource.
    Method {
        resource: String,
        /// The canonical or custom name of its method.
        method: String,
        /// The record.
        id: Option<String>,
    },
    /// `/custom/{path}`: the provider's own path, as it was written, with its leading slash.
    Custom {
        /// Percent-encoded as the caller wrote it.
        path: String,
    },
}

impl Target {
    /// Whether it is a `list`, whose `limit` and `next_cursor` are ours and whose answer has an envelope.
    pub fn is_list(&self) -> bool {
        matches!(self, Self::Method { method, .. } if method == "list")
    }
}
