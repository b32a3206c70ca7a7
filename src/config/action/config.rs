//! The `config` of steps that has more than one shape.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::config::Field;
use crate::expression::{Expression, TemplateTree};

/// JSONata: a text, or `{expression}`.
#[derive(Debug, Clone)]
pub(super) struct Computed(pub Expression);

/// New values for the context.
#[derive(Debug, Clone)]
pub enum ContextChange {
    /// JSONata that gives an object: a text, or `{expression}`.
    Expression(Expression),
    /// An object with placeholders.
    Values(TemplateTree),
}

/// Inputs for the customer: an array, or `{fields}`.
#[derive(Debug, Clone, Default)]
pub struct FormFields {
    /// The inputs.
    pub fields: Vec<Field>,
}

impl<'de> Deserialize<'de> for Computed {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(ComputedVisitor)
    }
}

struct ComputedVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComputedKeys {
    expression: Expression,
}

impl<'de> Visitor<'de> for ComputedVisitor {
    type Value = Computed;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a JSONata expression")
    }

    fn visit_str<E: Error>(self, source: &str) -> Result<Computed, E> {
        Expression::parse(source).map(Computed).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Computed, A::Error> {
        let keys = ComputedKeys::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Computed(keys.expression))
    }
}

impl<'de> Deserialize<'de> for FormFields {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(FormVisitor)
    }
}

struct FormVisitor;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormKeys {
    fields: Vec<Field>,
}

impl<'de> Visitor<'de> for FormVisitor {
    type Value = FormFields;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("an array of fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<FormFields, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = items.next_element()? {
            fields.push(field);
        }
        Ok(FormFields { fields })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<FormFields, A::Error> {
        let keys = FormKeys::deserialize(MapAccessDeserializer::new(map))?;
        Ok(FormFields {
            fields: keys.fields,
        })
    }
}

impl<'de> Deserialize<'de> for ContextChange {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let tree = TemplateTree::deserialize(input)?;
        let source = match &tree {
            TemplateTree::Text(text) => Some(text.source()),
            TemplateTree::Object(entries) => match entries.as_slice() {
                [(key, TemplateTree::Text(text))] if key == "expression" => Some(text.source()),
                _ => None,
            },
            _ => {
                return Err(D::Error::custom(
                    "expected an expression or an object of values",
                ));
            }
        };
        match source.map(Expression::parse) {
            Some(expression) => expression.map(Self::Expression).map_err(D::Error::custom),
            None => Ok(Self::Values(tree)),
        }
    }
}
