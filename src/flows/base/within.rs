//! Limits the time of a future.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};

use crate::ports::System;

/// The result of `work`, or `None` after `limit`. Then `work` is dropped, which frees what it holds. Work with a body
/// includes reading it.
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
