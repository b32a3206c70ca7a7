//! A token endpoint's answer (RFC 6749 §5.1), as real providers send it: JSON or a form under any content
//! type, nested, with numbers as texts. All fields of the provider are kept.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::account::freshness;
use crate::config::credentials::{DurationUnit, OAuth2, TokenNames};
use crate::json;
use crate::settings::{FORM_FIELDS, SMALL_ANSWER_VALUES};
use crate::time::Timestamp;

use super::failure::{TokenFailure, accepted, unreadable};
use super::shown_text::cleaned;

const ACCESS_TOKEN: &str = "access_token";
const REFRESH_TOKEN: &str = "refresh_token";
/// Ten years with their leap days: what claims to last longer is taken for a mistake.
const LONGEST_LIFETIME: u64 = 3_653 * 24 * 60 * 60;
/// How many keys of an unusable answer are named.
const KEYS_NAMED: usize = 10;

/// A token that was granted. All of it is secret.
#[derive(Clone)]
pub struct TokenReply {
    /// What to store at `oauth.token`: the provider's fields; `expires_in` in whole seconds and
    /// `expires_at` where the answer or the file says how long; `scope` as one text.
    pub token: Value,
    /// The whole answer, for [`super::context_from_token`].
    pub reply: Value,
}

impl fmt::Debug for TokenReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = |value: &Value| keys(value.as_object().unwrap_or(&Map::new()));
        f.debug_struct("TokenReply")
            .field("token", &keys(&self.token))
            .field("reply", &keys(&self.reply))
            .finish()
    }
}

/// Reads the answer to a token request. `previous` is the stored token when this was a refresh: its
/// refresh token stays in force when none comes (RFC 6749 §6). The caller bounds the body's size.
pub fn read_token(
    config: &OAuth2,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
    previous: Option<&Value>,
) -> Result<TokenReply, TokenFailure> {
    let token_key = config.token_names.token_key();
    let reply = Value::Object(accepted(status, headers, (body, token_key), now)?);
    let found = find(config, &reply, previous).or_else(|| kept(config, &reply, previous?));
    let mut token = found.ok_or_else(|| no_token(&reply))?;
    drop_nulls(&mut token);
    super::token_server::remove(&mut token);
    keep_refresh_token(&mut token, previous);
    for key in [ACCESS_TOKEN, REFRESH_TOKEN] {
        if token.get(key).is_some_and(|text| !is_sendable(text)) {
            return Err(unreadable(&format!(
                "its {key} has characters that no token has"
            )));
        }
    }
    let default = config.token_expiry_duration.map(|count| count.0);
    let lifetime = lifetime(&token, config.expires_in_unit, now);
    let lifetime = lifetime.or_else(|| default.filter(|seconds| is_credible(*seconds)));
    set_expiry(&mut token, lifetime, now);
    set_scope(&mut token);
    Ok(TokenReply {
        token: Value::Object(token),
        reply,
    })
}

/// JSON, else a form, which has `token_key` or an error; `None` when it is neither. Content types say too little to be
/// asked.
pub(super) fn parsed(body: &[u8], token_key: &str) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if json::count_values(body).is_ok() {
        return match json::read_at_most(body, SMALL_ANSWER_VALUES)? {
            Value::Object(fields) => Some(fields),
            _ => None,
        };
    }
    let text = std::str::from_utf8(body).ok()?.trim();
    if json::count_fields(text.as_bytes()) > FORM_FIELDS {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    let fields: Map<String, Value> = pairs
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    let is_form = fields.contains_key(token_key) || fields.contains_key("error");
    is_form.then_some(fields)
}

/// Sets or removes `expires_in` and `expires_at`; both are ours.
pub(super) fn set_expiry(token: &mut Map<String, Value>, lifetime: Option<u64>, now: Timestamp) {
    token.shift_remove("expires_in");
    token.shift_remove("expires_at");
    if let Some(seconds) = lifetime {
        let expires_at = now.plus(Duration::from_secs(seconds));
        token.insert("expires_in".to_owned(), seconds.into());
        token.insert("expires_at".to_owned(), expires_at.to_string().into());
    }
}

/// Nothing lives for no time at all, and nothing for more than ten years.
pub(super) fn is_credible(seconds: u64) -> bool {
    (1..=LONGEST_LIFETIME).contains(&seconds)
}

fn find(config: &OAuth2, reply: &Value, previous: Option<&Value>) -> Option<Map<String, Value>> {
    // A refresh is often answered flat by those who nest the first token. A first answer is not taken flat:
    // what is there may be another subject's token.
    let flat = previous.map(|_| reply);
    [nested(config, reply), flat]
        .into_iter()
        .flatten()
        .filter_map(|fields| named(&config.token_names, fields))
        .find(|fields| text_of(fields, ACCESS_TOKEN).is_some())
}

