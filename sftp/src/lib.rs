//! SFTP for the gateway. The account's object calls this Worker by a service binding, once for each operation on a server; the
//! request has all that the operation needs, and nothing is kept afterwards.
//!
//! The modules here decide and know no platform: they are tested by `cargo test`. `cloudflare` connects, and moves bytes.

pub mod blocks;
pub mod client;
pub mod cursor;
pub mod entry;
pub mod error;
pub mod frame;
pub mod handshake;
pub mod host_key;
pub mod path;
pub mod pem;
pub mod private_key;
pub mod prompt;
pub mod request;
pub mod slots;

#[cfg(target_arch = "wasm32")]
mod cloudflare;
