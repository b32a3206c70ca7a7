//! Time-outs, by the platform's timers: tokio's clock panics on wasm32.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use worker::Delay;

use crate::error::{Failure, Kind, Outcome};

/// The result of the work, or a time-out. The work is dropped then.
pub async fn within<T>(limit: Duration, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    match select(pin!(work), pin!(Delay::from(limit))).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(Failure::new(
            Kind::Timeout,
            "The server did not answer in time.",
        )),
    }
}

/// Waits for the work, but not longer.
pub async fn at_most(limit: Duration, work: impl Future) {
    let _ = select(pin!(work), pin!(Delay::from(limit))).await;
}
