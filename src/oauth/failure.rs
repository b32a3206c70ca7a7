//! What a provider means when it gives no token. RFC 6749 §5.2 is the rule; the rest is what providers
//! send instead of it: errors with status 200, as objects, in lists, or under names of their own.

use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

use crate::time::{Timestamp, retry_after};

use super::shown_text::cleaned;

mod dead_token;
mod words;

const LONGEST_CODE: usize = 100;
const LONGEST_DESCRIPTION: usize = 500;

/// Codes that say: later. Compared as [`plain`] writes them.
const TRANSIENT: [&str; 9] = [
    "temporarily_unavailable",
    "server_error",
    "internal_error",
    "internal_server_error",
    "service_unavailable",
    "rate_limit_exceeded",
    "ratelimited",
    "slow_down",
    "fatal_error",
];

/// Codes that say: the customer must connect again. Compared as [`plain`] writes them.
const REAUTH: [&str; 22] = [
    "invalid_grant",
    "invalid_refresh_token",
    "bad_refresh_token",
    "expired_refresh_token",
    "refresh_token_expired",
    "revoked_refresh_token",
    "refresh_token_revoked",
    "refresh_token_not_found",
    "refresh_token_invalid",
    "invalid_token",
    "expired_token",
    "token_expired",
    "token_revoked",
    "authorization_revoked",
    "interaction_required",
    "login_required",
    "consent_required",
    "account_inactive",
    "inactive_user",
    "inactive_org",
    "user_revoked",
    "bad_verification_code",
];

/// Codes that name a mistake of the operator: client, request or settings (RFC 6749 §5.2, and other names for it).
/// The text next to them may still say that the token is dead, except for `invalid_client`.
const OPERATOR: [&str; 10] = [
    "invalid_client",
    "bad_client_secret",
    "bad_client_id",
    "incorrect_client_credentials",
    "unauthorized_client",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "invalid_client_id",
    "invalid_redirect_uri",
];

/// Why there is no token. The texts are fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenFailure {
    /// The provider said no.
    #[error("the provider refused: {error}{words}", words = in_brackets(description.as_deref()))]
    Refused {
        /// Its code: RFC 6749 §5.2, or its own.
        error: String,
        /// Its description, at most 500 characters.
        description: Option<String>,
        /// Who has to act on it.
        blame: Blame,
    },
    /// The provider cannot answer now.
    #[error("the provider cannot answer now")]
    Transient {
        /// The seconds it asks to wait.
        retry_after: Option<u64>,
    },
    /// The answer says neither yes nor no.
    #[error("the provider's answer cannot be used: {0}")]
    Unreadable(String),
}

/// Who has to act on a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The customer: the token is dead, they must connect again.
    Customer,
    /// The operator: the client or the request is wrong.
    Operator,
    /// The answer does not say.
    Unknown,
}

impl TokenFailure {
    /// A refusal with this code and description. `body` is the whole answer, whose text may say who has to act.
    pub fn refused(error: String, description: Option<String>, body: &[u8]) -> Self {
        Self::Refused {
            blame: blame(&error, body),
            error,
            description,
        }
    }

    /// Whether the customer must connect again.
    pub fn needs_reauth(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                blame: Blame::Customer,
                ..
            }
        )
    }

    /// Whether the answer leaves open who has to act. One that stays so for long is the end of the token.
    pub fn is_unclear(&self) -> bool {
        match self {
            Self::Refused { blame, .. } => *blame == Blame::Unknown,
            Self::Unreadable(_) => true,
            Self::Transient { .. } => false,
        }
    }
}

/// Whether a refusal with this code passes by itself.
pub fn is_transient(code: &str) -> bool {
    TRANSIENT.contains(&plain(code).as_str())
}

/// The code counts first, then the text of any field. Without either nothing is known.
fn blame(code: &str, body: &[u8]) -> Blame {
    let code = plain(code);
    let is_dead = code != "invalid_client" && dead_token::is_named(body);
    if REAUTH.contains(&code.as_str()) || is_dead {
        Blame::Customer
    } else if OPERATOR.contains(&code.as_str()) || dead_token::names_the_client(body) {
        Blame::Operator
    } else {
        Blame::Unknown
    }
}

