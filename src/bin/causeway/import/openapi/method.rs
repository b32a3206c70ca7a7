//! One operation as one method of the file.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::naming::{NamedOperation, list_path};
use super::operation::json_schema;
use super::resolve::References;
use super::schema::{SchemaDepth, SchemaReader, shortened};

/// Characters of a method's description.
const DESCRIPTION: usize = 300;

/// The method, with its path below the file's `base_url`.
pub fn of<'d>(
    one: &NamedOperation<'d>,
    path: &str,
    references: &References<'d>,
    depth: SchemaDepth,
) -> Value {
    let operation = &one.operation;
    let mut method = Map::new();
    method.insert("method".to_owned(), json!(operation.method));
    let parameters = operation.parameters(references);
    let names = path_names(path, one.has_id);
    method.insert("path".to_owned(), json!(templated(path, &names)));
    let description = operation
        .text("summary")
        .or_else(|| operation.text("description"));
    if let Some(text) = description {
        method.insert(
            "description".to_owned(),
            json!(shortened(text, DESCRIPTION)),
        );
    }
    let docs = operation
        .value
        .pointer("/externalDocs/url")
        .and_then(Value::as_str);
    if let Some(docs) = docs.filter(|docs| docs.starts_with("http")) {
        method.insert("api_documentation_url".to_owned(), json!(docs));
    }
    add_headers(&parameters, &mut method);
    add_body(one, references, depth, &mut method);
    if depth != SchemaDepth::Nothing {
        add_query_schema(&parameters, &names, references, &mut method);
    }
    add_answer(one, references, depth, &mut method);
    let scopes = scopes(one, references);
    if !scopes.is_empty() {
        method.insert("scopes".to_owned(), json!(scopes));
    }
    Value::Object(method)
}

/// The placeholder of each parameter in a path: the last one of an item is the caller's `id`.
fn path_names(path: &str, has_id: bool) -> BTreeMap<String, String> {
    let parts = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split_once('}'));
    let names: Vec<&str> = parts.map(|(name, _)| name).collect();
    let last = names.last().copied().filter(|_| has_id);
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let entries = names.iter().map(|name| {
        let safe: String = name
            .chars()
            .map(|c| if fits(c) { c } else { '_' })
            .collect();
        let own = if Some(*name) == last {
            "id".to_owned()
        } else {
            format!("query.{safe}")
        };
        ((*name).to_owned(), own)
    });
    entries.collect()
}

fn templated(path: &str, names: &BTreeMap<String, String>) -> String {
    let (mut out, mut rest) = (String::new(), path);
    // In one pass: a placeholder may have the name of another parameter.
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let parameter = after.split_once('}');
        let own = parameter.and_then(|(name, behind)| Some((names.get(name)?, behind)));
        if let Some((own, behind)) = own {
            out.extend(["{{", own.as_str(), "}}"]);
            rest = behind;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// A header that must be there has a constant, or comes from the caller's query.
fn add_headers(parameters: &[&Value], method: &mut Map<String, Value>) {
    let mut headers = Map::new();
    for parameter in parameters {
        let is_header = parameter.get("in").is_some_and(|place| place == "header");
        let is_needed = parameter.get("required") == Some(&Value::Bool(true));
        let Some(name) = parameter
            .get("name")
            .and_then(Value::as_str)
            .filter(|_| is_header && is_needed)
        else {
            continue;
        };
        let is_ours = ["authorization", "accept", "content-type"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name));
        let schema = parameter.get("schema");
        let constant = schema.and_then(|schema| {
            let first = schema
                .get("enum")
                .and_then(Value::as_array)
                .and_then(|values| values.first());
            schema.get("default").or(first)
        });
        let fits = name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if is_ours || !fits {
            continue;
        }
        let value = constant.and_then(Value::as_str).map(str::to_owned);
        headers.insert(
            name.to_owned(),
            json!(value.unwrap_or_else(|| format!("{{{{query.{name}}}}}"))),
        );
    }
    if !headers.is_empty() {
        method.insert("headers".to_owned(), Value::Object(headers));
    }
}

/// How the body is written, and its schema.
fn add_body<'d>(
    one: &NamedOperation<'d>,
    references: &References<'d>,
    depth: SchemaDepth,
    method: &mut Map<String, Value>,
) {
    let body = one
        .operation
        .value
        .get("requestBody")
        .and_then(|body| references.follow(body));
    let Some(body) = body else {
        if one.operation.method != "get" {
            method.insert("ignore_body".to_owned(), json!(true));
        }
        return;
    };
    let content = body.get("content").and_then(Value::as_object);
    let schema = match json_schema(body) {
        Some(schema) => Some(schema),
        None => content.and_then(|content| {
            let forms = [
                ("application/x-www-form-urlencoded", "form"),
                ("multipart/form-data", "multipart"),
            ];
            let (kind, format) = forms.iter().find(|(kind, _)| content.contains_key(*kind))?;
            let own = content.get(*kind)?;
            method.insert("body".to_owned(), json!("{{body:any:undefined}}"));
            method.insert("body_format".to_owned(), json!(format));
            let nests = own.get("encoding").and_then(Value::as_object);
            if nests.is_some_and(|nests| {
                nests
                    .values()
                    .any(|one| one.get("style").is_some_and(|style| style == "deepObject"))
            }) {
                method.insert("query_array_format".to_owned(), json!("indices"));
            }
            own.get("schema")
        }),
    };
    if depth.of_bodies() > 0
        && let Some(schema) =
            schema.and_then(|schema| SchemaReader::new(references).read(schema, depth.of_bodies()))
    {
        method.insert("body_schema".to_owned(), schema);
    }
}

