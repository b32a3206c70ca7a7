//! The arguments of one call of a tool, checked, and divided into the id, the query and the body of the call.

use serde_json::{Map, Value};

use super::check::{Misfit, check, is_type};
use super::input::{ArgumentPlace, ToolInput};
use crate::expression::{RenderError, RenderRoom};
use crate::json::exact::{self, Exact};
use crate::media::percent_encoded;

/// The arguments of a call.
#[derive(Debug, Default)]
pub struct ToolArguments {
    /// The id of the record.
    pub id: Option<String>,
    /// The raw query, without the page.
    pub query: String,
    /// The body; `None` where the tool takes none, or got none.
    pub body: Option<Exact>,
    /// The page size.
    pub limit: Option<String>,
    /// The page.
    pub next_cursor: Option<String>,
    /// The permission to run a destructive tool.
    pub confirmation: Option<String>,
}

impl ToolInput {
    /// Checks the arguments of a call and divides them.
    pub fn read(&self, arguments: &Exact) -> Result<ToolArguments, Misfit> {
        let none = Map::new();
        let given = match arguments.inside() {
            Value::Object(given) => given,
            Value::Null => &none,
            _ => return Err(Misfit::new("arguments", "have to be an object")),
        };
        self.check_required(given)?;
        let mut read = ToolArguments::default();
        let (mut body, mut query) = (Map::new(), QueryWriter::new());
        for (name, value) in given {
            let place = self.places.iter().find(|(own, _)| own == name);
            let Some((_, place)) = place else {
                self.check_further(name, value)?;
                body.insert(name.clone(), value.clone());
                continue;
            };
            let schema = self.schema_of(name).unwrap_or(&Value::Null);
            if is_absent(schema, value) {
                continue;
            }
            // An id may also be a number, which its schema does not say.
            if *place != ArgumentPlace::Id {
                check(schema, value, name)?;
            }
            match place {
                ArgumentPlace::Id => read.id = Some(id(value)?),
                ArgumentPlace::Limit => read.limit = Some(url_text(name, value)?),
                ArgumentPlace::Cursor => read.next_cursor = Some(url_text(name, value)?),
                ArgumentPlace::Confirmation => read.confirmation = Some(text(value)),
                ArgumentPlace::Query(own) => {
                    query.add(own, value).map_err(|_| too_long(name))?;
                }
                ArgumentPlace::WholeBody => read.body = Some(Exact::of_inside(value.clone())),
                ArgumentPlace::Body(name) => {
                    body.insert(name.clone(), value.clone());
                }
            }
        }
        read.query = query.written;
        if self.has_body_properties() {
            read.body = Some(Exact::of_inside(Value::Object(body)));
        }
        Ok(read)
    }

    fn has_body_properties(&self) -> bool {
        let is_body =
            |(_, place): &(String, ArgumentPlace)| matches!(place, ArgumentPlace::Body(_));
        self.further.is_some() || self.places.iter().any(is_body)
    }

    fn check_required(&self, given: &Map<String, Value>) -> Result<(), Misfit> {
        let is_missing = |name: &&String| {
            let schema = self.schema_of(name).unwrap_or(&Value::Null);
            let value = given.get(*name);
            value.is_none_or(|value| is_absent(schema, value))
        };
        match self.needs().iter().find(is_missing) {
            Some(name) => Err(Misfit::new(name, "is required")),
            None => Ok(()),
        }
    }

    fn check_further(&self, name: &str, value: &Value) -> Result<(), Misfit> {
        if let Some(schema) = &self.further {
            return check(schema, value, name);
        }
        let known: Vec<&str> = self.places.iter().map(|(own, _)| own.as_str()).collect();
        let known = known.join(", ");
        let message = format!("is no argument of this tool; there are: {known}");
        Err(Misfit::new(name, &message))
    }
}

/// Agents send null for what they leave out.
fn is_absent(schema: &Value, value: &Value) -> bool {
    value.is_null() && check(schema, value, "").is_err()
}

