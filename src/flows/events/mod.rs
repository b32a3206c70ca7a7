//! Outbound events: sending a delivery, replaying failed ones. It uses `directory`, `messages` and `base`; the outbox
//! itself is in the account's object.

pub mod replay_all;
pub mod send_webhook;
