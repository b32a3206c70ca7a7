//! `retry` and `paginate` as `rate_limit` and `pagination`.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::custom_token::path_expression;
use super::definition::text;
use super::draft::Draft;
use super::template::quoted;

/// `rate_limit`, where the definition says how a provider asks to wait.
pub fn rate_limit(draft: &mut Draft) -> Option<Value> {
    let retry = draft.definition.proxy("retry")?;
    let mut limit = Map::new();
    let headers = match names(retry.get("at")) {
        found if found.is_empty() => names(retry.get("after")),
        found => found,
    };
    let remaining = text(retry.get("remaining")).filter(|name| is_token(name));
    if let Some(name) = remaining {
        let condition = format!(
            "status = 429 or (status >= 400 and headers.`{}` = \"0\")",
            name.to_ascii_lowercase()
        );
        limit.insert("is_rate_limited".to_owned(), json!(condition));
    }
    let wait = match headers.as_slice() {
        [] => retry.get("in_body").and_then(|own| in_body(draft, own)),
        [name] => Some(name.clone()),
        several => Some(longest(several)),
    };
    if let Some(wait) = wait {
        limit.insert("retry_after_header_expression".to_owned(), json!(wait));
    }
    add_codes(draft, retry, &mut limit);
    (!limit.is_empty()).then_some(())?;
    limit
        .entry("is_rate_limited")
        .or_insert_with(|| json!("status = 429"));
    Some(Value::Object(limit))
}

fn names(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(name)) if is_token(name) => vec![name.to_ascii_lowercase()],
        Some(Value::Array(items)) => {
            let names = items.iter().filter_map(Value::as_str);
            let names = names.filter(|name| is_token(name));
            names.map(str::to_ascii_lowercase).collect()
        }
        _ => Vec::new(),
    }
}

/// The name of a header, or a status.
fn is_token(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    !name.is_empty() && name.bytes().all(fits)
}

/// The longest wait of several headers with numbers.
fn longest(names: &[String]) -> String {
    let headers: Vec<String> = names
        .iter()
        .map(|name| format!("headers.`{name}`"))
        .collect();
    format!(
        "( $waits := [{}]; $max([0, $waits.($number($))]) )",
        headers.join(", ")
    )
}

/// A number in a text of the body.
fn in_body(draft: &mut Draft, own: &Value) -> Option<String> {
    let path = path_expression(text(own.get("path"))?);
    let Some(pattern) = text(own.get("value")) else {
        return Some(format!("response.{path}"));
    };
    if !super::patterns::is_pattern(pattern) {
        draft.lose("retry.in_body: its pattern");
        return None;
    }
    let pattern = pattern.replace("\\/", "/").replace('/', "\\/");
    Some(format!("$match(response.{path}, /{pattern}/)[0].groups[0]"))
}

/// Statuses that are retried. 429 and those of servers are, without a word.
fn add_codes(draft: &mut Draft, retry: &Value, limit: &mut Map<String, Value>) {
    let codes = names(retry.get("error_code"));
    let is_default = |code: &String| code == "429" || code.starts_with('5');
    let others: Vec<&String> = codes.iter().filter(|code| !is_default(code)).collect();
    if others.is_empty() {
        return;
    }
    if draft.words.knows(Word::RetryOn) {
        // A refused credential is renewed, not retried.
        let codes = codes.iter().filter_map(|code| code.parse::<u16>().ok());
        let codes: Vec<u16> = codes
            .filter(|code| (400..600).contains(code) && *code != 401)
            .collect();
        limit.insert("retry_on".to_owned(), json!(codes));
    } else {
        let others: Vec<&str> = others.into_iter().map(String::as_str).collect();
        draft.lack(Word::RetryOn, &quoted(&others.join(", ")));
    }
}

/// `pagination`, where the definition says how lists page.
pub fn pagination(draft: &mut Draft) -> Option<Value> {
    let own = draft.definition.proxy("paginate")?;
    let mut config = Map::new();
    if let Some(limit) = text(own.get("limit_name_in_request")) {
        config.insert("limit_key".to_owned(), json!(limit));
    }
    let format = match text(own.get("type")) {
        Some("cursor") => cursor(own, &mut config),
        Some("link") => link(own, &mut config),
        Some("offset") => offset(own, &mut config),
        other => Err(format!("the type {}", other.unwrap_or("that is absent"))),
    };
    let format = match format {
        Ok(format) => format,
        Err(reason) => {
            draft.lose(format!("paginate: {reason}"));
            return None;
        }
    };
    if own.get("in_body") == Some(&Value::Bool(true)) && format != "link_header" {
        config.insert("add_to_body".to_owned(), json!(true));
    }
    if let Some(path) = text(own.get("response_path")) {
        draft
            .notes
            .insert(format!("lists: their `response_path` is `{path}`"));
    }
    Some(json!({ "format": format, "config": config }))
}

/// A text that a way to page cannot do without.
fn required<'v>(own: &'v Value, key: &str) -> Result<&'v str, String> {
    text(own.get(key)).ok_or_else(|| format!("it has no {key}"))
}

fn cursor(own: &Value, config: &mut Map<String, Value>) -> Result<&'static str, String> {
    for (key, name) in [
        ("cursor_path", "cursor_path_in_response"),
        ("cursor_key", "cursor_name_in_request"),
    ] {
        config.insert(key.to_owned(), json!(required(own, name)?));
    }
    Ok("cursor")
}

/// The next page is at a URL, in the answer or in its `Link` header.
fn link(own: &Value, config: &mut Map<String, Value>) -> Result<&'static str, String> {
    if let Some(path) = text(own.get("link_path_in_response_body")) {
        config.insert("cursor_path".to_owned(), json!(path));
        config.insert("is_link".to_owned(), json!(true));
        config.insert("include_path".to_owned(), json!(true));
        return Ok("cursor");
    }
    match text(own.get("link_rel_in_response_header")) {
        None | Some("next") => Ok("link_header"),
        Some(other) => Err(format!("links with rel=\"{other}\"")),
    }
}

fn offset(own: &Value, config: &mut Map<String, Value>) -> Result<&'static str, String> {
    let name = required(own, "offset_name_in_request")?;
    let start = own.get("offset_start_value").and_then(Value::as_u64);
    let is_page = text(own.get("offset_calculation_method")) == Some("per-page");
    let (format, key, start_key) = if is_page {
        ("page", "page_key", "start_page")
    } else {
        ("offset", "offset_key", "start_offset")
    };
    config.insert(key.to_owned(), json!(name));
    if let Some(start) = start.or_else(|| is_page.then_some(0)) {
        config.insert(start_key.to_owned(), json!(start));
    }
    Ok(format)
}
