//! Sends one signed message to a subscription, once and without following redirects. The caller decides about retries.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method};
use url::Url;

use crate::account::token;
use crate::delivery::{DELIVERY_MARK, check_target, signed_headers};
use crate::error::Failure;
use crate::flows::base::records::WebhookRecord;
use crate::flows::base::within::within;
use crate::flows::directory::webhook_secrets::signing;
use crate::ports::{Body, ByteStream, Outgoing, Outside, Reply, SendError};
use crate::proxy::guard;
use crate::secret::Secret;
use crate::settings::HostKind;
use crate::time::{Timestamp, retry_after};

/// The time limit of a delivery, including the part of the response that is stored.
const PATIENCE: Duration = Duration::from_secs(15);
/// The stored part of a response.
const ANSWER_BYTES: usize = 4 * 1024;

/// One attempt of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryAttempt {
    /// The status of the response. `None`: there was no response.
    pub status: Option<u16>,
    pub duration: Duration,
    /// The first 4 KB of the response.
    pub body: Option<String>,
    /// Why there was no response.
    pub error: Option<String>,
    /// How long the receiver asks to wait (`retry-after`).
    pub retry_after: Option<Duration>,
}

impl DeliveryAttempt {
    /// An attempt that sent nothing, with the reason.
    pub fn not_sent(why: String) -> Self {
        not_answered(why)
    }

    /// Whether the receiver unsubscribed: 410 (Standard Webhooks, "Delivery success and failure").
    pub fn is_gone(&self) -> bool {
        self.status == Some(410)
    }

    /// Whether the receiver accepted it: any 2xx.
    pub fn is_delivered(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }
}

/// Sends `body` under the message's `id`, which stays the same in every attempt. It fails only when the secrets cannot
/// be opened; then nothing was sent.
pub async fn send_webhook(
    outside: &impl Outside,
    webhook: &WebhookRecord,
    id: &str,
    body: String,
) -> Result<DeliveryAttempt, Failure> {
    let secrets = signing(outside, webhook)?;
    let began = outside.now();
    let mut tried = match checked(outside, webhook) {
        Ok(url) => send(outside, url, id, body.into(), &secrets).await,
        Err(why) => not_answered(why),
    };
    tried.duration = outside.now().since(began);
    Ok(tried)
}

/// Checks the target again: which hosts may be called can have changed since it was stored.
fn checked(outside: &impl Outside, webhook: &WebhookRecord) -> Result<Url, String> {
    let url = check_target(&webhook.target_url).map_err(|bad| format!("target_url {bad}"))?;
    let own = outside.settings().public_url.as_ref();
    if own.is_some_and(|own| HostKind::is_same(own, &url)) {
        return Err("target_url is this gateway's own address".to_owned());
    }
    let private = outside.settings().private_upstreams;
    guard::check(&url, private).map_err(|refused| refused.to_string())?;
    Ok(url)
}

async fn send(
    outside: &impl Outside,
    url: Url,
    id: &str,
    body: Bytes,
    secrets: &[Secret],
) -> DeliveryAttempt {
    let began = outside.now();
    let mut headers = signed_headers(id, began, secrets, &body);
    let mark = outside.settings().keyring().and_then(token::delivery_mark);
    if let Some(mark) = mark.ok().and_then(|mark| HeaderValue::from_str(&mark).ok()) {
        headers.insert(DELIVERY_MARK, mark);
    }
    let request = Outgoing {
        method: Method::POST,
        url,
        headers,
        body: Body::from_bytes(body),
        timeout: PATIENCE,
    };
    match outside.send(request).await {
        Ok(reply) => answered(outside, reply, began).await,
        Err(SendError::Unreachable) => not_answered("the receiver could not be reached".to_owned()),
        Err(SendError::Timeout) => not_answered("the receiver did not answer in time".to_owned()),
    }
}

async fn answered<O: Outside>(
    outside: &O,
    reply: Reply<O::Stream>,
    began: Timestamp,
) -> DeliveryAttempt {
    let now = outside.now();
    let left = PATIENCE.saturating_sub(now.since(began));
    let body = start_of(outside, reply.body, left).await;
    DeliveryAttempt {
        status: Some(reply.status.as_u16()),
        duration: Duration::ZERO,
        body: Some(String::from_utf8_lossy(&body).into_owned()).filter(|text| !text.is_empty()),
        error: None,
        retry_after: retry_after(&reply.headers, now),
    }
}

/// The first bytes of a body that arrive in that time, up to [`ANSWER_BYTES`].
async fn start_of<O: Outside>(outside: &O, body: Body<O::Stream>, wait: Duration) -> Bytes {
    let mut stream = match body {
        Body::Empty => return Bytes::new(),
        Body::Bytes(bytes) => return bytes.slice(..bytes.len().min(ANSWER_BYTES)),
        Body::Stream(stream) => stream.in_pieces(),
    };
    let mut read = BytesMut::new();
    let reading = async {
        while read.len() < ANSWER_BYTES
            && let Some(Ok(piece)) = stream.next().await
        {
            let room = ANSWER_BYTES - read.len();
            read.extend_from_slice(piece.get(..room).unwrap_or(&piece));
        }
    };
    // After the time limit, the bytes so far are stored.
    let _ = within(outside, wait, reading).await;
    read.freeze()
}

fn not_answered(why: String) -> DeliveryAttempt {
    DeliveryAttempt {
        status: None,
        duration: Duration::ZERO,
        body: None,
        error: Some(why),
        retry_after: None,
    }
}