fn nested<'r>(config: &OAuth2, reply: &'r Value) -> Option<&'r Value> {
    match &config.token_response_path {
        Some(path) => path.lookup(reply),
        None => Some(reply),
    }
}

/// The fields with the names of RFC 6749. What has the name, and is elsewhere by the file, is another value.
fn named(names: &TokenNames, fields: &Value) -> Option<Map<String, Value>> {
    let mut own = fields.as_object()?.clone();
    for (name, path) in names.renamed() {
        own.shift_remove(name);
        if let Some(value) = path.lookup(fields) {
            own.insert(name.to_owned(), value.clone());
        }
    }
    Some(own)
}

/// The token before, where the file says that it lives on. Its expiry is that of the answer.
fn kept(config: &OAuth2, reply: &Value, previous: &Value) -> Option<Map<String, Value>> {
    let mut token = previous
        .as_object()
        .filter(|_| config.refresh_keeps_token)?
        .clone();
    text_of(&token, ACCESS_TOKEN)?;
    let mut answered = named(&config.token_names, nested(config, reply).unwrap_or(reply))?;
    for name in ["expires_in", "expires_at", "expires_on", REFRESH_TOKEN] {
        let said = answered.shift_remove(name);
        if name != REFRESH_TOKEN {
            token.shift_remove(name);
        }
        token.extend(said.map(|value| (name.to_owned(), value)));
    }
    Some(token)
}

/// A null says nothing; where the token is stored it would remove what it names.
fn drop_nulls(token: &mut Map<String, Value>) {
    token.retain(|_, value| !value.is_null());
    for value in token.values_mut() {
        if let Value::Object(inner) = value {
            drop_nulls(inner);
        }
    }
}

fn keep_refresh_token(token: &mut Map<String, Value>, previous: Option<&Value>) {
    if text_of(token, REFRESH_TOKEN).is_some() {
        return;
    }
    token.shift_remove(REFRESH_TOKEN);
    let kept = previous
        .and_then(Value::as_object)
        .and_then(|previous| text_of(previous, REFRESH_TOKEN));
    if let Some(kept) = kept {
        token.insert(REFRESH_TOKEN.to_owned(), kept.into());
    }
}

fn text_of<'t>(fields: &'t Map<String, Value>, key: &str) -> Option<&'t str> {
    let text = fields.get(key)?.as_str()?;
    Some(text).filter(|text| !text.is_empty())
}

/// Visible ASCII and spaces: all that a token may have (RFC 6749, appendix A.12), and what a header carries.
fn is_sendable(token: &Value) -> bool {
    let is_sendable = |text: &str| text.bytes().all(|b| (0x20..=0x7e).contains(&b));
    token.as_str().is_some_and(is_sendable)
}

/// Seconds from now, as the provider says: `expires_in`, else a moment.
fn lifetime(token: &Map<String, Value>, unit: DurationUnit, now: Timestamp) -> Option<u64> {
    let said = token.get("expires_in");
    let said = said.and_then(|value| seconds(value, unit));
    said.filter(|seconds| is_credible(*seconds)).or_else(|| {
        let moments = ["expires_at", "expires_on"];
        let mut moments = moments.iter().filter_map(|key| token.get(*key));
        let expires_at = moments.find_map(freshness::moment)?;
        Some(expires_at.since(now).as_secs()).filter(|seconds| is_credible(*seconds))
    })
}

/// Whole seconds of a number or its text; nothing for a negative one or none at all.
fn seconds(value: &Value, unit: DurationUnit) -> Option<u64> {
    let count: f64 = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let seconds = count * unit.seconds();
    Some(Duration::try_from_secs_f64(seconds).ok()?.as_secs())
}

/// One text, though some send a list, or call it `scopes`.
fn set_scope(token: &mut Map<String, Value>) {
    let listed = match (token.get("scope"), token.get("scopes")) {
        (Some(Value::String(_)), _) => return,
        (Some(Value::Array(items)), _) | (_, Some(Value::Array(items))) => {
            let items: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(items.join(" "))
        }
        (_, Some(Value::String(text))) => Some(text.clone()),
        _ => None,
    };
    token.shift_remove("scope");
    if let Some(scope) = listed.filter(|scope| !scope.is_empty()) {
        token.insert("scope".to_owned(), scope.into());
    }
}

/// The failure of an answer in which no token was found. Names the keys that came instead: enough to find the right
/// `tokenResponsePath`.
pub fn no_token(reply: &Value) -> TokenFailure {
    let keys = keys(reply.as_object().unwrap_or(&Map::new())).join(", ");
    unreadable(&format!(
        "it has no access_token where one is expected, only: {keys}"
    ))
}

fn keys(fields: &Map<String, Value>) -> Vec<String> {
    let names = fields.keys().filter_map(|key| cleaned(key, 40));
    names.take(KEYS_NAMED).collect()
}

#[cfg(test)]
mod tests;
