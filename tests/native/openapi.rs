//! What `/openapi.json` says is what the API does: every route is in it, and every answer that any test of this
//! binary sees is as it says (`check`, called by the client).

mod story;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex};

use causeway::api::openapi::document;
use causeway::api::route::{RouteMatch, find};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::client::Answer;
use crate::integration_files::{load, root, same_as_stored};
use crate::routes::{ANYBODY, ROWS, declared};

/// The document as tests hold answers to it: objects have no other keys than those it lists.
static STRICT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = document();
    close(&mut document["components"]["schemas"]);
    document
});
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Objects of answers take no keys that are not listed.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            let is_open = keys.get("type") == Some(&json!("object"))
                && keys.contains_key("properties")
                && !keys.contains_key("additionalProperties");
            keys.values_mut().for_each(close);
            if is_open {
                keys.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// The path of the document that a path of a request is: the one with the fewest braces.
pub fn template_of(path: &str) -> Option<&'static str> {
    let path = path.split(['?', '#']).next().unwrap();
    if path.starts_with("/custom/") {
        return Some("/custom/{path}");
    }
    let templates = STRICT["paths"].as_object().unwrap().keys();
    templates
        .filter(|template| fits(template, path))
        .min_by_key(|template| template.matches('{').count())
        .map(String::as_str)
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(path)
            .all(|(word, part)| *word == part || (word.starts_with('{') && !part.is_empty()))
}

pub fn operation(method: &str, path: &str) -> Option<&'static Value> {
    STRICT["paths"][template_of(path)?].get(method.to_lowercase())
}

/// The response an operation documents for a status: as it is, as a range, or for all others.
fn response(operation: &Value, status: u16) -> Option<&Value> {
    let responses = &operation["responses"];
    let range = format!("{}XX", status / 100);
    let found = responses
        .get(status.to_string())
        .or_else(|| responses.get(range))
        .or_else(|| responses.get("default"))?;
    match found.get("$ref") {
        None => Some(found),
        Some(place) => STRICT.pointer(place.as_str().unwrap().strip_prefix('#').unwrap()),
    }
}

/// Panics when an answer is not as the document says. What is no call of the document is 404 or 405.
#[track_caller]
pub fn check(method: &str, path: &str, answer: &Answer) {
    let Some(own) = operation(method, path) else {
        return;
    };
    let what = format!(
        "{method} {path}: {} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    );
    let Some(problem) = problem(own, answer) else {
        return;
    };
    // An integration file may have a resource of its own with the name of that of SFTP.
    let of_resources = path.replacen("/proxy/files", "/proxy/resources", 1);
    let other = operation(method, &of_resources).filter(|other| *other != own);
    let fits_other = other.is_some_and(|other| self::problem(other, answer).is_none());
    assert!(fits_other, "{problem}: {what}");
}

/// How an answer differs from what its operation says.
fn problem(operation: &Value, answer: &Answer) -> Option<String> {
    let Some(response) = response(operation, answer.status) else {
        return Some("the status is not documented".to_owned());
    };
    let content = response["content"]
        .as_object()
        .filter(|content| !content.is_empty())?;
    let kind = answer.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap().trim();
    let Some(media) = content.get(kind).or_else(|| content.get("*/*")) else {
        return Some(format!("the content type {kind} is not documented"));
    };
    // What a provider calls JSON is passed on unread.
    let is_any = media
        .get("schema")
        .is_none_or(|schema| *schema == json!({}));
    if kind != "application/json" || is_any {
        return None;
    }
    if serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_err() {
        return Some("not JSON".to_owned());
    }
    // A number that no f64 holds is JSON, too, and is given as it came.
    let body = serde_json::from_slice(&answer.body).ok()?;
    let errors: Vec<String> = validator(&media["schema"])
        .iter_errors(&body)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!errors.is_empty()).then(|| format!("not as documented: {errors:#?}"))
}

fn validator(schema: &Value) -> Arc<Validator> {
    let key = schema.to_string();
    let mut known = VALIDATORS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = known.entry(key).or_insert_with(|| {
        let mut schema = schema.clone();
        close(&mut schema);
        let whole = json!({ "allOf": [schema], "components": STRICT["components"] });
        Arc::new(jsonschema::validator_for(&whole).unwrap())
    });
    Arc::clone(validator)
}

fn operations(document: &Value) -> Vec<(String, String, &Map<String, Value>)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| {
            (
                method.to_uppercase(),
                path.clone(),
                operation.as_object().unwrap(),
            )
        })
    });
    all.collect()
}

