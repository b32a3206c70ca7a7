//! What a provider sent, as it came, and as expressions see it. The body is parsed only when it is read,
//! which a signature over the raw bytes does not.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Method};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::config::webhook::SignatureFormat;
use crate::crypto::sha256_hex;
use crate::header_text;
use crate::json::{self, count_fields, count_values, grouped, is_text_deeper};
use crate::media::charset::CharsetError;
use crate::media::{self, charset, form};

mod places;

/// What a provider sent.
#[derive(Debug)]
pub struct WebhookRequest<'a> {
    pub(super) method: &'a Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// The bytes that the signature covers, where they are others than the body: it was decoded since.
    signed: Option<&'a [u8]>,
    /// Why the body cannot be decoded.
    undecoded: Option<String>,
    /// The body in its charset; nothing where its bytes are that text.
    text: OnceCell<Result<Option<String>, CharsetError>>,
    value: OnceCell<Value>,
    /// What a token says that was the body.
    claims: OnceCell<Value>,
    /// The scheme that proved it.
    proved_by: Cell<Option<SignatureFormat>>,
    /// Whether the body is not looked into (yet), and whether it was needed all the same.
    is_withheld: Cell<bool>,
    is_missed: Cell<bool>,
}

/// What a body is that is not looked into.
static WITHHELD: Value = Value::Null;

/// JSON that nests deeper is handed on as a text.
const DEEPEST: usize = 100;

impl<'a> WebhookRequest<'a> {
    /// `url` is `PUBLIC_URL` with the path and query as they came, `body` the bytes as they came.
    pub fn new(method: &'a Method, url: &'a str, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self {
            method,
            url,
            headers,
            body,
            signed: None,
            undecoded: None,
            text: OnceCell::new(),
            value: OnceCell::new(),
            claims: OnceCell::new(),
            proved_by: Cell::new(None),
            is_withheld: Cell::new(false),
            is_missed: Cell::new(false),
        }
    }

    /// This request with its body decoded; `headers` are its own without `content-encoding`. Where it is proved already,
    /// the proof is of the bytes that were sent.
    #[must_use]
    pub fn decoded(&self, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        let plain = Self::new(self.method, self.url, headers, body);
        plain.proved_by.set(self.proved_by.get());
        Self {
            signed: self.proved_by.get().is_some().then_some(self.body),
            ..plain
        }
    }

    /// This request, whose body cannot be decoded.
    #[must_use]
    pub fn undecoded(self, reason: String) -> Self {
        Self {
            undecoded: Some(reason),
            ..self
        }
    }

    /// Whether its body is said to be coded in any way.
    pub fn is_coded(&self) -> bool {
        self.headers.contains_key(CONTENT_ENCODING)
    }

    /// Why the body cannot be read.
    pub fn unreadable(&self) -> Option<String> {
        if self.undecoded.is_some() || self.is_token() {
            return self.undecoded.clone();
        }
        if self.is_form() {
            return self.pairs().err().map(|error| error.to_string());
        }
        self.charset_text().err().map(ToString::to_string)
    }

    /// Notes which scheme proved it.
    pub(super) fn prove_by(&self, format: SignatureFormat) {
        self.proved_by.set(Some(format));
    }

    /// Notes that no scheme did that is meant.
    pub fn unprove(&self) {
        self.proved_by.set(None);
    }

    /// Which scheme proved it.
    pub(super) fn proved_by(&self) -> Option<SignatureFormat> {
        self.proved_by.get()
    }

    /// The body as expressions see it: JSON, the fields of a form, else text; null when empty, unreadable or withheld.
    /// The caller has counted it.
    pub fn value(&self) -> &Value {
        if let Some(claims) = self.claims.get() {
            return claims;
        }
        if self.is_withheld.get() {
            self.is_missed.set(true);
            return &WITHHELD;
        }
        self.value.get_or_init(|| self.parse())
    }

    /// SHA-256 of the bytes that the signature covers, in hex.
    pub fn body_sha256(&self) -> String {
        sha256_hex(self.signed.unwrap_or(self.body))
    }

    /// The bytes of the body.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The memory that its text needs in addition to its bytes.
    pub fn text_bytes(&self) -> usize {
        match self.charset_text() {
            Ok(text)
                if self
                    .text
                    .get()
                    .is_some_and(|own| matches!(own, Ok(Some(_)))) =>
            {
                text.len()
            }
            Ok(_) | Err(_) => 0,
        }
    }

    /// How many fields a form has; nothing where the body is none.
    pub fn fields(&self) -> Option<usize> {
        self.is_form().then(|| count_fields(self.body))
    }

