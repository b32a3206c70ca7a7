//! The one way to wait no longer than so long.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::ports::System;

/// What `work` comes to; nothing when it takes longer than `limit`. It is dropped then, and lets go of what it holds.
/// What includes a body includes reading it.
pub async fn within<T>(
    system: &impl System,
    limit: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    match select(pin!(work), pin!(system.sleep(limit))).await {
        Either::Left((outcome, _)) => Some(outcome),
        Either::Right(_) => None,
    }
}
