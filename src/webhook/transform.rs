//! The events of a verified webhook: `payload_transform`, the key that tells a repeated one (`event_id`), and
//! the value by which an install finds its accounts.

use serde_json::{Map, Value};

use crate::config::Webhook;
use crate::config::webhook::{SignatureFormat, SignatureVerification};
use crate::crypto::sha256_hex;
use crate::expression::{Expression, ExpressionError, ExpressionScope, Moment};
use crate::json;

use super::{WebhookRequest, content};

/// What an event is called that the file does not name.
pub const UNNAMED: &str = "webhook:received";
/// One request brings no more events.
const MOST_EVENTS: usize = 1000;
const LONGEST_NAME: usize = 255;
const LONGEST_ID: usize = 1024;
/// A longer key is kept as its hash.
const LONGEST_KEY: usize = 255;

/// One thing that happened at the provider's.
#[derive(Debug, Clone, PartialEq)]
pub struct TransformedEvent {
    /// What happened, such as `ticket:closed`.
    pub event_type: String,
    /// The kind of thing it happened to.
    pub resource_type: Option<String>,
    /// Which of them.
    pub resource_id: Option<String>,
    /// The account it is for. Honoured only on an install's URL, and only for an account of that install.
    pub integrated_account_id: Option<String>,
    /// By which value it finds its accounts on an install's URL, instead of the request's: for providers that
    /// send events of several of their customers together.
    pub context_lookup_field_value: Option<String>,
    /// What the provider says of it: JSON text. Without a transform it is the body as it came.
    pub payload: String,
}

/// Why there are no events: the file has to be mended, and what came is kept as it is. Nothing of it is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// The expression failed.
    #[error("`{0}`: {1}")]
    Expression(&'static str, ExpressionError),
    /// The body cannot be read.
    #[error("the body of the webhook cannot be read: {0}")]
    Unreadable(String),
    /// The result is not what the key is for.
    #[error("`{key}` gives {what}")]
    Shape {
        /// The key of the file.
        key: &'static str,
        /// What is wrong with its result.
        what: String,
    },
}

/// The events of a request, in the order of the transform; without one it is one event as it came. An
/// undefined result and an empty list are none.
pub fn transform(
    webhook: &Webhook,
    request: &WebhookRequest,
    context: Option<&Value>,
    moment: &Moment,
) -> Result<Vec<TransformedEvent>, TransformError> {
    if let Some(reason) = request.unreadable() {
        return Err(TransformError::Unreadable(reason));
    }
    let Some(expression) = &webhook.payload_transform else {
        return Ok(vec![TransformedEvent {
            event_type: UNNAMED.to_owned(),
            resource_type: None,
            resource_id: None,
            integrated_account_id: None,
            context_lookup_field_value: None,
            payload: request.payload(),
        }]);
    };
    let result = evaluate("payload_transform", expression, request, context, moment)?;
    let events = match result {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(events)) => events,
        Some(event) => vec![event],
    };
    if events.len() > MOST_EVENTS {
        return Err(shape(format!(
            "{} events, more than {MOST_EVENTS}",
            events.len()
        )));
    }
    let events = events.into_iter().enumerate();
    let read = events.map(|(at, event)| {
        event_of(event, request).map_err(|what| shape(format!("{what} in the event at {at}")))
    });
    read.collect()
}

fn shape(what: String) -> TransformError {
    let key = "payload_transform";
    TransformError::Shape { key, what }
}

fn event_of(event: Value, request: &WebhookRequest) -> Result<TransformedEvent, &'static str> {
    let Value::Object(mut entries) = event else {
        return Err("no object");
    };
    let event_type = text(&mut entries, "event_type")?.ok_or("no `event_type`")?;
    let is_name = event_type.len() <= LONGEST_NAME && !event_type.chars().any(char::is_control);
    if event_type.is_empty() || !is_name {
        return Err("an empty, long or unprintable `event_type`");
    }
    Ok(TransformedEvent {
        event_type,
        resource_type: text(&mut entries, "resource_type")?,
        resource_id: text(&mut entries, "resource_id")?,
        integrated_account_id: text(&mut entries, "integrated_account_id")?,
        context_lookup_field_value: text(&mut entries, "context_lookup_field_value")?,
        payload: payload(entries.get("payload").ok_or("no `payload`")?, request),
    })
}

