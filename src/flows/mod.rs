//! What the service does, as the user would say it. Flows know the outside only by `ports`.

pub mod account_object;
pub mod ask;
pub mod base;
pub mod bind;
pub mod body;
pub mod byte_cache;
mod call;
pub mod call_action;
pub mod callers;
pub mod capabilities;
pub mod connect;
pub mod create_link;
pub mod directory;
pub mod effective;
pub mod failed_auth;
pub mod import_account;
pub mod isolate;
pub mod list_accounts;
pub mod memory;
pub mod object;
pub mod page_bytes;
pub mod pasted;
pub mod published;
pub mod receive;
pub mod records;
pub mod redaction;
pub mod replay_events;
pub mod reply;
pub mod run_action;
pub mod save_install;
pub mod save_integration;
pub mod sealed;
pub mod send_webhook;
pub mod view;
pub mod webhook_secrets;

