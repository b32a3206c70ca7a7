//! How a response says that it is an error, or that the provider is busy.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use crate::expression::Expression;
use crate::expression::scope::SCOPES;

/// How the provider says that it is busy, and for how long.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Whether a response means "too many requests": JSONata, or a constant for the default, `status = 429`.
    #[serde(default)]
    pub is_rate_limited: RateLimitCondition,
    /// Seconds or a time to wait: JSONata, or the name of a header. `Retry-After` when absent.
    #[serde(default)]
    pub retry_after_header_expression: Option<HeaderOrExpression>,
    /// What is left: a number, or `{limit, remaining, reset}`; JSONata, or the name of a header.
    #[serde(default)]
    pub rate_limit_header_expression: Option<HeaderOrExpression>,
    /// Which further answers may pass and are retried as a 503 is: a list of statuses, or JSONata.
    #[serde(default)]
    pub retry_on: Option<RetryOn>,
}

/// Answers that may pass, and are no rate limit.
#[derive(Debug, Clone, PartialEq)]
pub enum RetryOn {
    /// Those with these statuses.
    Statuses(Vec<u16>),
    /// Those of which this is true.
    Expression(Expression),
}

/// What may pass: no success, and no refusal of the credential, which is renewed.
fn may_pass(status: u16) -> bool {
    (400..600).contains(&status) && status != 401
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(RetryOnVisitor)
    }
}

struct RetryOnVisitor;

impl<'de> Visitor<'de> for RetryOnVisitor {
    type Value = RetryOn;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a list of statuses or a JSONata expression")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<RetryOn, A::Error> {
        let mut statuses = Vec::new();
        while let Some(status) = items.next_element()? {
            if !may_pass(status) {
                return Err(A::Error::custom(
                    "a status is 400 to 599, without 401, for which the credential is renewed",
                ));
            }
            statuses.push(status);
        }
        Ok(RetryOn::Statuses(statuses))
    }

    fn visit_str<E: Error>(self, source: &str) -> Result<RetryOn, E> {
        Expression::parse_path_or_source(source)
            .map(RetryOn::Expression)
            .map_err(E::custom)
    }
}

impl JsonSchema for RetryOn {
    fn schema_name() -> Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["array", "string"],
            "items": {"type": "integer", "minimum": 400, "maximum": 599, "not": {"const": 401}},
            "examples": [[409, 423], "status = 400 and response.code = 1014"]
        })
    }
}

/// An expression, or a constant that means the default.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum RateLimitCondition {
    /// `status = 429`
    #[default]
    Default,
    /// Its own rule.
    Expression(Expression),
}

impl<'de> Deserialize<'de> for RateLimitCondition {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(ConditionVisitor)
    }
}

struct ConditionVisitor;

impl Visitor<'_> for ConditionVisitor {
    type Value = RateLimitCondition;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a JSONata expression or a boolean")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<RateLimitCondition, E> {
        Ok(RateLimitCondition::Default)
    }

    fn visit_unit<E: Error>(self) -> Result<RateLimitCondition, E> {
        Ok(RateLimitCondition::Default)
    }

    fn visit_str<E: Error>(self, source: &str) -> Result<RateLimitCondition, E> {
        if matches!(source.trim(), "true" | "false") {
            return Ok(RateLimitCondition::Default);
        }
        Expression::parse_path_or_source(source)
            .map(RateLimitCondition::Expression)
            .map_err(E::custom)
    }
}

impl JsonSchema for RateLimitCondition {
    fn schema_name() -> Cow<'static, str> {
        "Condition".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "boolean", "null"]})
    }
}

/// A header's value, or what an expression makes of the response.
#[derive(Debug, Clone, PartialEq)]
pub enum HeaderOrExpression {
    /// The header of this name, lower-case.
    Header(String),
    /// JSONata.
    Expression(Expression),
}

impl HeaderOrExpression {
    /// A bare word is a header's name unless it is a root of the scope:
    /// `Retry-After` would otherwise be a subtraction.
    fn parse(source: &str) -> Result<Self, crate::expression::ExpressionError> {
        let text = source.trim();
        let is_name = !text.is_empty()
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        let is_root = SCOPES.iter().any(|row| row.roots.contains(&text));
        let is_number = text.bytes().all(|b| b.is_ascii_digit());
        if is_name && !is_root && !is_number && !matches!(text, "true" | "false" | "null") {
            return Ok(Self::Header(text.to_ascii_lowercase()));
        }
        Expression::parse_path_or_source(source).map(Self::Expression)
    }
}

impl<'de> Deserialize<'de> for HeaderOrExpression {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(input)?).map_err(Error::custom)
    }
}

impl JsonSchema for HeaderOrExpression {
    fn schema_name() -> Cow<'static, str> {
        "HeaderOrExpression".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The name of a header, or a JSONata expression over the response.",
            "examples": ["Retry-After", "$number(headers.`x-reset-in-ms`) / 1000"]
        })
    }
}

/// An `error_expression`: JSONata, or a text that is wholly `{{path}}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorExpression(pub Expression);

impl ErrorExpression {
    /// Whether it may look at the status or the header fields of an answer.
    pub fn may_see_head(&self) -> bool {
        self.0.may_see(&["headers", "status", "status_code"])
    }
}

impl<'de> Deserialize<'de> for ErrorExpression {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let source = String::deserialize(input)?;
        Expression::parse_path_or_source(&source)
            .map(Self)
            .map_err(Error::custom)
    }
}

impl JsonSchema for ErrorExpression {
    fn schema_name() -> Cow<'static, str> {
        "ErrorExpression".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Expression::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorExpression, HeaderOrExpression, RateLimit, RateLimitCondition};

    #[test]
    fn a_bare_word_is_a_header_unless_it_is_a_root() {
        for (text, header) in [
            ("Retry-After", Some("retry-after")),
            (" X-RateLimit-Remaining ", Some("x-ratelimit-remaining")),
            ("x_limit", Some("x_limit")),
            ("status", None),
            ("headers.`retry-after`", None),
            ("{{headers.retry-after}}", None),
            ("30", None),
        ] {
            let read = HeaderOrExpression::parse(text).unwrap();
            assert_eq!(
                matches!(read, HeaderOrExpression::Header(_)),
                header.is_some(),
                "{text}"
            );
            if let Some(name) = header {
                assert_eq!(read, HeaderOrExpression::Header(name.to_owned()));
            }
        }
    }

    #[test]
    fn a_constant_means_the_default_rule() {
        for text in [
            "{\"is_rate_limited\": true}",
            "{\"is_rate_limited\": false}",
            "{}",
            "{\"is_rate_limited\": \"true\"}",
        ] {
            let read: RateLimit = serde_json::from_str(text).unwrap();
            assert_eq!(read.is_rate_limited, RateLimitCondition::Default, "{text}");
        }
        let read: RateLimit =
            serde_json::from_str("{\"is_rate_limited\": \"status = 420\"}").unwrap();
        assert!(matches!(
            read.is_rate_limited,
            RateLimitCondition::Expression(_)
        ));
    }

    #[test]
    fn an_error_expression_may_be_a_path() {
        let read: ErrorExpression = serde_json::from_str("\"{{response.error}}\"").unwrap();
        assert_eq!(read.0.source(), "{{response.error}}");
        assert!(serde_json::from_str::<ErrorExpression>("\"a b\"").is_err());
    }
}
