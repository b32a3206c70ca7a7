//! Syncs: an account's records are kept up to date, and a consumer of the feed has what the provider has.

mod api;
mod begin;
mod changes;
mod consumer;
mod definition;
mod expired;
mod faults;
mod feed;
mod files;
mod kept;
mod parents;
mod pending;
mod proof;
mod provider;
mod room;
mod runs;
mod shipped;
mod tokens;
mod tries;
