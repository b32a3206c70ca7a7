//! What the service does for its users. A flow reaches the outside only by `ports`, and knows neither HTTP routes nor
//! the platform.
//!
//! `tests/native/layers.rs` proves which folder may use which.

pub mod account;
pub mod account_object;
pub mod actions;
pub mod base;
pub mod config;
pub mod directory;
pub mod events;
pub mod ingress;
pub mod lifecycle;
pub mod messages;
pub mod once;
pub mod proxy_call;
pub mod recorded_call;
