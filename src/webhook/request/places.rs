//! What is at one place of a request: a header, a query parameter, a field of the body.

use serde_json::Value;

use super::WebhookRequest;
use crate::config::webhook::RequestPart;
use crate::json::{Exact, exact};
use crate::webhook::Refusal;

impl<'a> WebhookRequest<'a> {
    /// The one value of a header.
    pub(in crate::webhook) fn header(&self, name: &str) -> Result<&'a [u8], Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let named = || format!("header `{name}`");
        let value = values.next().ok_or_else(|| Refusal::Missing(named()))?;
        match values.next() {
            Some(_) => Err(Refusal::Twice(named())),
            None => Ok(value.as_bytes()),
        }
    }

    /// The one value of a query parameter.
    pub(in crate::webhook) fn query(&self, name: &str) -> Result<String, Refusal> {
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
    pub(in crate::webhook) fn texts_at(&self, path: &[String]) -> Result<Vec<String>, Refusal> {
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

    /// The body with each number as it was written, for a sender signs that.
    fn written(&self) -> Exact {
        let text = self.charset_text().ok().filter(|_| !self.is_token());
        text.and_then(|text| Exact::of_marked(&exact::marked(text.as_bytes())).ok())
            .unwrap_or_else(|| self.value().clone().into())
    }

    /// The text of a header, a query parameter or a field of the body.
    pub(in crate::webhook) fn place(&self, part: &RequestPart) -> Result<Vec<u8>, Refusal> {
        match part {
            RequestPart::Header(name) => self.header(name).map(<[u8]>::to_vec),
            RequestPart::Query(name) => self.query(name).map(String::into_bytes),
            RequestPart::BodyField(path) => match self.texts_at(path)?.as_slice() {
                [only] => Ok(only.clone().into_bytes()),
                _ => Err(Refusal::Twice(format!("`{}` of the body", path.join(".")))),
            },
            RequestPart::Body => Ok(self.body.to_vec()),
            _ => Err(Refusal::BadSetting("from", "it names no place")),
        }
    }
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
