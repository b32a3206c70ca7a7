//! The account's record: what is known of it and checked before it is stored.

pub mod capabilities;
