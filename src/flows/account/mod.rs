//! The record of an account: what is derived from it and checked against its integration. It uses `config`, `messages`
//! and `base`.

pub mod capabilities;
