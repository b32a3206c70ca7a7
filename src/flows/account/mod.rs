//! A connected account: its record in storage and in memory, its pending change and commit, its events, and the
//! schedule of its alarm. It uses `config`, and `messages` to update the index of the `Directory`.

pub(in crate::flows) mod account_store;
pub(in crate::flows) mod account_tokens;
pub(in crate::flows) mod base;
pub mod capabilities;
pub(in crate::flows) mod changes;
pub(in crate::flows) mod contents;
pub(in crate::flows) mod event;
pub mod loaded;
pub(in crate::flows) mod lookup;
pub(in crate::flows) mod mcp_tokens;
pub(in crate::flows) mod oauth_token;
pub(in crate::flows) mod outbox;
pub(in crate::flows) mod record;
pub(in crate::flows) mod redactor;
pub(in crate::flows) mod refresh_pauses;
pub mod renewal;
pub(in crate::flows) mod row;
pub(in crate::flows) mod rows;
pub(in crate::flows) mod schedule;
pub mod set_up;
pub(in crate::flows) mod settle;
pub(in crate::flows) mod state;
pub(in crate::flows) mod stored;
pub mod token_in_context;
pub(in crate::flows) mod unclear;
pub(in crate::flows) mod used_file;
