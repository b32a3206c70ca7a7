//! How an account is created, connected, changed and deleted: link tokens, connect pages, import, set-up. It uses
//! `account` to store the account, `actions` for the set-up, and `directory` for link tokens.

pub(in crate::flows) mod account_edits;
pub(in crate::flows) mod capabilities;
pub(in crate::flows) mod change;
pub mod connect;
pub(in crate::flows) mod connect_account;
pub(in crate::flows) mod connect_failed;
pub mod create_link;
pub(in crate::flows) mod credential;
pub(in crate::flows) mod delete;
mod find_server;
mod finish_login;
mod first_token;
pub(in crate::flows) mod import;
pub mod import_account;
pub(in crate::flows) mod logins;
pub(in crate::flows) mod me;
pub(in crate::flows) mod new_account;
mod new_credential;
mod oauth1_login;
pub(in crate::flows) mod own_override;
pub(in crate::flows) mod set_up;
pub mod sftp_login;
mod stage;
