//! An account's integration: its file with the overrides, compiled, and the caches of this isolate.

pub mod stored_secrets;
pub mod config_cache;
pub mod isolate;
pub mod padded_secrets;
pub mod redaction;
pub mod resolved_config;
pub mod secret_binding;
