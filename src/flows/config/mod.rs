//! The resolved configuration of an account (its integration file with the overrides, compiled), the redaction of its
//! secrets, and the caches of this isolate. It uses `base` and `messages`.

pub mod config_cache;
pub mod isolate;
pub mod key_cache;
pub mod padded_secrets;
pub mod redaction;
pub mod resolved_config;
pub mod secret_binding;
pub mod stored_secrets;
