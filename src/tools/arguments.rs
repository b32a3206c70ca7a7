//! The arguments of one call of a tool, checked, and divided into the id, the query and the body of the call.

use serde_json::{Map, Value};

use super::check::{Misfit, check, is_type};
use super::input::{ArgumentPlace, ToolInput};
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
        let (mut body, mut pairs) = (Map::new(), Vec::new());
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
                ArgumentPlace::Limit => read.limit = Some(text(value)),
                ArgumentPlace::Cursor => read.next_cursor = Some(text(value)),
                ArgumentPlace::Confirmation => read.confirmation = Some(text(value)),
                ArgumentPlace::Query(name) => write_query(&mut pairs, name, value),
                ArgumentPlace::WholeBody => read.body = Some(Exact::of_inside(value.clone())),
                ArgumentPlace::Body(name) => {
                    body.insert(name.clone(), value.clone());
                }
            }
        }
        read.query = pairs.join("&");
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
    let takes_null = match schema.get("type") {
        Some(Value::String(name)) => is_type(name, value),
        Some(Value::Array(names)) => names.iter().any(|name| name == "null"),
        _ => false,
    };
    value.is_null() && !takes_null
}

/// An id as text: agents send numbers, too.
fn id(value: &Value) -> Result<String, Misfit> {
    let is_number = is_type("number", value);
    let id = exact::as_text(value).map(str::to_owned);
    let id = id.or_else(|| is_number.then(|| text(value)));
    id.filter(|id| !id.is_empty())
        .ok_or_else(|| Misfit::new("id", "has to be a text that is not empty"))
}

fn text(value: &Value) -> String {
    exact::text(value).into_owned()
}

/// The raw query of an object, which is the inside of an `Exact`.
pub fn query_of(query: &Value) -> String {
    let mut pairs = Vec::new();
    for (name, value) in query.as_object().into_iter().flatten() {
        write_query(&mut pairs, name, value);
    }
    pairs.join("&")
}

/// Writes a parameter: arrays as repeated names, objects with brackets, null not at all.
fn write_query(pairs: &mut Vec<String>, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| match item {
            Value::Object(_) | Value::Array(_) => pairs.push(pair(name, &text(item))),
            item => write_query(pairs, name, item),
        }),
        Value::Object(entries) => entries
            .iter()
            .for_each(|(key, item)| write_query(pairs, &format!("{name}[{key}]"), item)),
        scalar => pairs.push(pair(name, &text(scalar))),
    }
}

fn pair(name: &str, value: &str) -> String {
    format!(
        "{}={}",
        percent_encoded(name.as_bytes()),
        percent_encoded(value.as_bytes())
    )
}
