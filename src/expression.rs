//! The two languages of an integration file: placeholders (`{{path}}`, which
//! copy) and JSONata (which computes), with the scopes each may see.
//!
//! Nothing here knows what a section of the file is for.

mod cast;
pub mod hosts;
pub mod placeholder;
pub mod scope;
pub mod template;
pub mod tree;
pub mod url;
mod url_parts;
mod url_value;

pub use hosts::{AllowedHosts, PlainHttp};
pub use placeholder::Placeholder;
pub use scope::{ExpressionScope, TemplateScope};
pub use template::{RenderError, Rendered, Template};
pub use tree::TemplateTree;
pub use url::{PathTemplate, Pins, UrlError, UrlTemplate};
