//! Events that leave: deliveries, subscriptions, replays.

pub mod replay_all;
pub mod send_webhook;
