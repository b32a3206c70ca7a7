//! The casts of a placeholder: how a looked-up value becomes the one that is
//! put in. What cannot be cast is an error, so that no surprise is sent.

use serde_json::{Number, Value};

use crate::json::{count_values, exact};

/// The most values of a text that `:json` or `:any` builds.
const MOST_VALUES: usize = 10_000;

/// The word after `:` in a placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cast {
    Str,
    Int,
    Num,
    Bool,
    Json,
    Null,
    /// `any`, `undefined` and `ignore-empty-str` keep the value as it is.
    Any,
}

impl Cast {
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "str" => Self::Str,
            "int" => Self::Int,
            "num" => Self::Num,
            "bool" => Self::Bool,
            "json" => Self::Json,
            "null" => Self::Null,
            "any" | "undefined" | "ignore-empty-str" => Self::Any,
            _ => return None,
        })
    }

    /// The word for messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Int => "int",
            Self::Num => "num",
            Self::Bool => "bool",
            Self::Json => "json",
            Self::Null => "null",
            Self::Any => "any",
        }
    }

    /// Whether what it gives is as long as what it reads.
    pub(super) fn keeps_length(self) -> bool {
        matches!(self, Self::Str | Self::Any)
    }

    /// The cast value, or `None` when the value does not allow it. `null`
    /// stays `null` under every cast. Both are parts of an [`exact::Exact`].
    pub(super) fn apply(self, value: &Value) -> Option<Value> {
        if value.is_null() {
            return Some(Value::Null);
        }
        match self {
            Self::Str => Some(exact::inside_of_text(text(value))),
            Self::Int => integer(value),
            Self::Num => number(value),
            Self::Bool => boolean(value).map(Value::Bool),
            Self::Json => json(value),
            Self::Null if value.as_str().map(str::trim) == Some("null") => Some(Value::Null),
            Self::Null | Self::Any => Some(value.clone()),
        }
    }
}

/// A value as text: strings and numbers bare, everything else as JSON.
pub(super) fn text(value: &Value) -> String {
    exact::text(value).into_owned()
}

fn integer(value: &Value) -> Option<Value> {
    if let Value::Number(number) = value {
        let is_whole = number.is_i64() || number.is_u64();
        return if is_whole {
            Some(value.clone())
        } else {
            whole(number.as_f64()?)
        };
    }
    value.as_str()?;
    let text = text(value);
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match digits.trim_start_matches('0') {
            "" => Some(Value::from(0)),
            digits => exact::inside_of_number(&format!("{sign}{digits}")),
        };
    }
    whole(text.parse().ok()?)
}

/// The whole part, as `parseInt` would take it; out of range is no integer.
#[allow(clippy::cast_possible_truncation)] // checked against 2^53 before
fn whole(number: f64) -> Option<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.abs() < EXACT).then(|| Value::from(number.trunc() as i64))
}

fn number(value: &Value) -> Option<Value> {
    if value.is_number() || exact::literal(value).is_some() {
        return Some(value.clone());
    }
    let text = value.as_str()?.trim();
    exact::inside_of_number(text)
        .or_else(|| Number::from_f64(text.parse().ok()?).map(Value::Number))
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.trim() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn json(value: &Value) -> Option<Value> {
    if !value.is_string() || exact::literal(value).is_some() {
        return Some(value.clone());
    }
    let text = exact::text(value);
    let marked = exact::marked(text.as_bytes());
    let values = count_values(&marked).ok()?;
    let built = (values <= MOST_VALUES).then(|| exact::Exact::of_marked(&marked).ok())?;
    built.map(|built| built.inside().clone())
}

#[cfg(test)]
mod tests {
    use super::Cast;
    use serde_json::json;

    #[test]
    fn a_cast_gives_the_named_type_or_nothing() {
        let table = [
            ("str", json!(true), Some(json!("true"))),
            ("str", json!({"a": 1}), Some(json!("{\"a\":1}"))),
            ("int", json!("12"), Some(json!(12))),
            ("int", json!(" 12.9 "), Some(json!(12))),
            (
                "int",
                json!(18_446_744_073_709_551_615_u64),
                Some(json!(18_446_744_073_709_551_615_u64)),
            ),
            (
                "int",
                json!("18446744073709551615"),
                Some(json!(18_446_744_073_709_551_615_u64)),
            ),
            ("int", json!("1e400"), None),
            ("int", json!("twelve"), None),
            ("int", json!(true), None),
            ("num", json!("1.34"), Some(json!(1.34))),
            ("num", json!("NaN"), None),
            ("num", json!("7"), Some(json!(7))),
            ("bool", json!("false"), Some(json!(false))),
            ("bool", json!("no"), None),
            ("json", json!("{\"a\":[1]}"), Some(json!({"a": [1]}))),
            ("json", json!([1]), Some(json!([1]))),
            ("json", json!("{"), None),
            ("null", json!("null"), Some(json!(null))),
            ("null", json!(5), Some(json!(5))),
            ("any", json!([1]), Some(json!([1]))),
            ("undefined", json!(5), Some(json!(5))),
            ("int", json!(null), Some(json!(null))),
        ];
        for (cast, value, expected) in table {
            assert_eq!(
                Cast::named(cast).unwrap().apply(&value),
                expected,
                "{cast} {value}"
            );
        }
    }
}
