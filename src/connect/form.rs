//! What was typed into the connect form, read into values of the account's
//! context. Showing the form is [`super::page`]'s work; storing is the flows'.

pub(super) mod check;
mod problems;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::config::field::{Choice, Field, FieldKind, Transform};
use crate::config::steering::is_plain;
use crate::crypto::sha256_hex;
use crate::expression::pattern::MATCHING_STEPS;
use crate::expression::{OriginPlace, Pins, effort};
use crate::json;
use crate::secret::trimmed;

pub use problems::Problems;

/// Characters of a text: more than any name, key id or address has.
pub const TEXT_CHARACTERS: usize = 4_000;

/// Characters of a password: signed tokens and keys are longer than words.
pub const PASSWORD_CHARACTERS: usize = 8_000;

/// Where values are used in the origin of a URL, and which values fit there.
#[derive(Debug, Clone, Copy)]
pub struct OriginFields<'a> {
    /// `Config::origin_places`.
    pub places: &'a BTreeMap<String, BTreeSet<OriginPlace>>,
    /// The pins of the integration's URLs.
    pub pins: Pins<'a>,
}

/// The values of the declared fields; anything else that was posted is ignored.
///
/// `posted` are the decoded pairs of the body; of several with one name the
/// last counts, since the form's own inputs come before the fields.
///
/// `kept` is the context of the account that is authorised again, if its
/// context is kept. The result is then meant to be merged into it: a secret
/// that was left empty is absent and stays, any other value that was emptied
/// is `null` and goes.
///
/// A number stays the text that was typed: `format` says what a value looks
/// like, leading zeros and 64-bit ids survive, and `{{x:num}}` makes a number.
pub fn read(
    fields: &[Field],
    posted: &[(String, String)],
    kept: Option<&Value>,
    origins: &OriginFields,
) -> Result<Map<String, Value>, Problems> {
    let (mut values, mut problems) = (Map::new(), Problems::default());
    let (values_of, _) = effort::within(MATCHING_STEPS, || {
        let read = |field: &Field| value(field, posted_as(posted, &field.name), kept, origins);
        let mut values_of = Vec::new();
        for field in fields {
            let is_shown = is_shown(field, fields, &values_of);
            values_of.push(if is_shown {
                read(field)
            } else {
                Ok(emptied(field, kept))
            });
        }
        values_of
    });
    for (field, value) in fields.iter().zip(values_of) {
        match value {
            Ok(value) => {
                values.extend(set_by(field, value.as_ref(), kept));
                values.extend(value.map(|value| (field.name.clone(), value)));
            }
            Err(words) => problems.add(&field.name, words),
        }
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(problems)
    }
}

/// One value that came as JSON, checked and stored as if it had been typed. It has to be a text, a number or one of the
/// options; what is wrong is said in words that name the field.
pub fn json_value(field: &Field, given: &Value, origins: &OriginFields) -> Result<Value, String> {
    if field.kind == FieldKind::SingleSelect {
        let is_it = |choice: &&Choice| choice.value == *given || *given == option_text(choice);
        let choice = field
            .options
            .iter()
            .find(is_it)
            .filter(|_| is_scalar(given));
        let value = choice.map(|choice| transformed(field, choice.value.clone()));
        return value.ok_or_else(|| format!("Choose one of the options of {}.", named(field)));
    }
    let text = match given {
        Value::String(text) => bare(field, trimmed(&in_lines(field, text))).to_owned(),
        Value::Number(number) => json::number_text(number),
        _ => return Err(format!("{} must be a text.", named(field))),
    };
    if text.is_empty() {
        return Err(format!("Fill in {}.", named(field)));
    }
    check::text(field, &text, origins)?;
    Ok(transformed(field, Value::String(text)))
}

/// Whether a choice above shows the field. Where that choice has a problem, the field is read: its own problem is said
/// together with that of the choice.
fn is_shown(field: &Field, fields: &[Field], before: &[Result<Option<Value>, String>]) -> bool {
    let Some(condition) = &field.visible_when else {
        return true;
    };
    let mut above = fields.iter().zip(before);
    let found = above.find(|(other, _)| other.name == condition.field);
    match found {
        Some((_, Ok(Some(value)))) => condition.values.contains(value),
        Some((_, Err(_))) => true,
        Some((_, Ok(None))) | None => false,
    }
}

/// What becomes of the value of a field that is not shown: a stored one goes.
fn emptied(field: &Field, kept: Option<&Value>) -> Option<Value> {
    kept_value(kept, field).map(|_| Value::Null)
}

