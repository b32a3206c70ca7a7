//! What every folder of `flows/` may use: records, sealing, SQL helpers, the memory budget, the alarm and deadlines. It
//! uses no other folder of `flows/`.

pub mod alarm;
pub mod body;
pub mod byte_cache;
pub mod callers;
pub mod context_limits;
pub mod failed_auth;
pub(in crate::flows) mod fetch;
pub mod memory;
pub mod moment;
pub mod page_bytes;
pub(in crate::flows) mod recent_rows;
pub mod records;
pub mod reply;
pub mod sealed;
pub mod sequence;
pub(in crate::flows) mod sftp;
pub mod sql;
pub mod token_rate;
pub mod view;
pub mod within;
