//! How accounts are created: link tokens, connect pages, import. The account's object stores
//! the account.

pub mod connect;
pub mod create_link;
pub mod import_account;
