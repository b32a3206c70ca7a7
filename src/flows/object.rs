//! The Account object's entry: which component answers a request that the front Worker hands over.

pub mod dispatch;
