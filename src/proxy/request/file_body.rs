//! The file's `body` in the body of a request: JSON or a form, of the gateway or of a caller. An entry that reads the account or the
//! install is the file's: what a caller sends under its name is left out. Any other is a default. A method's own entries
//! win over both.

use std::collections::BTreeSet;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method as HttpMethod};
use serde_json::{Map, Value};

use super::reserved_names::{NameLevels, is_kept_tree};
use super::{Draft, Payload, RequestError};
use crate::config::resource::BodyFormat;
use crate::config::{Config, QueryArrayFormat};
use crate::expression::{TemplateScope, TemplateTree};
use crate::json::{self, Exact, ObjectEntries};
use crate::media::{MediaKind, kind};
use crate::proxy::description;
use crate::proxy::form;

/// The entries, filled.
pub struct FileBody<'c> {
    entries: Vec<FileEntry<'c>>,
    /// Their names, in the same order.
    names: NameLevels,
}

struct FileEntry<'c> {
    name: &'c str,
    value: Value,
    is_kept: bool,
}

/// The body that they are put into.
pub struct MergedBody<'a> {
    /// The caller's body, where it goes as it came.
    pub callers: &'a [u8],
    /// The method's own template, where it made the body.
    pub template: Option<&'a TemplateTree>,
    /// The method's format; JSON where the provider's own path is called.
    pub format: BodyFormat,
    pub arrays: QueryArrayFormat,
}

impl<'c> FileBody<'c> {
    /// Those of a request with this HTTP method.
    pub fn of(
        config: &'c Config,
        method: &HttpMethod,
        scope: &TemplateScope,
    ) -> Result<Self, RequestError> {
        let mut entries = Vec::new();
        let body = config.body.as_ref().filter(|_| carries_body(method));
        if let Some(body) = body {
            let filled = body.tree().render(scope)?.unwrap_or_default();
            for (name, tree) in body.entries() {
                let value = filled.inside().get(name).cloned();
                entries.extend(value.map(|value| FileEntry {
                    name,
                    value,
                    is_kept: is_kept_tree(tree),
                }));
            }
        }
        let names: Vec<&str> = entries.iter().map(|entry| entry.name).collect();
        let names = NameLevels::of(&names);
        Ok(Self { entries, names })
    }

    /// The request with the entries in its body. A body of another type stays as it is, unless an entry is the file's.
    pub fn onto(&self, mut draft: Draft, merged: &MergedBody) -> Result<Draft, RequestError> {
        if self.entries.is_empty() {
            return Ok(draft);
        }
        let format = match draft.body {
            Payload::Callers => format_of(&draft.headers, merged.format),
            Payload::Nothing | Payload::Ours(_) => Some(merged.format),
        };
        // A provider that ignores the content type would read the caller's entry of that name.
        if format.is_none() && self.entries.iter().any(|entry| entry.is_kept) {
            return Err(RequestError::FileBody);
        }
        let text = match &draft.body {
            Payload::Callers => merged.callers,
            Payload::Nothing => &[],
            Payload::Ours(bytes) => bytes,
        };
        if text.is_empty() && !makes_body(&draft.method) {
            return Ok(draft);
        }
        let text = std::str::from_utf8(text);
        let written = match format {
            Some(BodyFormat::Json) => self.onto_json(text, merged),
            Some(BodyFormat::Form) => self.onto_form(text, merged),
            _ => return Ok(draft),
        }?;
        if draft.body == Payload::Callers {
            description::drop_of_another(&mut draft.headers);
        }
        let described = match format {
            Some(BodyFormat::Form) => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        let described = HeaderValue::from_static(described);
        draft.headers.entry(CONTENT_TYPE).or_insert(described);
        draft.body = Payload::Ours(written.into_bytes());
        Ok(draft)
    }

    fn onto_json(
        &self,
        text: Result<&str, std::str::Utf8Error>,
        merged: &MergedBody,
    ) -> Result<String, RequestError> {
        let text = text.map_err(|_| RequestError::FileBody)?;
        let text = if text.trim().is_empty() { "{}" } else { text };
        let entries = ObjectEntries::of(text).map_err(|_| RequestError::FileBody)?;
        let mut marks = EntryMarks::of(self, merged.template);
        let mut written = String::from("{");
        let mut write = |key: &str, value: &str| {
            if written.len() > 1 {
                written.push(',');
            }
            written.extend([key, ":", value]);
        };
        for (key, value) in entries {
            let name = json::key_name(key).ok_or(RequestError::FileBody)?;
            if marks.keeps(&name) {
                write(key, value);
            }
        }
        for entry in marks.added() {
            let value = Exact::of_inside(entry.value.clone());
            write(&Value::from(entry.name).to_string(), &value.to_string());
        }
        written.push('}');
        Ok(written)
    }

    fn onto_form(
        &self,
        text: Result<&str, std::str::Utf8Error>,
        merged: &MergedBody,
    ) -> Result<String, RequestError> {
        let text = text.map_err(|_| RequestError::FileBody)?;
        let mut marks = EntryMarks::of(self, merged.template);
        let kept = text.split('&').filter(|piece| {
            let read = form_urlencoded::parse(piece.as_bytes()).next();
            read.is_some_and(|(name, _)| marks.keeps(&name))
        });
        let mut pieces: Vec<&str> = kept.collect();
        let own = marks.added();
        let own: Map<String, Value> = own
            .map(|entry| (entry.name.to_owned(), entry.value.clone()))
            .collect();
        let own = form::encode(&Exact::of_inside(Value::Object(own)), merged.arrays)?;
        pieces.extend(own.as_deref().filter(|own| !own.is_empty()));
        Ok(pieces.join("&"))
    }
}

/// What becomes of the file's entries in one body, whose own entries are looked at one after the other.
struct EntryMarks<'f> {
    file: &'f FileBody<'f>,
    /// The names that the method itself gives.
    own: BTreeSet<&'f str>,
    /// Of each of the file's entries, in their order, whether an entry of the body takes its place.
    is_replaced: Vec<bool>,
}