    /// How many values the body's JSON has, at any depth; of a text there is one.
    pub fn values(&self) -> usize {
        if let Some(claims) = self.claims.get() {
            return count_values(claims.to_string().as_bytes()).unwrap_or(1);
        }
        let text = self.charset_text().ok();
        text.and_then(|text| count_values(text.as_bytes()).ok())
            .unwrap_or(1)
    }

    /// Whether the body was a token, and its value is what that says.
    pub fn is_token(&self) -> bool {
        self.claims.get().is_some()
    }

    /// From now on the body is not looked into.
    pub fn withhold(&self) {
        self.is_withheld.set(true);
    }

    /// Whether it is not looked into.
    pub fn is_withheld(&self) -> bool {
        self.is_withheld.get() && !self.is_token()
    }

    /// From now on it is looked into; whether it was not before.
    pub fn release(&self) -> bool {
        self.is_withheld.replace(false)
    }

    /// Whether it was needed while it was withheld.
    pub fn is_missed(&self) -> bool {
        self.is_missed.get()
    }

    /// Everything but the body.
    pub fn head(&self) -> (&'a Method, &'a str, &'a HeaderMap) {
        (self.method, self.url, self.headers)
    }

    /// What is kept of the body: its bytes; of one that was a token, what the token says.
    pub fn kept(&self) -> Cow<'a, [u8]> {
        match self.claims.get() {
            Some(claims) => Cow::Owned(claims.to_string().into_bytes()),
            None => Cow::Borrowed(self.body),
        }
    }

    /// The body as JSON text: as it came where it is JSON, else what expressions see.
    pub fn payload(&self) -> String {
        let text = self.charset_text().ok().map(str::trim);
        let is_kept = |text: &&str| {
            !self.is_token()
                && !self.is_form()
                && serde_json::from_str::<IgnoredAny>(text).is_ok()
                && !is_text_deeper(text, DEEPEST)
        };
        match text.filter(is_kept) {
            Some(text) => text.to_owned(),
            None => self.value().to_string(),
        }
    }

    /// What a verified token says takes the place of the body that it was.
    pub(super) fn replace_value(&self, claims: Value) {
        let _ = self.claims.set(claims);
    }

    fn parse(&self) -> Value {
        if self.body.is_empty() || self.undecoded.is_some() {
            return Value::Null;
        }
        if self.is_form() {
            let pairs = self.pairs().unwrap_or_default().into_iter();
            return grouped(pairs.map(|(name, text)| (Cow::Owned(name), Cow::Owned(text))));
        }
        let Ok(text) = self.charset_text() else {
            return Value::Null;
        };
        let whole = || Value::String(text.to_owned());
        json::read(text.as_bytes()).unwrap_or_else(|_| whole())
    }

    fn charset_text(&self) -> Result<&str, &CharsetError> {
        let read = || {
            let charset = charset::of(self.headers, media::kind(self.headers), self.body)?;
            Ok(match charset.decode(self.body)? {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(text),
            })
        };
        let own = || str::from_utf8(self.body).unwrap_or_default();
        let text = self.text.get_or_init(read).as_ref()?;
        Ok(text
            .as_deref()
            .unwrap_or_else(|| own().trim_start_matches('\u{feff}')))
    }

    /// The fields of a form, in its charset.
    pub(in crate::webhook) fn pairs(&self) -> Result<Vec<(String, String)>, CharsetError> {
        form::pairs(self.headers, self.body)
    }

    pub(super) fn is_form(&self) -> bool {
        let kind = self.headers.get(CONTENT_TYPE);
        let kind = kind.map(header_text::text).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// The headers as expressions see them.
    pub(super) fn headers_value(&self) -> Value {
        let texts = self.headers.iter().map(|(name, value)| {
            (
                Cow::Owned(name.as_str().to_owned()),
                header_text::text(value),
            )
        });
        grouped(texts)
    }

    /// The query as expressions see it.
    pub(super) fn query_value(&self) -> Value {
        grouped(form_urlencoded::parse(self.raw_query().as_bytes()))
    }

    pub(super) fn raw_query(&self) -> &'a str {
        query_in(self.url)
    }

    pub(super) fn raw_path(&self) -> &'a str {
        let behind = self
            .url
            .split_once("://")
            .map_or(self.url, |(_, rest)| rest);
        let path = behind.find('/').and_then(|at| behind.get(at..));
        path.unwrap_or("/").split(['?', '#']).next().unwrap_or("/")
    }
}

/// The query of a URL, without its `?`.
pub(super) fn query_in(url: &str) -> &str {
    let target = url.split('#').next().unwrap_or_default();
    target.split_once('?').map_or("", |(_, query)| query)
}
