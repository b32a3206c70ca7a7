//! `cursor`: an opaque cursor, or a link, that an answer gives for the page behind it.

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::link::{self, LinkParts};
use super::{
    PageAnswer, PageContext, PageError, PageLinks, PageParameters, PagePlace, PageStatus, Position,
};
use crate::config::pagination::{Cursor, CursorPathObject, LimitDataType};
use crate::expression::TemplateScope;
use crate::header_text;
use crate::json::{self, Path};

pub(super) fn ask(
    config: &Cursor,
    position: &Position,
    scope: &TemplateScope,
) -> Result<PageParameters, PageError> {
    let mut ask = PageParameters::default();
    let cursor = match &position.at {
        PagePlace::Start => None,
        PagePlace::Cursor(json) => Some(said(config, json)),
        PagePlace::Link(link) => {
            ask.link = Some(link.clone());
            None
        }
        _ => return Err(PageError::Foreign),
    };
    add_limit(config, position, &mut ask);
    if let Some(cursor) = cursor {
        ask.tell("cursor", cursor.text.clone());
        if let Some(key) = &config.cursor_key {
            put(config, &mut ask, key, cursor);
        }
    }
    add_headers(config, scope, &mut ask)?;
    Ok(ask)
}

pub(super) fn next(
    config: &Cursor,
    position: &Position,
    request: &PageContext,
    answer: &PageAnswer,
) -> Result<PageLinks, PageError> {
    let prev = match &config.prev_cursor_path {
        // An unusable link to the page before does not make this page fail.
        Some(path) => place(config, path, request, answer)
            .ok()
            .flatten()
            .map(|at| position.back(at)),
        None => None,
    };
    if config.use_content_hash && position.is_same_again(answer) {
        return Ok(PageLinks {
            next: None,
            prev,
            standing: PageStatus::Repeated,
            is_guessed_end: false,
        });
    }
    let is_empty = answer.count == 0 && !config.allow_empty_page_cursor;
    let at = if is_empty || !has_next(config, answer)? {
        None
    } else {
        place(config, &config.cursor_path, request, answer)?
    };
    let here = position.named(first_place(config, request));
    let next = at
        .filter(|at| !is_end(config, at) || here.has_visited(at))
        .map(|at| here.onward(at, answer));
    // An empty page, or one without a cursor, is the end, and yet the answer may say that there are more.
    let says_more = || config.has_next_path.is_some() && has_next(config, answer).unwrap_or(true);
    Ok(PageLinks {
        is_guessed_end: next.is_none() && says_more(),
        next,
        prev,
        standing: PageStatus::New,
    })
}

/// The name of the first page, where its request has one: its own link, or the cursor that the file or the caller begins
/// with.
fn first_place(config: &Cursor, request: &PageContext) -> Option<PagePlace> {
    if config.is_link {
        return Some(link::own(request.url));
    }
    let key = config.cursor_key.as_deref()?;
    let (_, text) = request.url.query_pairs().find(|(name, _)| name == key)?;
    Some(PagePlace::Cursor(serde_json::Value::from(text).to_string()))
}

/// `0` as a cursor means that there are no more pages; but not where the answer says elsewhere whether there are, and not
/// where it is the id of a record (`data.-1.id`).
fn is_end(config: &Cursor, place: &PagePlace) -> bool {
    let path = config.cursor_path.to_string();
    let is_of_a_record = path.split('.').any(|key| key.parse::<i64>().is_ok());
    config.has_next_path.is_none()
        && !is_of_a_record
        && matches!(place, PagePlace::Cursor(json) if json.trim_matches('"') == "0")
}

/// A cursor or a page size, for a query and for a body.
struct CursorValue {
    text: String,
    json: String,
}

/// The cursor as the next request says it: as it came, decoded once where the file says it is encoded.
fn said(config: &Cursor, json: &str) -> CursorValue {
    let Ok(text) = serde_json::from_str::<String>(json) else {
        let (text, json) = (json.to_owned(), json.to_owned());
        return CursorValue { text, json };
    };
    let text = decoded(config, &text);
    let json = serde_json::Value::from(text.clone()).to_string();
    CursorValue { text, json }
}

fn decoded(config: &Cursor, text: &str) -> String {
    if config.is_cursor_url_encoded {
        percent_decode_str(text).decode_utf8_lossy().into_owned()
    } else {
        text.to_owned()
    }
}

