//! An account from creation to deletion: link tokens, connect page, import, set-up, changes.

pub(in crate::flows) mod account_edits;
pub(in crate::flows) mod capabilities;
pub(in crate::flows) mod change;
pub mod connect;
pub(in crate::flows) mod connect_account;
pub(in crate::flows) mod connect_failed;
pub mod create_link;
pub(in crate::flows) mod credential;
pub(in crate::flows) mod delete;
pub(in crate::flows) mod import;
pub mod import_account;
pub(in crate::flows) mod logins;
pub(in crate::flows) mod me;
pub(in crate::flows) mod new_account;
pub(in crate::flows) mod own_override;
pub(in crate::flows) mod set_up;
