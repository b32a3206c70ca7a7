//! Syncs: an account's records are kept up to date, and a consumer of the feed has what the provider has.

mod api;
mod expired;
mod faults;
mod provider;
mod runs;
