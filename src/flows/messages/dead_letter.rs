//! A dead letter: a verified request that the file could not read, with everything that an expression may read of it.

use bytes::Bytes;
use data_encoding::BASE64;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, Method};
use serde::{Deserialize, Serialize};

use crate::header_text;
use crate::webhook::WebhookRequest;

/// A verified request that the file could not read, as it is stored for replay.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeadLetter {
    method: String,
    url: String,
    /// Without `authorization` and `cookie`.
    headers: Vec<(String, String)>,
    body: String,
    /// Whether `body` is base64, because the body is not UTF-8.
    #[serde(default)]
    is_base64: bool,
    /// Whether it was sent to the install's URL, where expressions see no context.
    pub is_of_install: bool,
}

impl DeadLetter {
    pub fn new(request: &WebhookRequest, is_of_install: bool) -> Self {
        let (method, url, headers) = request.head();
        let shown = headers
            .iter()
            .filter(|(name, _)| ![AUTHORIZATION, COOKIE].contains(name));
        let headers = shown.map(|(name, value)| {
            let text = header_text::text(value).into_owned();
            (name.as_str().to_owned(), text)
        });
        let headers = headers.collect();
        let (body, is_base64) = match String::from_utf8(request.kept().into_owned()) {
            Ok(text) => (text, false),
            Err(bytes) => (BASE64.encode(bytes.as_bytes()), true),
        };
        Self {
            method: method.to_string(),
            url: url.to_owned(),
            headers,
            body,
            is_base64,
            is_of_install,
        }
    }

    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// The request, to be read again.
    pub fn into_request(self) -> ReadableRequest {
        let mut headers = HeaderMap::new();
        for (name, text) in &self.headers {
            let value = header_text::value_of(text);
            if let (Ok(name), Some(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                headers.append(name, value);
            }
        }
        let body = if self.is_base64 {
            BASE64.decode(self.body.as_bytes()).unwrap_or_default()
        } else {
            self.body.into_bytes()
        };
        ReadableRequest {
            method: self.method.parse().unwrap_or(Method::POST),
            url: self.url,
            headers,
            body: body.into(),
        }
    }
}

/// A dead letter as a request.
pub struct ReadableRequest {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl ReadableRequest {
    pub fn request(&self) -> WebhookRequest<'_> {
        WebhookRequest::new(&self.method, &self.url, &self.headers, &self.body)
    }
}
