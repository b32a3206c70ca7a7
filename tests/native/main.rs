//! The service through `api::handle`, over the in-memory twin of the platform.

mod accounts;
mod client;
mod environments;
mod installs;
mod integrations;
mod layers;
mod outside;
mod proxy;
mod publishing;
mod secrets;