/// The answer as an object, when its status and its fields are no failure. A token in it is below `token_key`.
pub(super) fn accepted(
    status: StatusCode,
    headers: &HeaderMap,
    (body, token_key): (&[u8], &str),
    now: Timestamp,
) -> Result<Map<String, Value>, TokenFailure> {
    let later = || TokenFailure::Transient {
        retry_after: retry_after(headers, now).map(|wait| wait.as_secs()),
    };
    // 5xx holds the edges' own 520 to 530.
    if matches!(status.as_u16(), 408 | 425 | 429 | 500..) {
        return Err(later());
    }
    let reply = super::reply::parsed(body, token_key);
    let is_granted = status.is_success() && !reply.as_ref().is_some_and(is_error);
    if is_granted && (!dead_token::is_named(body) || holds_a_token(body, token_key)) {
        return reply.ok_or_else(|| unreadable("it is neither a JSON object nor a form"));
    }
    let code = reply.as_ref().and_then(code);
    if code.as_deref().is_some_and(is_transient) {
        return Err(later());
    }
    let error = match code {
        Some(code) => code,
        // Text without a code counts only where they are about the token or the client.
        None if dead_token::is_named(body) || dead_token::names_the_client(body) => {
            status.as_str().to_owned()
        }
        None => {
            return Err(unreadable(&format!(
                "status {status} without an error code"
            )));
        }
    };
    let description = reply.as_ref().and_then(description);
    Err(TokenFailure::refused(error, description, body))
}

fn holds_a_token(body: &[u8], token_key: &str) -> bool {
    let name = token_key.as_bytes();
    !name.is_empty() && body.windows(name.len()).any(|window| window == name)
}

pub(super) fn unreadable(why: &str) -> TokenFailure {
    TokenFailure::Unreadable(why.to_owned())
}

/// Whether a reply is an error with any status.
fn is_error(reply: &Map<String, Value>) -> bool {
    let says_no = |key: &str| reply.get(key) == Some(&Value::Bool(false));
    let is_coded = |key: &str| match reply.get(key) {
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        _ => false,
    };
    says_no("ok")
        || says_no("success")
        || ["errcode", "error_code", "errorCode"]
            .iter()
            .any(|key| is_coded(key))
        || match reply.get("error") {
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Object(fields)) => !fields.is_empty(),
            Some(Value::Bool(flag)) => *flag,
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => false,
        }
}

/// The code, from where it is most often to where it is least.
fn code(reply: &Map<String, Value>) -> Option<String> {
    let inner = inner(reply);
    let root = text(reply, &["error", "error_code", "errorCode"]);
    let found = root
        .or_else(|| text(inner?, &["errorType", "type", "status", "code", "error"]))
        .or_else(|| text(reply, &["errcode", "code", "status"]));
    let fallback = is_error(reply).then(|| "unknown_error".to_owned());
    found
        .and_then(|found| cleaned(&found, LONGEST_CODE))
        .or(fallback)
}

fn description(reply: &Map<String, Value>) -> Option<String> {
    let names = [
        "error_description",
        "errorDescription",
        "message",
        "error_message",
        "errorMessage",
        "errorSummary",
        "description",
        "detail",
        "reason",
        "errmsg",
        "error_msg",
        "msg",
    ];
    let found = text(reply, &names).or_else(|| text(inner(reply)?, &names));
    cleaned(&found?, LONGEST_DESCRIPTION)
}

/// `error` as an object, or the first of `errors`.
fn inner(reply: &Map<String, Value>) -> Option<&Map<String, Value>> {
    let first = reply.get("errors").and_then(|errors| errors.get(0));
    let error = reply.get("error").and_then(Value::as_object);
    error.or_else(|| first?.as_object())
}

/// The first of these keys that has a text; a number other than 0 will do.
fn text(fields: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match fields.get(*key)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) if number.as_f64() != Some(0.0) => Some(number.to_string()),
        _ => None,
    })
}

/// Lower case, with `_` for each character that is no letter and no digit.
fn plain(text: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '_'
        }
    };
    text.chars().map(plain).collect()
}

fn in_brackets(description: Option<&str>) -> String {
    description.map_or_else(String::new, |words| format!(" ({words})"))
}

#[cfg(test)]
mod tests;
