//! What the service does, as the user would say it. Flows know the outside only by `ports`.

pub mod account;
pub mod actions;
pub mod base;
pub mod call;
pub mod config;
pub mod directory;
pub mod events;
pub mod ingress;
pub mod lifecycle;
pub mod messages;
pub mod object;
pub mod tokens;
