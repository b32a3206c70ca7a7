//! Why a request cannot be built.

use crate::expression::{RenderError, UrlError};
use crate::proxy::body::BodyError;

/// Why a request cannot be built. Names places in the file, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A placeholder has no usable value.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The URL is not valid, or leads to another host.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Neither the method nor the integration says where.
    #[error("the integration has no base_url for this")]
    NoBaseUrl,
    /// A header of the file is not valid.
    #[error("the header `{0}` of the integration cannot be sent")]
    Header(String),
    /// The path of the caller leads out of the base URL.
    #[error("the path has a `.` or `..` segment")]
    DotSegment,
    /// The body cannot be written in its format.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// Parameters cannot be put into the caller's body.
    #[error("this method takes its query in the body, which is not a JSON object")]
    CallersBody,
    /// The file's entries cannot be put into the body.
    #[error("the integration adds entries to the body, which is not a JSON object or a form")]
    FileBody,
    /// Pages are asked for in a body that is to go as it is.
    #[error(
        "this list asks for its pages in the body, which truto_body_passthrough leaves as it is"
    )]
    PagesInBody,
    /// A part of a body, where another body goes or none.
    #[error(
        "`content-range` says that the body is a part, and the body of this request is not sent as it came"
    )]
    PartOfBody,
    /// The platform sends no body with GET or HEAD.
    #[error("a {0} cannot carry a body")]
    NoBodyAllowed(http::Method),
}
