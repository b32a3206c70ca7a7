//! A provider's webhook, without I/O: whether it is the provider's ([`verify`], over the raw bytes, before
//! anything else), whether it is a handshake and what it is answered ([`handshake()`]), and the events it
//! brings ([`transform()`], [`event_id`]). Fetching keys ([`key_source()`]), storing and answering are the flows' work.

mod bearer;
mod candidates;
mod check;
mod claims;
mod content;
mod encoding;
mod handshake;
mod jwt;
mod key_source;
mod refusal;
mod request;
mod secret;
mod spelling;
mod standard;
mod time;
mod transform;

pub use check::{is_meant_by_body, verify};
pub use handshake::{Handshake, HandshakeError, SenderProof, handshake, may_hand_over};
pub use key_source::{KeySource, PublishedKey, key_source, read_keys};
pub use refusal::Refusal;
pub use request::WebhookRequest;
pub use secret::keys_of_proof;
pub use transform::{TransformError, TransformedEvent, UNNAMED, event_id, lookup, transform};

#[cfg(test)]
mod tests;
