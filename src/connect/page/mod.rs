//! The hosted pages, and the one at `/`: view models in, whole HTML documents out. They work
//! without JavaScript, and load nothing but the integration's own logo.
//!
//! Addresses come with the view models: only the API knows our URLs.

mod choose;
mod document;
mod form;
mod home;
mod inputs;
mod logo;
mod policy;
mod popup;
mod result;
#[cfg(test)]
mod tests;
mod words;

pub use choose::{Card, Choose, choose};
pub use form::{Form, Purpose, Way, form, way_label};
pub use home::{Home, home};
pub use logo::Brand;
pub use policy::{Nonce, PageKind, content_security_policy};
pub use popup::{Popup, popup};
pub use result::{Connected, Failed, connected, failed};
pub use words::explanation;
