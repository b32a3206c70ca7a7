//! Counts requests under the token of their sender (`TOKEN_RATE`).

use crate::error::Failure;
use crate::ports::TokenRate;
use crate::settings::RATE_PERIOD;

/// Counts a request, or a further call that a request makes; 429 where the token has used up its rate. `key` does not
/// reveal the token.
pub async fn count(system: &impl TokenRate, key: &str) -> Result<(), Failure> {
    if system.admits(key).await {
        return Ok(());
    }
    let message = "This token has sent as many requests as it may for now (TOKEN_RATE).";
    Err(Failure::too_many_requests(message, RATE_PERIOD.as_secs()))
}
