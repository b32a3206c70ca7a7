//! The bytes that were signed, put together from a scheme's `parts`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::config::webhook::{RequestPart, SignatureConfig, SignedTime};
use crate::expression::{Template, TemplateScope};
use crate::media::percent_encoded;

use super::candidates::listed_entry;
use super::request::query_in;
use super::{Refusal, WebhookRequest};

/// What the parts of one scheme read from.
pub(super) struct Content<'a> {
    pub(super) config: &'a SignatureConfig,
    pub(super) request: &'a WebhookRequest<'a>,
    pub(super) scope: &'a TemplateScope<'a>,
    /// The URL as it was signed.
    pub(super) url: Cow<'a, str>,
}

impl Content<'_> {
    /// What is signed, as the scheme says; the body when it says nothing.
    pub(super) fn signed(&self, secret: &[u8]) -> Result<Vec<u8>, Refusal> {
        match &self.config.verification_content {
            Some(text) if self.config.parts.is_empty() => self.filled(text),
            _ => self.of(&self.config.parts, secret),
        }
    }

    /// These parts in a row; the body when there are none.
    pub(super) fn of(&self, parts: &[RequestPart], secret: &[u8]) -> Result<Vec<u8>, Refusal> {
        if parts.is_empty() {
            return Ok(self.request.body.to_vec());
        }
        let parts = parts.iter().map(|part| self.part(part, secret));
        Ok(parts.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// The recursion is as deep as the file.
    fn part(&self, part: &RequestPart, secret: &[u8]) -> Result<Vec<u8>, Refusal> {
        let request = self.request;
        Ok(match part {
            RequestPart::Literal(text) => {
                let text = text.text(self.scope);
                let text = text.map_err(|error| Refusal::Render("parts", error))?;
                text.unwrap_or_default().into_bytes()
            }
            RequestPart::Header(_)
            | RequestPart::Query(_)
            | RequestPart::BodyField(_)
            | RequestPart::Body => request.place(part)?,
            RequestPart::Entry(key) => {
                let list = self.config.signature.as_ref();
                listed_entry(list.ok_or(Refusal::NoSetting("signature"))?, request, key)?
            }
            RequestPart::RawQuery => query_in(&self.url).as_bytes().to_vec(),
            RequestPart::Url => self.url.as_bytes().to_vec(),
            RequestPart::UrlDecoded => delimiters_decoded(&self.url).into_bytes(),
            RequestPart::Method => request.method.as_str().as_bytes().to_vec(),
            RequestPart::Path => request.raw_path().as_bytes().to_vec(),
            RequestPart::FormSorted => self.form_sorted()?,
            RequestPart::CanonicalRequest => self.canonical_request().into_bytes(),
            RequestPart::Timestamp => {
                let timestamp = self.config.timestamp.as_ref();
                self.time(timestamp.ok_or(Refusal::NoSetting("timestamp"))?)?
            }
            RequestPart::Id => id(request)?.to_vec(),
            RequestPart::Secret => secret.to_vec(),
            RequestPart::BareHeader => {
                return Err(Refusal::BadSetting("parts", "`header` names no header"));
            }
            RequestPart::Optional(parts) => match self.of(parts, secret) {
                Err(Refusal::Missing(_)) => Vec::new(),
                other => other?,
            },
        })
    }

    /// The written time of signing.
    pub(super) fn time(&self, timestamp: &SignedTime) -> Result<Vec<u8>, Refusal> {
        // `timestamp` as its own place would never end.
        if !timestamp.from.is_place() {
            return Err(Refusal::BadSetting("timestamp", "`from` names no place"));
        }
        self.part(&timestamp.from, &[])
    }

    /// Names and values of the form, sorted, in a row. Another body has none: `body_hash` has to cover it.
    fn form_sorted(&self) -> Result<Vec<u8>, Refusal> {
        let request = self.request;
        if !request.is_form() {
            let is_covered = request.body.is_empty() || self.config.body_hash.is_some();
            return is_covered.then(Vec::new).ok_or(Refusal::BodyNotCovered);
        }
        let fields = request.pairs();
        let fields = fields.map_err(|_| Refusal::Malformed("the form".to_owned()))?;
        let fields: BTreeSet<_> = fields.into_iter().collect();
        let texts = fields.iter().flat_map(|(name, value)| [name, value]);
        Ok(texts.flat_map(|text| text.bytes()).collect())
    }

    /// `POST&/path&a=1&b=2,3`: without the parameter that carries the token, names sorted, values of one name
    /// sorted and joined by commas, all percent-encoded.
    fn canonical_request(&self) -> String {
        let encoded = |text: &str| percent_encoded(text.as_bytes());
        let mut pairs: Vec<(String, String)> =
            form_urlencoded::parse(self.request.raw_query().as_bytes())
                .filter(|(name, _)| name != "jwt")
                .map(|(name, value)| (encoded(&name), encoded(&value)))
                .collect();
        pairs.sort();
        let mut query = String::new();
        let mut last: Option<&str> = None;
        for (name, value) in &pairs {
            if last == Some(name) {
                query = query + "," + value;
            } else {
                let and = if last.is_some() { "&" } else { "" };
                query = query + and + name + "=" + value;
            }
            last = Some(name);
        }
        let path = self.request.raw_path().trim_end_matches('/');
        let path = if path.is_empty() { "/" } else { path };
        [
            self.request.method.as_str(),
            &path.replace('&', "%26"),
            &query,
        ]
        .join("&")
    }

    fn filled(&self, template: &Template) -> Result<Vec<u8>, Refusal> {
        let request = self.request;
        let text = |bytes: &[u8]| Value::String(String::from_utf8_lossy(bytes).into_owned());
        let timestamp = self.config.timestamp.as_ref();
        let timestamp = timestamp
            .map(|timestamp| self.time(timestamp))
            .transpose()?;
        let names = json!({
            "headers": request.headers_value(),
            "url": self.url,
            "method": request.method.as_str(),
            "path": request.raw_path(),
            "timestamp": timestamp.as_deref().map(text),
        });
        // As a text of another charset it would not be the bytes that were signed.
        let body = str::from_utf8(request.body);
        let body = body.map_err(|_| Refusal::Malformed("the body".to_owned()))?;
        let (body, query) = (Value::from(body), request.query_value());
        let id = text(id(request).unwrap_or_default());
        let scope = TemplateScope::new(&names)
            .with_body(&body)
            .with_query(&query)
            .with_id(&id);
        let filled = template.text(&scope);
        let filled = filled.map_err(|error| Refusal::Render("verification_content", error))?;
        filled
            .map(String::into_bytes)
            .ok_or(Refusal::NoSetting("verification_content"))
    }
}

/// The URL with these escapes decoded, each once: `: / ? @ ! $ ' ( ) * , ;`.
pub(super) fn delimiters_decoded(url: &str) -> String {
    const ESCAPES: [(&str, char); 12] = [
        ("3A", ':'),
        ("2F", '/'),
        ("3F", '?'),
        ("40", '@'),
        ("21", '!'),
        ("24", '$'),
        ("27", '\''),
        ("28", '('),
        ("29", ')'),
        ("2A", '*'),
        ("2C", ','),
        ("3B", ';'),
    ];
    let mut pieces = url.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.get(..2).unwrap_or_default();
        let escape = ESCAPES
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(digits));
        if let Some((_, delimiter)) = escape {
            decoded.push(*delimiter);
            decoded.push_str(piece.get(2..).unwrap_or_default());
        } else {
            decoded.push('%');
            decoded.push_str(piece);
        }
    }
    decoded
}

/// The event's id, as Standard Webhooks names it.
pub(super) fn id<'a>(request: &WebhookRequest<'a>) -> Result<&'a [u8], Refusal> {
    match request.header("webhook-id") {
        Err(Refusal::Missing(_)) => request.header("svix-id"),
        other => other,
    }
}
