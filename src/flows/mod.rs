//! What the service does, as the user would say it. Flows know the outside only by `ports`.

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
