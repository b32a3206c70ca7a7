//! JSON with templates in its strings: the `body` of a method. Keys and
//! everything that is not a string stay as they are.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::json::{self, Exact, Place};

use super::placeholder::Placeholder;
use super::room::RenderRoom;
use super::scope::TemplateScope;
use super::template::{RenderError, Rendered, Template};

/// A compiled template tree. Its depth is bounded by the reader of the file.
#[derive(Debug, Clone, PartialEq)]
pub enum TemplateTree {
    /// A number, a boolean or null.
    Plain(Value),
    /// A string.
    Text(Template),
    /// An array; an element that is dropped is left out.
    List(Vec<TemplateTree>),
    /// An object; an entry that is dropped is left out.
    Object(Vec<(String, TemplateTree)>),
}

impl TemplateTree {
    /// The JSON with every placeholder filled; `None` when the whole tree is
    /// one placeholder that was dropped. A missing value is an error with its
    /// JSON path.
    pub fn render(&self, scope: &TemplateScope) -> Result<Option<Exact>, RenderError> {
        self.render_in(RenderRoom::body(), scope)
    }

    /// The same for another place than a body.
    pub fn render_in(
        &self,
        room: RenderRoom,
        scope: &TemplateScope,
    ) -> Result<Option<Exact>, RenderError> {
        let filling = TreeFilling { scope, room };
        let rendered = filling.render(self, &Place::Root("body"))?;
        Ok(rendered.map(Exact::of_inside))
    }

    /// Bytes of its keys and templates, and one for each value: what a rendering reads at least.
    pub fn length(&self) -> usize {
        match self {
            Self::Plain(_) => 1,
            Self::Text(template) => 1 + template.source().len(),
            Self::List(items) => 1 + items.iter().map(Self::length).sum::<usize>(),
            Self::Object(entries) => {
                let entries = entries.iter().map(|(key, item)| key.len() + item.length());
                1 + entries.sum::<usize>()
            }
        }
    }

    /// Every placeholder in it.
    pub fn placeholders(&self) -> Vec<&Placeholder> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Text(template) => template.placeholders().collect(),
            Self::List(items) => items.iter().flat_map(Self::placeholders).collect(),
            Self::Object(entries) => entries
                .iter()
                .flat_map(|(_, item)| item.placeholders())
                .collect(),
        }
    }
}

/// One rendering of a tree.
struct TreeFilling<'f> {
    scope: &'f TemplateScope<'f>,
    room: RenderRoom,
}

impl TreeFilling<'_> {
    fn render(&self, tree: &TemplateTree, at: &Place) -> Result<Option<Value>, RenderError> {
        let within = |cause| RenderError::Within {
            at: json::place_text(at),
            cause: Box::new(cause),
        };
        match tree {
            TemplateTree::Plain(value) => {
                self.room.take_value(value, "").map_err(within)?;
                Ok(Some(value.clone()))
            }
            TemplateTree::Text(template) => {
                match template.render_in(&self.room, self.scope).map_err(within)? {
                    Rendered::Value(value) => Ok(Some(value)),
                    Rendered::Dropped => Ok(None),
                }
            }
            TemplateTree::List(items) => self.list(items, at),
            TemplateTree::Object(entries) => self.object(entries, at),
        }
    }

    fn list(&self, items: &[TemplateTree], at: &Place) -> Result<Option<Value>, RenderError> {
        let mut out = Vec::new();
        for (index, item) in items.iter().enumerate() {
            out.extend(self.render(item, &Place::Index(at, index))?);
        }
        Ok(Some(Value::Array(out)))
    }

    fn object(
        &self,
        entries: &[(String, TemplateTree)],
        at: &Place,
    ) -> Result<Option<Value>, RenderError> {
        let mut out = Map::new();
        for (key, item) in entries {
            if let Some(value) = self.render(item, &Place::Key(at, key))? {
                self.room.take_text(key, key)?;
                out.insert(key.clone(), value);
            }
        }
        Ok(Some(Value::Object(out)))
    }
}

impl Serialize for TemplateTree {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(output),
            Self::Text(template) => template.serialize(output),
            Self::List(items) => output.collect_seq(items),
            Self::Object(entries) => {
                output.collect_map(entries.iter().map(|(key, item)| (key, item)))
            }
        }
    }
}

impl<'de> Deserialize<'de> for TemplateTree {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(TreeVisitor)
    }
}

/// Visits the JSON itself, so that an error keeps its path.
struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = TemplateTree;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<TemplateTree, E> {
        Template::parse(text)
            .map(TemplateTree::Text)
            .map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<TemplateTree, E> {
        Ok(TemplateTree::Plain(Value::Bool(flag)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<TemplateTree, E> {
        Ok(TemplateTree::Plain(Value::from(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<TemplateTree, E> {
        Ok(TemplateTree::Plain(Value::from(number)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<TemplateTree, E> {
        Ok(TemplateTree::Plain(Value::from(number)))
    }

    fn visit_unit<E: Error>(self) -> Result<TemplateTree, E> {
        Ok(TemplateTree::Plain(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<TemplateTree, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element()? {
            out.push(item);
        }
        Ok(TemplateTree::List(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TemplateTree, A::Error> {
        let mut out = Vec::new();
        while let Some(entry) = map.next_entry()? {
            out.push(entry);
        }
        Ok(TemplateTree::Object(out))
    }
}

impl JsonSchema for TemplateTree {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TemplateTree".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "JSON whose strings may hold placeholders. `{{x:undefined}}` leaves its key out when `x` is missing; a cast such as `{{x:int}}` keeps its JSON type."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TemplateTree;
    use crate::expression::TemplateScope;
    use serde_json::{Value, json};

    fn tree(value: &Value) -> TemplateTree {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn strings_are_filled_and_dropped_keys_disappear() {
        let context = json!({"a": "x", "n": 3});
        let scope = TemplateScope::new(&context);
        let body = tree(&json!({
            "name": "{{a}}", "count": "{{n:int}}", "gone": "{{b:undefined}}",
            "list": [1, "{{b:undefined}}", null, true, 1.5], "deep": {"x": {"y": "{{a}}-{{n}}"}}
        }));
        assert_eq!(
            body.render(&scope).unwrap().unwrap().into_kept(),
            json!({"name": "x", "count": 3, "list": [1, null, true, 1.5], "deep": {"x": {"y": "x-3"}}})
        );
        assert_eq!(
            tree(&json!("{{b:undefined}}")).render(&scope).unwrap(),
            None
        );
    }

    #[test]
    fn a_missing_value_is_an_error_with_its_json_path() {
        let context = json!({});
        let error = tree(&json!({"a": [{"b": "{{c.d}}"}]}))
            .render(&TemplateScope::new(&context))
            .unwrap_err();
        assert!(error.is_missing());
        assert_eq!(
            error.to_string(),
            "at body.a[0].b: `c.d` has no value (in `{{c.d}}`)"
        );
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let source = json!({"b": "{{x}}", "a": [1, null, "t"]});
        assert_eq!(
            serde_json::to_string(&tree(&source)).unwrap(),
            source.to_string()
        );
    }
}
