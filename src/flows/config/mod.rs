//! The resolved configuration of an account (its integration file with the overrides, compiled), its secrets, their
//! redaction, and the caches of this isolate.

pub mod config_cache;
pub mod isolate;
pub mod key_cache;
pub mod padded_secrets;
pub mod redaction;
pub mod resolved_config;
pub mod secret_binding;
pub mod stored_secrets;
