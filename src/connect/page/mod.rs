//! The hosted pages, and the one at `/`: view models in, whole HTML documents out. They work
//! without JavaScript, and load nothing but the logos of the integration and of the application.
//!
//! Addresses come with the view models: only the API knows our URLs.

mod application;
mod choose;
mod document;
mod form;
mod home;
mod inputs;
mod logo;
mod policy;
mod popup;
mod question;
mod result;
#[cfg(test)]
mod tests;
mod texts;

pub use application::Application;
pub use choose::{Card, Choose, choose};
pub use form::{ConnectForm, ConnectPurpose, CredentialLink, form, way_label};
pub use home::{Home, home};
pub use logo::Brand;
pub use policy::{Nonce, PageKind, content_security_policy, pictures};
pub use popup::{Popup, popup};
pub use question::{Question, question};
pub use result::{ConnectedPage, FailedPage, connected, failed};
pub use texts::explanation;