/// What callers send in the query: parameters of the query, and those of the path but the `id`.
fn add_query_schema<'d>(
    parameters: &[&'d Value],
    names: &BTreeMap<String, String>,
    references: &References<'d>,
    method: &mut Map<String, Value>,
) {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in parameters {
        let Some(name) = parameter.get("name").and_then(Value::as_str) else {
            continue;
        };
        let (key, is_needed) = match parameter.get("in").and_then(Value::as_str) {
            Some("query") => (
                name.to_owned(),
                parameter.get("required") == Some(&Value::Bool(true)),
            ),
            Some("path") => match names.get(name).and_then(|own| own.strip_prefix("query.")) {
                Some(own) => (own.to_owned(), true),
                None => continue,
            },
            _ => continue,
        };
        let schema = parameter
            .get("schema")
            .and_then(|schema| SchemaReader::new(references).read(schema, 1));
        let mut schema = schema.unwrap_or_else(|| json!({}));
        let text = parameter.get("description").and_then(Value::as_str);
        if let (Some(text), Some(own)) = (text, schema.as_object_mut()) {
            own.insert("description".to_owned(), json!(shortened(text, 160)));
        }
        if is_needed {
            required.push(key.clone());
        }
        properties.insert(key, schema);
    }
    if properties.is_empty() {
        return;
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if let Some(own) = schema.as_object_mut().filter(|_| !required.is_empty()) {
        own.insert("required".to_owned(), json!(required));
    }
    method.insert("query_schema".to_owned(), schema);
}

/// Where the result is, how its pages are linked, and its schema.
fn add_answer<'d>(
    one: &NamedOperation<'d>,
    references: &References<'d>,
    depth: SchemaDepth,
    method: &mut Map<String, Value>,
) {
    let operation = &one.operation;
    let list = list_path(operation, references).filter(|_| one.method == "list");
    if let Some(path) = list.filter(|path| !path.is_empty()) {
        method.insert("response_path".to_owned(), json!(path));
    }
    let answer = operation.answer(references);
    let headers = answer
        .and_then(|answer| answer.get("headers"))
        .and_then(Value::as_object);
    let has_links =
        headers.is_some_and(|headers| headers.keys().any(|name| name.eq_ignore_ascii_case("link")));
    if has_links && one.method == "list" {
        let sizes = ["per_page", "limit", "page_size", "pageSize", "perPage"];
        let parameters = operation.parameters(references);
        let is_there = |name: &&&str| {
            parameters
                .iter()
                .any(|own| own.get("name").is_some_and(|own| own == **name))
        };
        let config = match sizes.iter().find(is_there) {
            Some(name) => json!({ "limit_key": name }),
            None => json!({}),
        };
        method.insert(
            "pagination".to_owned(),
            json!({ "format": "link_header", "config": config }),
        );
    }
    if depth.of_answers() > 0
        && let Some(schema) = operation.answer_schema(references)
        && let Some(schema) = SchemaReader::new(references).read(schema, depth.of_answers())
    {
        method.insert("response_schema".to_owned(), schema);
    }
}

/// The OAuth scopes of the first way to authorize the operation that has some.
fn scopes<'d>(one: &NamedOperation<'d>, references: &References<'d>) -> Vec<&'d str> {
    let document = references.document();
    let security = one
        .operation
        .value
        .get("security")
        .or_else(|| document.get("security"));
    let ways = security.and_then(Value::as_array).into_iter().flatten();
    let schemes = document.pointer("/components/securitySchemes");
    for way in ways.filter_map(Value::as_object) {
        for (name, scopes) in way {
            let scheme = schemes
                .and_then(|schemes| schemes.get(name))
                .and_then(|scheme| references.follow(scheme));
            let is_oauth = scheme
                .and_then(|scheme| scheme.get("type"))
                .is_some_and(|kind| kind == "oauth2");
            let scopes = scopes
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let scopes: Vec<&str> = scopes.collect();
            if is_oauth && !scopes.is_empty() {
                return scopes;
            }
        }
    }
    Vec::new()
}