/// A link has the page size in it already; other pages are asked with it unless the file says no.
fn add_limit(config: &Cursor, position: &Position, ask: &mut PageParameters) {
    let Some(limit) = position.limit else { return };
    ask.tell("limit", limit);
    let is_said = matches!(position.at, PagePlace::Link(_))
        || (config.ignore_limit_in_pagination && position.at != PagePlace::Start);
    if let Some(key) = config.limit_key.as_deref().filter(|_| !is_said) {
        let text = limit.to_string();
        let json = match config.limit_data_type {
            Some(LimitDataType::String) => format!("\"{text}\""),
            Some(LimitDataType::Number) | None => text.clone(),
        };
        put(config, ask, key, CursorValue { text, json });
    }
}

fn put(config: &Cursor, ask: &mut PageParameters, key: &str, said: CursorValue) {
    if config.add_to_query.unwrap_or(!config.add_to_body) {
        ask.put_in_query(key, said.text);
    }
    if config.add_to_body {
        ask.put_in_body(key, said.json);
    }
}

/// A header whose value is missing is left out: the first page has no cursor yet.
fn add_headers(
    config: &Cursor,
    scope: &TemplateScope,
    ask: &mut PageParameters,
) -> Result<(), PageError> {
    let values = serde_json::Value::Object(ask.values.clone());
    let scope = scope.with_pagination(&values);
    for (name, template) in &config.headers {
        let Some(template) = template else { continue };
        let text = match template.header(&scope) {
            Ok(Some(text)) => text,
            Ok(None) => continue,
            Err(error) if error.is_missing() => continue,
            Err(error) => return Err(error.into()),
        };
        let cannot = || PageError::Header(name.clone());
        let parsed: HeaderName = name.parse().map_err(|_| cannot())?;
        let value = HeaderValue::from_str(&text).map_err(|_| cannot())?;
        ask.headers.insert(parsed, value);
    }
    Ok(())
}

/// Where the file names a place that says whether there is more, silence there means no.
fn has_next(config: &Cursor, answer: &PageAnswer) -> Result<bool, PageError> {
    let Some(path) = &config.has_next_path else {
        return Ok(true);
    };
    let said = at_path(answer.text, path)?;
    Ok(said
        .is_some_and(|json| !matches!(json, "false" | "0" | "\"false\"" | "\"0\"" | "[]" | "{}")))
}

/// The page that the answer names at `path`.
fn place(
    config: &Cursor,
    path: &Path,
    request: &PageContext,
    answer: &PageAnswer,
) -> Result<Option<PagePlace>, PageError> {
    let found = match config.cursor_path_object {
        CursorPathObject::Body => at_path(answer.text, path)?.map(str::to_owned),
        CursorPathObject::Header => in_header(answer, path)?,
    };
    match found.filter(|json| json != "false") {
        None => Ok(None),
        Some(json) if json.starts_with(['{', '[', 't']) => {
            Err(PageError::NotACursor(path.to_string()))
        }
        Some(json) if config.is_link => link(config, &json, request).map(Some),
        Some(json) => Ok(Some(PagePlace::Cursor(json))),
    }
}

fn link(config: &Cursor, json: &str, request: &PageContext) -> Result<PagePlace, PageError> {
    let link: String = serde_json::from_str(json).map_err(|_| PageError::NotALink)?;
    let parts = if config.include_path {
        LinkParts::Whole
    } else {
        LinkParts::Query
    };
    link::resolve(&decoded(config, &link), request.url, parts).map(PagePlace::Link)
}

/// The value at a place of the body, as JSON text; null, the text `null` and the empty text are nothing.
pub(super) fn at_path<'t>(text: &'t str, path: &Path) -> Result<Option<&'t str>, PageError> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(None);
    }
    let found = json::cut(text, path).map_err(|_| PageError::NotJson)?;
    Ok(found.filter(|json| !matches!(*json, "null" | "\"null\"" | "\"\"")))
}

fn in_header(answer: &PageAnswer, path: &Path) -> Result<Option<String>, PageError> {
    let Some(value) = answer.headers.get(path.to_string()) else {
        return Ok(None);
    };
    let text = header_text::text(value);
    if !header_text::is_known(&text) {
        return Err(PageError::NotUtf8(path.to_string()));
    }
    let value = text.trim();
    let said = !value.is_empty() && value != "null";
    Ok(said.then(|| serde_json::Value::from(value).to_string()))
}
