//! A stored response, and its replay.

use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::error::{Code, Failure};
use crate::header_text;
use crate::ports::{Body, Reply};
use crate::proxy::headers::REPLAYED;
use crate::rate_limit;

/// A response that is stored for replays.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::flows) struct KeptAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    /// The provider's refusal; otherwise the response is `body`.
    failure: Option<Failure>,
    /// In base64, since it may be binary.
    body: String,
}

/// Whether a response is a replay.
pub(in crate::flows) fn is_replayed(headers: &HeaderMap) -> bool {
    headers.contains_key(REPLAYED)
}

impl KeptAnswer {
    pub(in crate::flows) fn of_reply<B>(reply: &Reply<B>, body: &[u8]) -> Self {
        Self {
            status: reply.status.as_u16(),
            headers: pairs(&reply.headers),
            failure: None,
            body: BASE64.encode(body),
        }
    }

    pub(in crate::flows) fn of_failure(failure: &Failure, headers: &HeaderMap) -> Self {
        Self {
            status: failure.status(),
            headers: pairs(headers),
            failure: Some(failure.clone()),
            body: String::new(),
        }
    }

    pub(in crate::flows) fn status(&self) -> u16 {
        self.status
    }

    /// The replay of the response. Nothing is sent to the provider.
    pub(in crate::flows) fn again<B>(self) -> Result<Reply<B>, Failure> {
        let unreadable = || Failure::new(Code::Internal, "A kept answer cannot be read.");
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), field(value)) {
                headers.append(name, value);
            }
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        if let Some(mut failure) = self.failure {
            if let Some(remote) = &mut failure.remote {
                remote.headers = headers;
            }
            return Err(failure);
        }
        let body = BASE64.decode(self.body.as_bytes());
        Ok(Reply {
            status: StatusCode::from_u16(self.status).map_err(|_| unreadable())?,
            headers,
            body: Body::from_bytes(body.map_err(|_| unreadable())?),
        })
    }
}

/// Reads a header field that [`pairs`] wrote.
fn field(text: &str) -> Result<HeaderValue, ()> {
    header_text::value_of(text).ok_or(())
}

/// The header fields to store: those that are still true in a replay.
fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| header_text::text(value).into_owned();
    let pairs = headers.iter();
    pairs
        .filter(|(name, _)| !rate_limit::is_quota_field(name))
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}
