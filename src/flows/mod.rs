//! What the service does for its users. A flow reaches the outside only by `ports`, and knows neither HTTP routes nor
//! the platform.
//!
//! `tests/native/layers.rs` proves which folder may use which.

pub mod account;
pub mod actions;
pub mod agents;
pub mod base;
pub mod call;
pub mod config;
pub mod directory;
pub mod events;
pub mod ingress;
pub mod lifecycle;
pub mod messages;
pub mod object;
pub mod sync;
pub mod tokens;