/// The whole body is kept byte for byte, for fractions of an expression are doubles.
fn payload(value: &Value, request: &WebhookRequest) -> String {
    if is_same(value, request.value()) {
        request.payload()
    } else {
        value.to_string()
    }
}

/// Whether the one is the other, a fraction being a double. As deep as the one, which an expression bounds.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if other.is_f64() => {
            one.as_f64() == other.as_f64()
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has_same = |(key, value)| other.get(key).is_some_and(|own| is_same(value, own));
            one.len() == other.len() && one.iter().all(has_same)
        }
        (one, other) => one == other,
    }
}

/// A text; a number is read as one.
fn text(entries: &mut Map<String, Value>, key: &str) -> Result<Option<String>, &'static str> {
    match entries.shift_remove(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= LONGEST_ID => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(json::number_text(&number))),
        Some(_) => Err("an id or type that is no text, or a long one"),
    }
}

/// The key by which a repeated event is known; `None` where nothing tells, and each is stored.
pub fn event_id(
    webhook: &Webhook,
    request: &WebhookRequest,
    context: Option<&Value>,
    moment: &Moment,
) -> Result<Option<String>, TransformError> {
    let key = if webhook.event_id.is_some() && request.unreadable().is_some() {
        // An expression would make one key of all of them.
        Some(request.body_sha256())
    } else if let Some(expression) = &webhook.event_id {
        let hash = Value::String(request.body_sha256());
        let (headers, query) = (request.headers_value(), request.query_value());
        let method = request.method.as_str();
        let scope = ExpressionScope::webhook(request.value(), &headers, &query, method, context);
        let result = expression.evaluate(&scope.with_body_sha256(&hash), moment);
        let failed = |error| TransformError::Expression("event_id", error);
        as_text("event_id", result.map_err(failed)?)?
    } else {
        // Only that scheme covers the id.
        let is_standard = request.proved_by() == Some(SignatureFormat::StandardWebhooks);
        let id = is_standard.then(|| content::id(request).ok()).flatten();
        id.map(|id| String::from_utf8_lossy(id).into_owned())
    };
    Ok(key.map(|key| {
        if key.len() > LONGEST_KEY {
            sha256_hex(key.as_bytes())
        } else {
            key
        }
    }))
}

/// The context key, and the value it must have, by which an install's webhook finds its accounts; `None` where
/// the file has no lookup or the request no value.
pub fn lookup<'c>(
    verification: &'c SignatureVerification,
    request: &WebhookRequest,
    moment: &Moment,
) -> Result<Option<(&'c str, String)>, TransformError> {
    let config = &verification.config;
    let (Some(name), Some(expression)) = (
        &config.context_lookup_field_name,
        &config.context_lookup_field_value,
    ) else {
        return Ok(None);
    };
    let is_blind = expression.may_see(&["body"]) && request.unreadable().is_some();
    if is_blind {
        return Ok(None);
    }
    let key = "context_lookup_field_value";
    let result = evaluate(key, expression, request, None, moment)?;
    Ok(as_text(key, result)?.map(|value| (name.as_str(), value)))
}

/// A text that is not empty, or a number as one.
fn as_text(key: &'static str, result: Option<Value>) -> Result<Option<String>, TransformError> {
    match result {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(json::number_text(&number))),
        Some(_) => {
            let what = "neither a text nor a number".to_owned();
            Err(TransformError::Shape { key, what })
        }
    }
}

fn evaluate(
    key: &'static str,
    expression: &Expression,
    request: &WebhookRequest,
    context: Option<&Value>,
    moment: &Moment,
) -> Result<Option<Value>, TransformError> {
    let (headers, query) = (request.headers_value(), request.query_value());
    let method = request.method.as_str();
    let scope = ExpressionScope::webhook(request.value(), &headers, &query, method, context);
    let result = expression.evaluate(&scope, moment);
    result.map_err(|error| TransformError::Expression(key, error))
}
