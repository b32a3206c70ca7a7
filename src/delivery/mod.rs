//! Delivering an event to a subscription, without I/O: whether it is wanted ([`is_wanted`]), how its request
//! is signed ([`signed_headers`]), when it is tried again ([`next_wait`]), and what a subscription may say of
//! its events and its target. Storing, sending and counting are the flows' work, and so is the guard of addresses.

mod event_types;
mod message;
mod schedule;
mod signature;
mod target;

pub use event_types::{check_event, check_event_types, is_wanted};
pub use message::Message;
pub use schedule::{ATTEMPTS, next_wait};
pub use signature::{DELIVERY_MARK, new_secret, signed_headers};
pub use target::{BadTarget, check_target};
