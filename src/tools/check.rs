//! Checks values against the part of JSON Schema (draft 2020-12) that integration files use: `type`, `enum`, `const`,
//! `properties`, `required`, `additionalProperties`, `items`, the bounds of lengths and numbers, `anyOf`, `oneOf` and
//! `allOf`. Other keywords are for people and agents to read.

use std::fmt;

use serde_json::{Map, Value};

use crate::json::{self, Place, exact};

/// The first place where a value does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The place, such as `filter.ids[2]`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Misfit {
    pub(super) fn new(path: impl fmt::Display, message: &str) -> Self {
        Self {
            path: json::place_text(path),
            message: message.to_owned(),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.path, self.message)
    }
}

/// Checks a value, which is the inside of an `Exact`.
pub fn check(schema: &Value, value: &Value, path: &str) -> Result<(), Misfit> {
    check_at(schema, value, &Place::Root(path))
}

fn check_at(schema: &Value, value: &Value, path: &Place<'_>) -> Result<(), Misfit> {
    let Value::Object(schema) = schema else {
        return match schema {
            Value::Bool(false) => Err(Misfit::new(path, "is not taken here")),
            _ => Ok(()),
        };
    };
    let get = |key: &str| schema.get(key);
    if let Some(types) = get("type") {
        check_type(types, value, path)?;
    }
    let is_listed = |all: &Value| all.as_array().is_none_or(|all| all.contains(value));
    if get("enum").is_some_and(|all| !is_listed(all)) {
        let all = get("enum").map(ToString::to_string).unwrap_or_default();
        return Err(Misfit::new(path, &format!("has to be one of {all}")));
    }
    if let Some(only) = get("const").filter(|only| *only != value) {
        return Err(Misfit::new(path, &format!("has to be {only}")));
    }
    match value {
        Value::Object(entries) => check_object(schema, entries, path)?,
        Value::Array(items) => check_array(schema, items, path)?,
        _ => check_scalar(schema, value, path)?,
    }
    check_combined(schema, value, path)
}

/// Whether a number is within a bound.
type Holds = fn(f64, f64) -> bool;

fn check_type(types: &Value, value: &Value, path: &Place<'_>) -> Result<(), Misfit> {
    let is = |name: &str| is_type(name, value);
    let fits = match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let name = types
        .as_str()
        .map_or_else(|| types.to_string(), str::to_owned);
    Err(Misfit::new(path, &format!("has to be of the type {name}")))
}

/// Whether a value is of a type. An unknown type refuses nothing.
pub(super) fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => exact::as_text(value).is_some(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => number(value).is_some(),
        "integer" => number(value).is_some_and(|number| number.fract() == 0.0),
        _ => true,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        other => exact::literal(other)?.parse().ok(),
    }
}

fn check_object(
    schema: &Map<String, Value>,
    entries: &Map<String, Value>,
    path: &Place<'_>,
) -> Result<(), Misfit> {
    let required = schema.get("required").and_then(Value::as_array);
    let mut required = required.into_iter().flatten().filter_map(Value::as_str);
    if let Some(name) = required.find(|name| !entries.contains_key(*name)) {
        return Err(Misfit::new(Place::Key(path, name), "is required"));
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, value) in entries {
        let own = properties.and_then(|properties| properties.get(name));
        if let Some(own) = own.or_else(|| schema.get("additionalProperties")) {
            check_at(own, value, &Place::Key(path, name))?;
        }
    }
    Ok(())
}

fn check_array(
    schema: &Map<String, Value>,
    items: &[Value],
    path: &Place<'_>,
) -> Result<(), Misfit> {
    check_length(
        schema,
        ["minItems", "maxItems"],
        items.len(),
        (path, "items"),
    )?;
    let Some(each) = schema.get("items") else {
        return Ok(());
    };
    for (index, item) in items.iter().enumerate() {
        check_at(each, item, &Place::Index(path, index))?;
    }
    Ok(())
}

fn check_scalar(
    schema: &Map<String, Value>,
    value: &Value,
    path: &Place<'_>,
) -> Result<(), Misfit> {
    if let Some(text) = exact::as_text(value) {
        let length = text.chars().count();
        return check_length(
            schema,
            ["minLength", "maxLength"],
            length,
            (path, "characters"),
        );
    }
    let Some(number) = number(value) else {
        return Ok(());
    };
    let bounds: [(&str, Holds, &str); 4] = [
        ("minimum", |own, bound| own >= bound, "at least"),
        ("maximum", |own, bound| own <= bound, "at most"),
        ("exclusiveMinimum", |own, bound| own > bound, "more than"),
        ("exclusiveMaximum", |own, bound| own < bound, "less than"),
    ];
    for (key, holds, words) in bounds {
        let bound = schema.get(key).and_then(Value::as_f64);
        if let Some(bound) = bound.filter(|bound| !holds(number, *bound)) {
            return Err(Misfit::new(path, &format!("has to be {words} {bound}")));
        }
    }
    Ok(())
}

fn check_length(
    schema: &Map<String, Value>,
    [least, most]: [&str; 2],
    length: usize,
    (path, what): (&Place<'_>, &str),
) -> Result<(), Misfit> {
    let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
    let length = length as u64;
    if let Some(least) = bound(least).filter(|least| length < *least) {
        return Err(Misfit::new(
            path,
            &format!("has to have at least {least} {what}"),
        ));
    }
    if let Some(most) = bound(most).filter(|most| length > *most) {
        return Err(Misfit::new(
            path,
            &format!("has to have at most {most} {what}"),
        ));
    }
    Ok(())
}

fn check_combined(
    schema: &Map<String, Value>,
    value: &Value,
    path: &Place<'_>,
) -> Result<(), Misfit> {
    let list = |key: &str| schema.get(key).and_then(Value::as_array);
    let mut all = list("allOf").into_iter().flatten();
    all.try_for_each(|own| check_at(own, value, path))?;
    let fits = |own: &&Value| check_at(own, value, path).is_ok();
    if list("anyOf").is_some_and(|any| !any.iter().any(|own| fits(&own))) {
        return Err(Misfit::new(path, "fits none of the schemas of anyOf"));
    }
    if list("oneOf").is_some_and(|one| one.iter().filter(fits).count() != 1) {
        return Err(Misfit::new(
            path,
            "has to fit exactly one of the schemas of oneOf",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
