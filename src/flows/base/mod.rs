//! What every folder of `flows/` may use: records, sealing, the memory budget, deadlines. It uses no other folder of
//! `flows/`.

pub mod body;
pub mod byte_cache;
pub mod callers;
pub mod context_limits;
pub mod failed_auth;
pub(in crate::flows) mod fetch;
pub mod memory;
pub mod moment;
pub mod page_bytes;
pub mod records;
pub mod sealed;
pub mod within;
