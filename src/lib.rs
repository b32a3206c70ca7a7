//! Causeway: one HTTP API for every third-party API, on Cloudflare's edge.
//!
//! Modules are listed in row order: each may use the rows above it here.

pub mod config;
pub mod expression;
pub mod json;
