//! Fetches small documents for webhooks: a provider's keys, the confirmation of a subscription.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use url::Url;

use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::base::within::within;
use crate::ports::{Body, Outgoing, Outside, SendError};
use crate::proxy::guard;

/// The time limit of a fetch, its body included.
pub(in crate::flows) const TIMEOUT: Duration = Duration::from_secs(10);
/// The size limit: more than any set of keys.
const BYTES: usize = 256 * 1024;

/// The body of a 2xx response, read within [`TIMEOUT`], or the reason why there is none. Redirects are not followed:
/// the host is pinned.
pub async fn get(outside: &impl Outside, url: &Url, room: &Room) -> Result<Bytes, String> {
    let fetched = within(outside, TIMEOUT, fetch(outside, url, room)).await;
    fetched.unwrap_or_else(|| Err(SendError::Timeout.to_string()))
}

async fn fetch(outside: &impl Outside, url: &Url, room: &Room) -> Result<Bytes, String> {
    let private = outside.settings().private_upstreams;
    guard::check(url, private).map_err(|refused| refused.to_string())?;
    let request = Outgoing {
        method: Method::GET,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: Body::Empty,
        timeout: TIMEOUT,
    };
    let reply = outside
        .send(request)
        .await
        .map_err(|error| error.to_string())?;
    if !reply.status.is_success() {
        return Err(format!("the response has status {}", reply.status.as_u16()));
    }
    let read = body::read_at_most(&reply.headers, reply.body, BYTES, room).await;
    read.ok_or_else(|| "the response ended early, or is too large".to_owned())
}
