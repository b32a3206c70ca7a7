//! Schemas of the document as the JSON Schemas of a method: references inlined, to a depth.

use serde_json::{Map, Value, json};

use super::resolve::{References, reference};

/// How deep schemas go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaDepth {
    Levels(usize),
    /// Parameters and bodies; none of answers.
    Bodies(usize),
    /// Parameters only.
    Parameters,
    Nothing,
}

impl SchemaDepth {
    /// The deepest first.
    pub const ALL: [Self; 10] = [
        Self::Levels(8),
        Self::Levels(5),
        Self::Levels(3),
        Self::Levels(2),
        Self::Levels(1),
        Self::Bodies(3),
        Self::Bodies(2),
        Self::Bodies(1),
        Self::Parameters,
        Self::Nothing,
    ];

    /// The levels of the schemas of bodies.
    pub fn of_bodies(self) -> usize {
        match self {
            Self::Levels(levels) | Self::Bodies(levels) => levels,
            Self::Parameters | Self::Nothing => 0,
        }
    }

    /// The levels of the schemas of answers.
    pub fn of_answers(self) -> usize {
        match self {
            Self::Levels(levels) => levels,
            Self::Bodies(_) | Self::Parameters | Self::Nothing => 0,
        }
    }

    pub fn text(self) -> String {
        match self {
            Self::Levels(1) => "schemas of one level".to_owned(),
            Self::Levels(levels) => format!("schemas of up to {levels} levels"),
            Self::Bodies(levels) => {
                format!("schemas of up to {levels} levels, none of answers")
            }
            Self::Parameters => "schemas of parameters only".to_owned(),
            Self::Nothing => "without schemas".to_owned(),
        }
    }
}

/// Values of one schema.
const MOST_VALUES: usize = 600;
/// Characters of a description in a schema.
const DESCRIPTION: usize = 160;
/// Values of an enumeration. One with more, or with long values, is left out: a part of it would be another rule.
const MOST_CHOICES: usize = 60;

/// Keys that are copied as they are.
const COPIED: [&str; 11] = [
    "type",
    "format",
    "default",
    "const",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "pattern",
    "minItems",
    "maxItems",
];

/// Inlines one schema.
pub struct SchemaReader<'r, 'd> {
    references: &'r References<'d>,
    left: usize,
    /// References that are being inlined: one of them again is a cycle.
    open: Vec<&'d str>,
}

impl<'r, 'd> SchemaReader<'r, 'd> {
    pub fn new(references: &'r References<'d>) -> Self {
        Self {
            references,
            left: MOST_VALUES,
            open: Vec::new(),
        }
    }

    /// The schema to this many levels; `None` where there is nothing to say.
    pub fn read(&mut self, schema: &'d Value, levels: usize) -> Option<Value> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        if let Some(own) = reference(schema) {
            if self.open.contains(&own) || self.open.len() > 64 {
                return None;
            }
            let target = self.references.find(own)?;
            self.open.push(own);
            let read = self.read(target, levels);
            self.open.pop();
            return read;
        }
        let keys = schema.as_object()?;
        let mut out = Map::new();
        self.add_all_of(keys, levels, &mut out);
        for key in COPIED {
            if let Some(value) = keys.get(key).filter(|value| is_small(value)) {
                out.insert(key.to_owned(), value.clone());
            }
        }
        if let Some(text) = keys.get("description").and_then(Value::as_str) {
            out.insert(
                "description".to_owned(),
                json!(shortened(text, DESCRIPTION)),
            );
        }
        add_nullable(keys, &mut out);
        if let Some(values) = keys.get("enum").and_then(Value::as_array)
            && values.len() <= MOST_CHOICES
            && values.iter().all(is_small)
        {
            out.insert("enum".to_owned(), json!(values));
        }
        if levels > 0 {
            self.add_inner(keys, levels - 1, &mut out);
        }
        (!out.is_empty()).then_some(Value::Object(out))
    }

    /// The parts of `allOf` are one schema.
    fn add_all_of(
        &mut self,
        keys: &'d Map<String, Value>,
        levels: usize,
        out: &mut Map<String, Value>,
    ) {
        for part in keys
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(Value::Object(read)) = self.read(part, levels) {
                merge(out, read);
            }
        }
    }

    fn add_inner(
        &mut self,
        keys: &'d Map<String, Value>,
        levels: usize,
        out: &mut Map<String, Value>,
    ) {
        if let Some(properties) = keys.get("properties").and_then(Value::as_object) {
            let mut read = Map::new();
            for (name, property) in properties {
                if let Some(property) = self.read(property, levels) {
                    read.insert(name.clone(), property);
                }
            }
            merge(
                out,
                Map::from_iter([("properties".to_owned(), Value::Object(read))]),
            );
            if let Some(required) = keys.get("required").and_then(Value::as_array) {
                let required: Vec<&Value> =
                    required.iter().filter(|name| name.is_string()).collect();
                merge(
                    out,
                    Map::from_iter([("required".to_owned(), json!(required))]),
                );
            }
        }
        if let Some(items) = keys.get("items").and_then(|items| self.read(items, levels)) {
            out.insert("items".to_owned(), items);
        }
        let others = keys
            .get("additionalProperties")
            .filter(|own| own.is_object());
        if let Some(others) = others.and_then(|own| self.read(own, levels)) {
            out.insert("additionalProperties".to_owned(), others);
        }
        for key in ["oneOf", "anyOf"] {
            let parts = keys
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let parts: Vec<Value> = parts
                .take(8)
                .filter_map(|part| self.read(part, levels))
                .collect();
            if !parts.is_empty() {
                out.insert(key.to_owned(), Value::Array(parts));
            }
        }
    }
}

/// A null of OpenAPI 3.0.
fn add_nullable(keys: &Map<String, Value>, out: &mut Map<String, Value>) {
    let is_nullable = keys.get("nullable") == Some(&Value::Bool(true));
    if let Some(Value::String(kind)) = out.get("type").filter(|_| is_nullable) {
        let kinds = json!([kind, "null"]);
        out.insert("type".to_owned(), kinds);
    }
}

fn merge(out: &mut Map<String, Value>, more: Map<String, Value>) {
    for (key, value) in more {
        match (out.get_mut(&key), value) {
            (Some(Value::Object(own)), Value::Object(value)) => own.extend(value),
            (Some(Value::Array(own)), Value::Array(value)) => {
                for one in value {
                    if !own.contains(&one) {
                        own.push(one);
                    }
                }
            }
            (_, value) => drop(out.insert(key, value)),
        }
    }
}

/// Long values are examples more than rules.
fn is_small(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() <= 200,
        Value::Array(items) => items.len() <= 8 && items.iter().all(Value::is_string),
        Value::Object(_) => false,
        _ => true,
    }
}

/// The first sentences of a text on one line.
pub fn shortened(text: &str, most: usize) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace("{{", "{ {");
    if line.chars().count() <= most {
        return line;
    }
    let start: String = line.chars().take(most).collect();
    let end = start
        .rfind(". ")
        .map(|at| at + 1)
        .or_else(|| start.rfind(' '));
    let cut = start.get(..end.unwrap_or(start.len())).unwrap_or(&start);
    let mark = if cut.ends_with('.') { "" } else { "…" };
    format!("{}{mark}", cut.trim_end())
}
