//! Outbound events: sending a delivery, and the replay of failed events. The outbox is in the account's object.

pub mod replay_all;
pub mod send_webhook;