/// Lines for the first levels only: one for each operation and schema, so that a change is seen and little is served.
fn in_lines(value: &Value, levels: usize) -> String {
    match value
        .as_object()
        .filter(|keys| levels > 0 && !keys.is_empty())
    {
        None => value.to_string(),
        Some(keys) => {
            let entries = keys
                .iter()
                .map(|(key, value)| format!("{}:{}", json!(key), in_lines(value, levels - 1)));
            format!("{{\n{}\n}}", entries.collect::<Vec<_>>().join(",\n"))
        }
    }
}

#[test]
fn the_document_is_that_of_the_code() {
    let text = in_lines(&document(), 3) + "\n";
    same_as_stored(&root().join("openapi.json"), &text);
}

#[test]
fn the_document_is_openapi_3_1() {
    let schema = load(&root().join("tests/native/openapi/openapi-3.1.schema.json"));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document = document();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::draft202012::meta::is_valid(schema), "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_unused() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(keys) => {
                if let Some(Value::String(place)) = keys.get("$ref") {
                    found.insert(place.clone());
                }
                keys.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for place in &found {
        assert!(
            document.pointer(place.strip_prefix('#').unwrap()).is_some(),
            "{place}"
        );
    }
    for name in document["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let place = format!("#/components/schemas/{name}");
        assert!(found.contains(&place), "{name} is not used");
    }
}

/// What generators of clients stumble over: tests/worker/openapi-client.test.mjs has one of them, the rest was found by
/// openapi-generator (Python) and openapi-python-client.
#[test]
fn generators_of_clients_can_read_every_schema() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let choices = schema["oneOf"].as_array().into_iter().flatten();
        assert!(
            choices.clone().all(|one| one.get("const").is_none()),
            "{name}"
        );
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property.is_object(), "{name}.{key} is no object");
            assert!(
                property.get("default").is_none(),
                "{name}.{key} has a default"
            );
        }
    }
    for (method, path, operation) in operations(&document) {
        let content = operation.get("requestBody").map(|body| &body["content"]);
        for (kind, media) in content.and_then(Value::as_object).into_iter().flatten() {
            assert!(
                media.get("schema").is_some(),
                "{method} {path}: {kind} has no schema"
            );
        }
    }
}

#[test]
fn every_route_has_its_operation_and_every_operation_its_route() {
    for (method, path, _) in ROWS {
        assert!(
            operation(method, path).is_some(),
            "{method} {path} is not in the document"
        );
    }
    let document = document();
    let operations = operations(&document);
    let documented: BTreeSet<(&str, &str)> = operations
        .iter()
        .map(|(method, path, _)| (method.as_str(), path.as_str()))
        .collect();
    assert_eq!(documented, declared());
    for (method, path) in documented {
        let found = find(&method.parse().unwrap(), &path.replace(['{', '}'], ""));
        assert!(
            matches!(found, RouteMatch::Route(_)),
            "{method} {path}: {found:?}"
        );
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_what_it_needs() {
    let document = document();
    let mut names = BTreeSet::new();
    let tags = document["tags"].as_array().unwrap();
    for (method, path, operation) in operations(&document) {
        assert!(
            names.insert(operation["operationId"].to_string()),
            "{method} {path}"
        );
        let summary = operation["summary"].as_str().unwrap();
        assert!(
            !summary.is_empty() && !summary.ends_with('.'),
            "{method} {path}: {summary}"
        );
        assert!(tags.iter().any(|tag| tag["name"] == operation["tags"][0]));
        for word in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let word = word.trim_end_matches('}');
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(
                parameters
                    .iter()
                    .any(|one| one["name"] == word && one["in"] == "path")
            );
        }
    }
}

#[test]
fn a_token_is_asked_for_as_the_rows_of_the_routes_say() {
    for (method, path, allowed) in ROWS {
        let security = operation(method, path).unwrap()["security"]
            .as_array()
            .unwrap();
        if *allowed == ANYBODY {
            assert!(security.is_empty(), "{method} {path}");
            continue;
        }
        let mut said: Vec<String> = Vec::new();
        for one in security {
            let (scheme, scopes) = one.as_object().unwrap().iter().next().unwrap();
            match scheme.as_str() {
                "adminToken" => {}
                "accountToken" => said.push("account".to_owned()),
                _ => said.push(scopes[0].as_str().unwrap().to_owned()),
            }
        }
        said.sort();
        let mut expected: Vec<String> = allowed.iter().map(|who| (*who).to_owned()).collect();
        expected.sort();
        assert_eq!(said, expected, "{method} {path}");
    }
}