/// An id as text: agents send numbers, too.
fn id(value: &Value) -> Result<String, Misfit> {
    let is_id = exact::as_text(value).is_some_and(|id| !id.is_empty()) || is_type("number", value);
    if !is_id {
        return Err(Misfit::new("id", "has to be a text that is not empty"));
    }
    url_text("id", value)
}

/// An argument as the text that a URL has.
fn url_text(name: &str, value: &Value) -> Result<String, Misfit> {
    let text = text(value);
    let taken = RenderRoom::url().take_text(&text, name);
    taken.map(|()| text).map_err(|_| too_long(name))
}

fn too_long(name: &str) -> Misfit {
    Misfit::new(name, "is too long for the path and query of a URL")
}

fn text(value: &Value) -> String {
    exact::text(value).into_owned()
}

/// The raw query of an object, which is the inside of an `Exact`. It has the room of a URL.
pub fn query_of(query: &Value) -> Result<String, RenderError> {
    let mut writer = QueryWriter::new();
    for (name, value) in query.as_object().into_iter().flatten() {
        writer.add(name, value)?;
    }
    Ok(writer.written)
}

/// A raw query while it is written, in the room of a URL.
struct QueryWriter {
    room: RenderRoom,
    /// The name of what is written next.
    name: String,
    written: String,
}

impl QueryWriter {
    fn new() -> Self {
        Self {
            room: RenderRoom::url(),
            name: String::new(),
            written: String::new(),
        }
    }

    fn add(&mut self, name: &str, value: &Value) -> Result<(), RenderError> {
        name.clone_into(&mut self.name);
        self.write(value)
    }

    /// Writes a parameter: arrays as repeated names, objects with brackets, null not at all.
    fn write(&mut self, value: &Value) -> Result<(), RenderError> {
        match value {
            Value::Null => Ok(()),
            Value::Array(items) => items.iter().try_for_each(|item| match item {
                Value::Object(_) | Value::Array(_) => self.pair(item),
                item => self.write(item),
            }),
            Value::Object(entries) => entries.iter().try_for_each(|(key, item)| {
                let length = self.name.len();
                self.name.extend(["[", key, "]"]);
                self.write(item)?;
                self.name.truncate(length);
                Ok(())
            }),
            scalar => self.pair(scalar),
        }
    }

    fn pair(&mut self, value: &Value) -> Result<(), RenderError> {
        let value = text(value);
        self.room.take_name(&self.name, &Value::Null)?;
        self.room.take_text(&value, &self.name)?;
        if !self.written.is_empty() {
            self.written.push('&');
        }
        self.written += &percent_encoded(self.name.as_bytes());
        self.written.push('=');
        self.written += &percent_encoded(value.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_repeats_names_within_the_room_of_a_url() {
        let query = |value: &Value| {
            let text = value.to_string();
            let marked = exact::marked(text.as_bytes());
            query_of(Exact::of_marked(&marked).unwrap().inside())
        };
        let value = json!({ "a": ["x y", 1, null, { "b": 1 }], "b": { "c": { "d": true }, "e": [2] }, "f": null, "g": {} });
        assert_eq!(
            query(&value).unwrap(),
            "a=x%20y&a=1&a=%7B%22b%22%3A1%7D&b%5Bc%5D%5Bd%5D=true&b%5Be%5D=2"
        );
        let most = 16 * 1024;
        for (value, fits) in [
            (json!({ "n": "v".repeat(most - 3) }), true),
            (json!({ "n": "v".repeat(most - 2) }), false),
            (json!({ "n".repeat(1_000): vec![1; 16] }), true),
            (json!({ "n".repeat(1_000): vec![1; 17] }), false),
            (json!({ "n".repeat(most): {} }), true),
            (json!({ "n".repeat(most): { "a": 1 } }), false),
        ] {
            assert_eq!(query(&value).is_ok(), fits);
        }
    }
}
