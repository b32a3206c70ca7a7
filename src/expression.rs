//! The two languages of an integration file: placeholders (`{{path}}`, which
//! copy) and JSONata (which computes), with the scopes each may see.
//!
//! Nothing here knows what a section of the file is for.

#![warn(missing_docs)]

mod cast;
pub mod effort;
mod hosts;
mod jsonata;
pub mod pattern;
mod placeholder;
mod room;
pub mod scope;
mod template;
mod tree;
mod url;
mod url_parts;
mod url_value;

pub use hosts::{AllowedHosts, PatternError, PlainHttp};
pub use jsonata::{Expression, ExpressionError, Flow, Moment, limits};
pub use placeholder::{Placeholder, PlaceholderError};
pub use room::RenderRoom;
pub use scope::{ExpressionScope, TemplateScope, Withheld};
pub use template::{RenderError, Rendered, Template, has_stray_braces};
pub use tree::TemplateTree;
pub use url::{OriginPlace, PathTemplate, Pins, UrlError, UrlTemplate};
pub use url_parts::UrlTemplateError;
