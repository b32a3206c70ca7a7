//! Outbound events: sending a delivery, and the replay of failed events. The outbox is in the account's object.

pub(in crate::flows) mod account_events;
pub(in crate::flows) mod attempt;
pub(in crate::flows) mod deliver;
pub(in crate::flows) mod event_rows;
pub(in crate::flows) mod event_views;
pub mod replay_all;
pub(in crate::flows) mod report;
pub(in crate::flows) mod retention;
pub mod send_webhook;
pub(in crate::flows) mod subscriptions;
