//! Outbound events: their deliveries, attempts, retention, and the replay of failed events. The outbox itself is in
//! `account`. The folder uses `account`, `config`, `directory` and `messages`.

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
