//! Causeway: a self-hosted integration gateway on Cloudflare's edge.
//!
//! The modules are in the order of the rows of ARCHITECTURE.md. A module may use those above it in this list, and none
//! below.

// Row 1: what everything else uses.
pub mod crypto;
pub mod header_text;
pub mod ids;
pub mod json;
pub mod media;
pub mod secret;
pub mod time;

// Row 2: the two languages of a config.
pub mod expression;

// Row 3: what an integration file can contain.
pub mod config;

// Row 4: a connected account.
pub mod account;

// Row 5: independent steps of a request.
pub mod authorization;
pub mod batch;
pub mod connect;
pub mod delivery;
pub mod files;
pub mod mcp;
pub mod oauth;
pub mod pagination;
pub mod proxy;
pub mod rate_limit;
pub mod retry;
pub mod tools;
pub mod webhook;

// Row 6: what the service does, over a few traits for the outside.
pub mod error;
pub mod flows;
pub mod ports;
pub mod settings;

// Row 7: the HTTP API.
pub mod api;

// Row 8: the platform.
#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
