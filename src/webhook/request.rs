//! What a provider sent, as it came, and as expressions see it. The body is parsed only when somebody asks,
//! which a signature over the raw bytes does not.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::config::webhook::Part;
use crate::crypto::sha256_hex;
use crate::header_text;
use crate::json::{self, Exact, count_fields, count_values, exact, grouped, is_text_deeper};

use super::Refusal;

/// What a provider sent.
#[derive(Debug)]
pub struct Request<'a> {
    pub(super) method: &'a Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    value: OnceCell<Value>,
    /// Whether the value is what a token says, not what the body is.
    is_replaced: Cell<bool>,
    /// Whether the body is not looked into (yet), and whether it was needed all the same.
    is_withheld: Cell<bool>,
    is_missed: Cell<bool>,
}

/// What a body is that is not looked into.
static WITHHELD: Value = Value::Null;

/// JSON that nests deeper is handed on as a text.
const DEEPEST: usize = 100;

impl<'a> Request<'a> {
    /// `url` is `PUBLIC_URL` with the path and query as they came, `body` the bytes as they came.
    pub fn new(method: &'a Method, url: &'a str, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self {
            method,
            url,
            headers,
            body,
            value: OnceCell::new(),
            is_replaced: Cell::new(false),
            is_withheld: Cell::new(false),
            is_missed: Cell::new(false),
        }
    }

    /// The body as expressions see it: JSON, the fields of a form, else text; null when empty, or withheld. Whoever asks
    /// has counted it.
    pub fn value(&self) -> &Value {
        if self.is_withheld.get() {
            self.is_missed.set(true);
            return &WITHHELD;
        }
        self.value.get_or_init(|| self.parse())
    }

    /// SHA-256 of the body as it came, in hex.
    pub fn body_sha256(&self) -> String {
        sha256_hex(self.body)
    }

    /// The bytes as they came.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// How many fields a form has; nothing where the body is none.
    pub fn fields(&self) -> Option<usize> {
        self.is_form().then(|| count_fields(self.body))
    }

    /// How many values the body's JSON has, at any depth; of a text there is one.
    pub fn values(&self) -> usize {
        if self.is_replaced.get() {
            return count_values(self.text().as_bytes()).unwrap_or(1);
        }
        count_values(self.body).unwrap_or(1)
    }

    /// Whether the body was a token, and its value is what that says.
    pub fn is_token(&self) -> bool {
        self.is_replaced.get()
    }

    /// From now on the body is not looked into.
    pub fn withhold(&self) {
        self.is_withheld.set(true);
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

    /// The body as a text; of one that was a token, what the token says.
    pub fn text(&self) -> String {
        if self.is_replaced.get() {
            self.value().to_string()
        } else {
            String::from_utf8_lossy(self.body).into_owned()
        }
    }

    /// The body as JSON text: as it came where it is JSON, else what expressions see.
    pub fn payload(&self) -> String {
        let text = str::from_utf8(self.body).ok().map(str::trim);
        let is_kept = |text: &&str| {
            !self.is_replaced.get()
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
        let _ = self.value.set(claims);
        self.is_replaced.set(true);
    }

    fn parse(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        if self.is_form() {
            return grouped(form_urlencoded::parse(self.body));
        }
        let text = || Value::String(String::from_utf8_lossy(self.body).into_owned());
        json::read(self.body).unwrap_or_else(|_| text())
    }

    /// The body with each number as it was written, for a sender signs that.
    fn written(&self) -> Exact {
        let written = Exact::of_marked(&exact::marked(self.body)).ok();
        written
            .filter(|_| !self.is_replaced.get())
            .unwrap_or_else(|| self.value().clone().into())
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

    /// The one value of a header.
    pub(super) fn header(&self, name: &str) -> Result<&'a [u8], Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let named = || format!("header `{name}`");
        let value = values.next().ok_or_else(|| Refusal::Missing(named()))?;
        match values.next() {
            Some(_) => Err(Refusal::Twice(named())),
            None => Ok(value.as_bytes()),
        }
    }

    /// The one value of a query parameter.
    pub(super) fn query(&self, name: &str) -> Result<String, Refusal> {
        let pairs = form_urlencoded::parse(self.raw_query().as_bytes());
        let mut values = pairs.filter(|(own, _)| own == name).map(|(_, value)| value);
        let named = || format!("query parameter `{name}`");
        let value = values.next().ok_or_else(|| Refusal::Missing(named()))?;
        match values.next() {
            Some(_) => Err(Refusal::Twice(named())),
            None => Ok(value.into_owned()),
        }
    }

    /// The texts at a path of the parsed body; at least one.
    pub(super) fn texts_at(&self, path: &[String]) -> Result<Vec<String>, Refusal> {
        let named = || format!("`{}` of the body", path.join("."));
        let mut found = Vec::new();
        collect(self.value(), path, &mut found);
        let has_fractions = found.iter().flatten().any(|value| value.is_f64());
        let written = has_fractions.then(|| self.written());
        if let Some(written) = &written {
            found.clear();
            collect(written.inside(), path, &mut found);
        }
        if found.is_empty() {
            return Err(Refusal::Missing(named()));
        }
        let texts = found.into_iter().map(|value| match value {
            None | Some(Value::Null) => Err(Refusal::Missing(named())),
            Some(Value::Array(_) | Value::Object(_)) => Err(Refusal::Malformed(named())),
            Some(scalar) if has_fractions => Ok(exact::text(scalar).into_owned()),
            Some(scalar) => Ok(exact::text(&exact::inside_of(scalar)).into_owned()),
        });
        texts.collect()
    }

    /// The text of a header, a query parameter or a field of the body.
    pub(super) fn place(&self, part: &Part) -> Result<Vec<u8>, Refusal> {
        match part {
            Part::Header(name) => self.header(name).map(<[u8]>::to_vec),
            Part::Query(name) => self.query(name).map(String::into_bytes),
            Part::BodyField(path) => match self.texts_at(path)?.as_slice() {
                [only] => Ok(only.clone().into_bytes()),
                _ => Err(Refusal::Twice(format!("`{}` of the body", path.join(".")))),
            },
            Part::Body => Ok(self.body.to_vec()),
            _ => Err(Refusal::BadSetting("from", "it names no place")),
        }
    }
}

/// The query of a URL, without its `?`.
pub(super) fn query_in(url: &str) -> &str {
    let target = url.split('#').next().unwrap_or_default();
    target.split_once('?').map_or("", |(_, query)| query)
}

/// Each value at a path; `None` where one of several has none. As deep as the path.
fn collect<'v>(value: &'v Value, path: &[String], found: &mut Vec<Option<&'v Value>>) {
    let Some((first, rest)) = path.split_first() else {
        found.push(Some(value));
        return;
    };
    match value {
        Value::Array(items) if first == "*" => {
            for item in items {
                collect(item, rest, found);
            }
        }
        Value::Array(items) => match first.parse().ok().and_then(|at: usize| items.get(at)) {
            Some(item) => collect(item, rest, found),
            None => found.push(None),
        },
        Value::Object(entries) => match entries.get(first) {
            Some(entry) => collect(entry, rest, found),
            None => found.push(None),
        },
        _ => found.push(None),
    }
}
