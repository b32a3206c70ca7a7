//! The arguments of a tool: one flat object, made of the id, the query and the body of its method.

use serde_json::{Map, Value, json};

use super::ToolMethod;
use crate::config::Method;
use crate::config::files::FileOperation;
use crate::config::resource::BodyFormat;
use crate::expression::{Placeholder, Template, TemplateTree, UrlTemplate};

/// What an argument is in the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgumentPlace {
    /// The id of the record.
    Id,
    /// The page size of a list.
    Limit,
    /// The page of a list.
    Cursor,
    /// The permission to run a destructive tool.
    Confirmation,
    /// A parameter of the query.
    Query(String),
    /// A property of the body.
    Body(String),
    /// The whole body.
    WholeBody,
}

/// Which tools need a confirmation before they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmationPolicy {
    /// None.
    Never,
    /// Destructive ones.
    OfDestructive,
}

/// The arguments of a tool.
#[derive(Debug)]
pub struct ToolInput {
    properties: Map<String, Value>,
    pub(super) places: Vec<(String, ArgumentPlace)>,
    required: Vec<String>,
    /// The schema of properties of the body that have no name in its schema; `None` where there are none.
    pub(super) further: Option<Value>,
}

impl ToolInput {
    /// The arguments of a method.
    pub fn of(tool: &ToolMethod<'_>, policy: ConfirmationPolicy) -> Self {
        let mut input = Self {
            properties: Map::new(),
            places: Vec::new(),
            required: Vec::new(),
            further: None,
        };
        input.add_own(tool);
        if policy == ConfirmationPolicy::OfDestructive && tool.is_destructive() {
            let about = "Leave it out first: the answer shows the request and gives the value that runs it.";
            let schema = json!({ "type": "string", "description": about });
            input.add("confirmation", ArgumentPlace::Confirmation, schema);
        }
        if takes_body(tool.method) {
            input.add_body(tool.method);
        }
        input.add_query(tool);
        input
    }

    /// The names of the arguments that it needs.
    pub fn required(&self) -> Vec<String> {
        self.required.clone()
    }

    /// The JSON Schema of the arguments.
    pub fn into_schema(self) -> Value {
        json!({
            "type": "object",
            "properties": self.properties,
            "required": self.required,
            "additionalProperties": self.further.unwrap_or(Value::Bool(false)),
        })
    }

    /// The schema of an argument.
    pub(super) fn schema_of(&self, name: &str) -> Option<&Value> {
        self.properties.get(name)
    }

    pub(super) fn needs(&self) -> &[String] {
        &self.required
    }

    fn add_own(&mut self, tool: &ToolMethod<'_>) {
        match tool.method_name {
            "get" | "update" | "delete" => {
                let schema = json!({ "type": "string", "description": "The id of the record." });
                self.add("id", ArgumentPlace::Id, schema);
                if tool.method.operation.is_some() || reads_id(tool.method) {
                    self.required.push("id".to_owned());
                }
            }
            "list" => {
                let about = "The most records of a page.";
                let schema = json!({ "type": "integer", "minimum": 1, "description": about });
                self.add("limit", ArgumentPlace::Limit, schema);
                let about =
                    "The `next_cursor` of the page before; leave it out for the first page.";
                let schema = json!({ "type": "string", "description": about });
                self.add("next_cursor", ArgumentPlace::Cursor, schema);
            }
            _ => {}
        }
    }

    fn add_body(&mut self, method: &Method) {
        let Some(schema) = method.body_schema.as_ref().filter(|own| has_names(own)) else {
            self.add_whole_body(method);
            return;
        };
        let (properties, required) = named(schema);
        for (name, schema) in properties {
            let place = ArgumentPlace::Body(name.clone());
            self.add_below("body_", name, place, schema, &required);
        }
        self.further = schema
            .get("additionalProperties")
            .filter(|own| **own != Value::Bool(false))
            .cloned();
    }

    fn add_whole_body(&mut self, method: &Method) {
        let is_text = method.body_format == Some(BodyFormat::Raw) && method.body.is_none();
        let is_text = is_text || method.operation == Some(FileOperation::Write);
        let schema = match &method.body_schema {
            Some(schema) => schema.clone(),
            None if is_text => json!({ "type": "string", "description": "The body as text." }),
            None => json!({ "type": "object", "description": "The body of the request." }),
        };
        self.add("body", ArgumentPlace::WholeBody, schema);
    }

    fn add_query(&mut self, tool: &ToolMethod<'_>) {
        let Some(schema) = &tool.method.query_schema else {
            return;
        };
        let (properties, required) = named(schema);
        for (name, schema) in properties {
            let is_ours = tool.method_name == "list" && matches!(&**name, "limit" | "next_cursor");
            if !is_ours {
                let place = ArgumentPlace::Query(name.clone());
                self.add_below("query_", name, place, schema, &required);
            }
        }
    }

    /// Adds a property, under a longer name where its own is taken.
    fn add_below(
        &mut self,
        prefix: &str,
        name: &str,
        place: ArgumentPlace,
        schema: &Value,
        required: &[&str],
    ) {
        let mut own = name.to_owned();
        while self.properties.contains_key(&own) {
            own.insert_str(0, prefix);
        }
        if required.contains(&name) {
            self.required.push(own.clone());
        }
        self.add(&own, place, schema.clone());
    }

    fn add(&mut self, name: &str, place: ArgumentPlace, schema: Value) {
        self.places.push((name.to_owned(), place));
        self.properties.insert(name.to_owned(), schema);
    }
}

/// Whether a schema is an object's whose properties have names.
fn has_names(schema: &Value) -> bool {
    schema.get("properties").is_some_and(Value::is_object)
}

/// The properties of an object's schema, and the names of those that are required.
fn named(schema: &Value) -> (Vec<(&String, &Value)>, Vec<&str>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let required = required.into_iter().flatten().filter_map(Value::as_str);
    (
        properties.into_iter().flatten().collect(),
        required.collect(),
    )
}

/// Whether the body of a call reaches the provider, or one of the method's templates reads it.
pub fn takes_body(method: &Method) -> bool {
    if let Some(operation) = method.operation {
        return operation.takes_json() || operation == FileOperation::Write;
    }
    let carries = !matches!(method.method.0, http::Method::GET | http::Method::HEAD);
    // Providers rarely read the body of a DELETE.
    let is_usual = method.method.0 != http::Method::DELETE || method.body_schema.is_some();
    let is_passed_on = carries && is_usual && method.body.is_none() && !method.ignore_body;
    is_passed_on || reads(method, "body")
}

fn reads_id(method: &Method) -> bool {
    reads(method, "id")
}

/// Whether a template of the method reads this root.
fn reads(method: &Method, root: &str) -> bool {
    placeholders(method).any(|own| own.paths().any(|path| path.first() == Some(root)))
}

/// Every placeholder of a method.
pub(super) fn placeholders(method: &Method) -> impl Iterator<Item = &Placeholder> {
    let entries = method.query.values().chain(method.headers.values());
    let entries = entries.flatten().flat_map(Template::placeholders);
    let body = method.body.iter().flat_map(TemplateTree::placeholders);
    let base = method.base_url.iter().flat_map(UrlTemplate::placeholders);
    method
        .path
        .placeholders()
        .chain(entries)
        .chain(body)
        .chain(base)
}
