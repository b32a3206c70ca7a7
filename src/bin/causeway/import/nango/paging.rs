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
        names if names.is_empty() => names_of(retry, "after"),
        names => names,
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

fn names_of(retry: &Value, key: &str) -> Vec<String> {
    names(retry.get(key))
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
    let own = draft.definition.proxy("paginate")?.clone();
    let of = |key: &str| text(own.get(key));
    let mut config = Map::new();
    let mut put = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));
    if let Some(limit) = of("limit_name_in_request") {
        put("limit_key", json!(limit));
    }
    let is_in_body = own.get("in_body") == Some(&Value::Bool(true));
    let format = match of("type") {
        Some("cursor") => {
            put("cursor_path", json!(of("cursor_path_in_response")?));
            put("cursor_key", json!(of("cursor_name_in_request")?));
            "cursor"
        }
        Some("link") => match (
            of("link_path_in_response_body"),
            of("link_rel_in_response_header"),
        ) {
            (Some(path), _) => {
                put("cursor_path", json!(path));
                put("is_link", json!(true));
                put("include_path", json!(true));
                "cursor"
            }
            (None, None | Some("next")) => "link_header",
            (None, Some(other)) => {
                draft.lose(format!("paginate: links with rel=\"{other}\""));
                return None;
            }
        },
        Some("offset") => {
            let name = of("offset_name_in_request")?;
            let start = own.get("offset_start_value").and_then(Value::as_u64);
            let is_page = of("offset_calculation_method") == Some("per-page");
            put(if is_page { "page_key" } else { "offset_key" }, json!(name));
            let start = start.or_else(|| is_page.then_some(0));
            if let Some(start) = start {
                put(
                    if is_page {
                        "start_page"
                    } else {
                        "start_offset"
                    },
                    json!(start),
                );
            }
            if is_page { "page" } else { "offset" }
        }
        other => {
            draft.lose(format!(
                "paginate: the type {}",
                other.unwrap_or("that is absent")
            ));
            return None;
        }
    };
    if is_in_body && format != "link_header" {
        put("add_to_body", json!(true));
    }
    if let Some(path) = of("response_path") {
        draft
            .notes
            .insert(format!("lists: their `response_path` is `{path}`"));
    }
    Some(json!({ "format": format, "config": config }))
}