/// What a choice fills in addition, and what another choice has filled before.
fn set_by(field: &Field, value: Option<&Value>, kept: Option<&Value>) -> Map<String, Value> {
    let mut set = Map::new();
    let Some(value) = value else { return set };
    let is_there = |key: &&String| kept.is_some_and(|kept| kept.get(*key).is_some());
    set.extend(
        field
            .set_keys()
            .filter(is_there)
            .map(|key| (key.clone(), Value::Null)),
    );
    let choice = field.options.iter().find(|choice| choice.value == *value);
    let chosen = choice.map(|choice| choice.set.clone()).unwrap_or_default();
    set.extend(chosen);
    set
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Object(_) | Value::Array(_))
}

/// Whether the field's value is never shown again once it was typed: it is a
/// secret, or only its hash is stored.
pub fn is_hidden(field: &Field) -> bool {
    !is_plain(field)
}

/// What represents an option in the form: its own text, or its JSON.
pub fn option_text(choice: &Choice) -> String {
    match &choice.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text posted under a name, where there is one.
pub fn posted_as<'a>(posted: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut named = posted.iter().rev().filter(|(key, _)| key == name);
    named.next().map(|(_, text)| text.as_str())
}

/// What the account already has under the field's name.
pub fn kept_value<'a>(kept: Option<&'a Value>, field: &Field) -> Option<&'a Value> {
    kept?.get(&field.name).filter(|value| !value.is_null())
}

/// The field's name for people.
pub fn label(field: &Field) -> &str {
    let label = field.label.as_deref().map(str::trim);
    label
        .filter(|label| !label.is_empty())
        .unwrap_or(&field.name)
}

fn value(
    field: &Field,
    posted: Option<&str>,
    kept: Option<&Value>,
    origins: &OriginFields,
) -> Result<Option<Value>, String> {
    let typed = match field.kind {
        FieldKind::Text | FieldKind::Password => {
            Cow::Owned(in_lines(field, posted.unwrap_or_default()))
        }
        FieldKind::SingleSelect => Cow::Borrowed(posted.unwrap_or_default()),
    };
    let typed = match field.kind {
        FieldKind::Text | FieldKind::Password => bare(field, trimmed(&typed)),
        FieldKind::SingleSelect => &typed,
    };
    let value = match field.kind {
        FieldKind::SingleSelect => match chosen(field, typed) {
            Some(value) => value,
            None if typed.is_empty() => return missing(field, posted, kept),
            None => return Err(format!("Choose one of the options of {}.", named(field))),
        },
        FieldKind::Text | FieldKind::Password => {
            if typed.is_empty() {
                return missing(field, posted, kept);
            }
            check::text(field, typed, origins)?;
            Value::String(typed.to_owned())
        }
    };
    Ok(Some(transformed(field, value)))
}

/// Browsers send the line breaks of a text area as CR LF (HTML, "constructing the entry list"). Stored ones are LF.
fn in_lines(field: &Field, typed: &str) -> String {
    if field.is_multiline() {
        typed.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        typed.to_owned()
    }
}

/// The value without the text around the input, which some type or paste along with it.
fn bare<'t>(field: &Field, typed: &'t str) -> &'t str {
    let (prefix, suffix) = (field.prefix.as_deref(), field.suffix.as_deref());
    let text = prefix.and_then(|prefix| typed.strip_prefix(prefix));
    let text = text.unwrap_or(typed);
    let text = suffix.map_or(text, |suffix| text.strip_suffix(suffix).unwrap_or(text));
    trimmed(text)
}

/// A value that was left empty, or not posted at all.
fn missing(
    field: &Field,
    posted: Option<&str>,
    kept: Option<&Value>,
) -> Result<Option<Value>, String> {
    let is_kept = kept_value(kept, field).is_some();
    if is_kept && is_hidden(field) {
        return Ok(None);
    }
    if let Some(default) = &field.default {
        return Ok(Some(transformed(field, default.clone())));
    }
    match field.kind {
        FieldKind::SingleSelect if field.required => {
            Err(format!("Choose an option for {}.", named(field)))
        }
        _ if field.required => Err(format!("Fill in {}.", named(field))),
        _ => Ok((is_kept && posted.is_some()).then_some(Value::Null)),
    }
}

fn chosen(field: &Field, typed: &str) -> Option<Value> {
    let mut offered = field.options.iter();
    let choice = offered.find(|choice| option_text(choice) == typed)?;
    Some(choice.value.clone())
}

/// The value as it is stored. Only texts are transformed.
fn transformed(field: &Field, value: Value) -> Value {
    match (field.transform, value) {
        (Some(transform), Value::String(text)) => Value::String(apply(transform, &text)),
        (_, value) => value,
    }
}

fn apply(transform: Transform, text: &str) -> String {
    match transform {
        Transform::Lowercase => text.to_lowercase(),
        Transform::Uppercase => text.to_uppercase(),
        Transform::Sha256 => sha256_hex(text.as_bytes()),
    }
}

/// The field as problems name it: each is alone in the list on top of the page.
fn named(field: &Field) -> String {
    format!("“{}”", label(field))
}
