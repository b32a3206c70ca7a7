//! How accounts come to be: links, connect pages, import.

pub mod connect;
pub mod create_link;
pub mod import_account;
