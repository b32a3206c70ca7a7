//! Which resource and which method an operation is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::operation::Operation;
use super::resolve::References;

/// An operation with its place in the file.
pub struct NamedOperation<'d> {
    pub operation: Operation<'d>,
    pub resource: String,
    pub method: String,
    /// Whether the last parameter of the path is the `{id}` of callers.
    pub has_id: bool,
}

/// The operations with names. No two have the same.
pub fn named<'d>(
    operations: Vec<Operation<'d>>,
    references: &References<'d>,
) -> Vec<NamedOperation<'d>> {
    let paths: BTreeSet<&str> = operations.iter().map(|one| one.path).collect();
    let mut names = ResourceNames::default();
    let mut taken = BTreeSet::new();
    let mut all = Vec::new();
    for operation in operations {
        let segments: Vec<&str> = segments(operation.path);
        let is_item = segments.last().is_some_and(|last| is_parameter(last));
        let action = action(&operation, &segments, &paths);
        let collection = match (&action, is_item) {
            (Some(_), _) => segments.get(..segments.len().saturating_sub(2)),
            (None, true) => segments.get(..segments.len().saturating_sub(1)),
            (None, false) => segments.get(..),
        };
        let resource = names.of(collection.unwrap_or_default());
        let wanted = action.unwrap_or_else(|| method_name(&operation, is_item, &paths, references));
        let has_id = is_item && ["get", "update", "delete"].contains(&wanted.as_str());
        let mut method = wanted.clone();
        let mut number = 2;
        while !taken.insert((resource.clone(), method.clone())) {
            method = format!("{wanted}_{number}");
            number += 1;
        }
        let has_id = has_id && method == wanted;
        all.push(NamedOperation {
            operation,
            resource,
            method,
            has_id,
        });
    }
    all
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .collect()
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}') && segment.matches('{').count() == 1
}

/// `/pulls/{number}/merge` with nothing below it, and nothing to read there, is a method of `pulls`.
fn action(operation: &Operation, segments: &[&str], paths: &BTreeSet<&str>) -> Option<String> {
    let [.., before, last] = segments else {
        return None;
    };
    let writes = ["post", "put", "patch"].contains(&operation.method);
    let is_leaf = |method: &str| operation.item.get(method).is_none();
    let below = format!("{}/", operation.path);
    let has_more = paths
        .range(below.as_str()..)
        .next()
        .is_some_and(|path| path.starts_with(&below));
    let is_action = writes
        && is_parameter(before)
        && !last.contains('{')
        && is_leaf("get")
        && is_leaf("delete")
        && !has_more;
    let count = ["post", "put", "patch"]
        .iter()
        .filter(|method| !is_leaf(method))
        .count();
    (is_action && count == 1).then(|| word(last))
}

fn method_name<'d>(
    operation: &Operation<'d>,
    is_item: bool,
    paths: &BTreeSet<&str>,
    references: &References<'d>,
) -> String {
    let has = |method: &str| operation.item.get(method).is_some();
    let name = match (operation.method, is_item) {
        ("get", true) => "get",
        ("delete", true) => "delete",
        ("patch", true) => "update",
        ("put", true) if !has("patch") => "update",
        ("post", true) if !has("patch") && !has("put") => "update",
        ("put", _) => "replace",
        ("post", true) => "post",
        ("get", false) if is_list(operation, paths, references) => "list",
        ("get", false) => "read",
        ("post", false) => "create",
        ("patch", false) => "change",
        (_, false) => "remove",
        (other, true) => other,
    };
    name.to_owned()
}

/// Whether the answer is a list, or there are items below the path.
fn is_list<'d>(
    operation: &Operation<'d>,
    paths: &BTreeSet<&str>,
    references: &References<'d>,
) -> bool {
    let items = format!("{}/{{", operation.path);
    let has_items = paths
        .range(items.as_str()..)
        .next()
        .is_some_and(|path| path.starts_with(&items));
    has_items || list_path(operation, references).is_some()
}

/// Usual names of the list in an answer.
const USUAL: [&str; 8] = [
    "data", "items", "results", "records", "values", "entries", "elements", "rows",
];

/// Where the list is in the answer; the empty text where the answer is the list.
pub fn list_path<'d>(operation: &Operation<'d>, references: &References<'d>) -> Option<String> {
    let schema = references.follow(operation.answer_schema(references)?)?;
    if is_array(schema) {
        return Some(String::new());
    }
    let mut arrays = Vec::new();
    let parts = schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let parts = parts.filter_map(|part| references.follow(part));
    for part in std::iter::once(schema).chain(parts) {
        let properties = part
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        for (name, property) in properties {
            if references.follow(property).is_some_and(is_array) {
                arrays.push(name.as_str());
            }
        }
    }
    let last = segments(operation.path).pop().unwrap_or_default();
    let found = USUAL.iter().copied().find(|name| arrays.contains(name));
    let found = found.or_else(|| arrays.iter().copied().find(|name| *name == last));
    let found = found.or_else(|| arrays.first().copied().filter(|_| arrays.len() == 1));
    found.filter(|name| !name.contains('.')).map(str::to_owned)
}

fn is_array(schema: &Value) -> bool {
    let kind = schema.get("type");
    let kinds = kind.and_then(Value::as_array);
    kind.is_some_and(|kind| kind == "array")
        || kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "array"))
}

/// The resource of each path.
#[derive(Default)]
struct ResourceNames {
    by_path: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl ResourceNames {
    /// The name of the static segments; where other parameters are between them, with those.
    fn of(&mut self, segments: &[&str]) -> String {
        let path = segments.join("/");
        if let Some(name) = self.by_path.get(&path) {
            return name.clone();
        }
        let statics: Vec<String> = segments
            .iter()
            .filter(|one| !one.contains('{') && !is_version(one))
            .map(|one| word(one))
            .collect();
        let all: Vec<String> = segments
            .iter()
            .filter(|one| !is_version(one))
            .map(|one| word(one))
            .collect();
        let mut name = statics.join("_");
        if name.is_empty() {
            "root".clone_into(&mut name);
        }
        if self.taken.contains(&name) {
            name = all.join("_");
        }
        let (base, mut number) = (name.clone(), 2);
        while !self.taken.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.by_path.insert(path, name.clone());
        name
    }
}

/// `v1`, `2024-01`, `api`
fn is_version(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or(segment);
    segment == "api"
        || (!number.is_empty()
            && number
                .bytes()
                .all(|b| b.is_ascii_digit() || b == b'.' || b == b'-'))
}

/// A segment as a word of a name.
fn word(segment: &str) -> String {
    let mut out = String::new();
    for c in segment.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => out.push(c.to_ascii_lowercase()),
            _ if out.ends_with('_') || out.is_empty() => {}
            _ => out.push('_'),
        }
    }
    let word = out.trim_end_matches('_');
    if word.is_empty() {
        "item".to_owned()
    } else {
        word.chars().take(60).collect()
    }
}

/// A title as the name of a file.
pub fn slug(title: &str) -> String {
    let slug = word(title).replace('_', "-");
    let slug = slug.trim_end_matches("-api").trim_end_matches("-rest");
    if slug.is_empty() {
        "imported".to_owned()
    } else {
        slug.to_owned()
    }
}
