//! Causeway: a self-hosted integration gateway on Cloudflare's edge.
//!
//! The modules stand in the order of the rows of ARCHITECTURE.md: each may use
//! those above it in this list and itself, never those below.

// Row 1: words everything else uses.
pub mod crypto;
pub mod ids;
pub mod json;
pub mod secret;
pub mod time;

// Row 4: a connected account.
pub mod account;

// Row 6: what the service does, over the outside as a few traits.
pub mod error;
pub mod flows;
pub mod ports;
pub mod settings;