impl<'f> EntryMarks<'f> {
    fn of(file: &'f FileBody<'f>, template: Option<&'f TemplateTree>) -> Self {
        let own: BTreeSet<&str> = match template {
            Some(TemplateTree::Object(own)) => own.iter().map(|(name, _)| name.as_str()).collect(),
            _ => BTreeSet::new(),
        };
        let names = file.entries.iter().map(|entry| entry.name);
        let is_replaced = names.map(|name| own.contains(name)).collect();
        Self {
            file,
            own,
            is_replaced,
        }
    }

    /// Whether an entry of the body stays in it. One that has the name of a default takes its place.
    fn keeps(&mut self, name: &str) -> bool {
        let (file, mut is_refused) = (self.file, false);
        for at in file.names.positions(name) {
            let is_files = file.entries.get(at).is_some_and(|entry| entry.is_kept);
            match self.is_replaced.get_mut(at) {
                Some(is_replaced) if is_files => is_refused |= !*is_replaced,
                Some(is_replaced) => *is_replaced = true,
                None => {}
            }
        }
        !is_refused || self.own.contains(name)
    }

    /// The file's entries that go into the body.
    fn added(&self) -> impl Iterator<Item = &'f FileEntry<'f>> {
        let all = self.file.entries.iter().zip(&self.is_replaced);
        all.filter(|(_, is_replaced)| !**is_replaced)
            .map(|(entry, _)| entry)
    }
}

/// Whether the caller's body has to be read for the file's entries.
pub fn reads_callers(config: &Config, method: &HttpMethod, headers: &HeaderMap) -> bool {
    let is_typed = headers.contains_key(CONTENT_TYPE);
    let has_entries = config
        .body
        .as_ref()
        .is_some_and(|own| !own.entries().is_empty());
    let is_one = !is_typed || matches!(kind(headers), MediaKind::Json | MediaKind::Form);
    has_entries && is_one && carries_body(method)
}

/// The format of the caller's body; `None` where it is neither JSON nor a form.
fn format_of(headers: &HeaderMap, own: BodyFormat) -> Option<BodyFormat> {
    match kind(headers) {
        MediaKind::Json => Some(BodyFormat::Json),
        MediaKind::Form => Some(BodyFormat::Form),
        _ => (!headers.contains_key(CONTENT_TYPE)).then_some(own),
    }
}

fn carries_body(method: &HttpMethod) -> bool {
    !matches!(*method, HttpMethod::GET | HttpMethod::HEAD)
}

/// Whether a request without a body gets one.
fn makes_body(method: &HttpMethod) -> bool {
    matches!(
        *method,
        HttpMethod::POST | HttpMethod::PUT | HttpMethod::PATCH
    )
}

#[cfg(test)]
mod tests;
