//! What the caller says: paths and ranges, from the URL, the header fields and the body of a call. They travel in the
//! query of the call's address, as the parameters of a page do.

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use serde_json::{Map, Value, json};
use url::Url;

use super::path::{below_root, normalised, to_write};
use super::{FilesError, PathError, range};
use crate::config::files::{DEFAULT_ENTRIES, FileOperation};

/// The conditions of RFC 9110, section 13, that would have to hold for a write.
const CONDITIONS: [&str; 4] = [
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "if-range",
];
/// Arguments that are numbers.
const NUMBERS: [&str; 4] = ["limit", "offset", "length", "size"];

/// What a caller sends.
#[derive(Debug, Clone, Copy)]
pub struct CallerInput<'a> {
    /// The path that is in the URL.
    pub id: Option<&'a str>,
    /// The query without the gateway's own parameters: an object.
    pub query: &'a Value,
    /// The header fields.
    pub headers: &'a HeaderMap,
    /// The body of a method that takes JSON.
    pub body: Option<&'a Value>,
    /// How long the body is, if that is known.
    pub announced: Option<u64>,
}

/// The arguments of an operation.
pub fn arguments(
    operation: FileOperation,
    input: &CallerInput<'_>,
) -> Result<Vec<(&'static str, String)>, FilesError> {
    use FileOperation as F;
    if operation == F::List {
        return list(input);
    }
    if let Some(name) = keys(input.query).next() {
        return Err(unknown(name, "none"));
    }
    Ok(match operation {
        F::List => Vec::new(),
        F::Read => {
            let mut all = vec![("path", of_url(input, below_root)?)];
            if let Some(range) = range::wanted(input.headers) {
                all.push(("offset", range.first.to_string()));
                all.extend(range.length.map(|length| ("length", length.to_string())));
            }
            all
        }
        F::Write => {
            refuse_conditions(input.headers)?;
            let path = of_url(input, to_write)?;
            let size = input.announced.ok_or(FilesError::NoLength)?;
            vec![("path", path), ("size", size.to_string())]
        }
        F::Delete => {
            refuse_conditions(input.headers)?;
            vec![("path", of_url(input, below_root)?)]
        }
        F::Stat => vec![("path", of_body(input, "path", &["path"], normalised)?)],
        F::Mkdir | F::Rmdir => vec![("path", of_body(input, "path", &["path"], below_root)?)],
        F::Rename => {
            let known = ["from", "to"];
            let from = of_body(input, "from", &known, below_root)?;
            vec![
                ("from", from),
                ("to", of_body(input, "to", &known, below_root)?),
            ]
        }
    })
}

fn list(input: &CallerInput<'_>) -> Result<Vec<(&'static str, String)>, FilesError> {
    if let Some(name) = keys(input.query).find(|name| *name != "path") {
        return Err(unknown(name, "path, limit, next_cursor"));
    }
    let path = match input.query.get("path") {
        None => Ok("/".to_owned()),
        Some(Value::String(text)) => normalised(text),
        Some(_) => Err(PathError::Missing),
    };
    let place = "path";
    Ok(vec![(
        "path",
        path.map_err(|why| FilesError::Path { place, why })?,
    )])
}

fn keys(object: &Value) -> impl Iterator<Item = &str> {
    let object = object.as_object().into_iter();
    object.flat_map(Map::keys).map(String::as_str)
}

fn unknown(name: &str, known: &str) -> FilesError {
    FilesError::Unknown {
        name: name.chars().take(80).collect(),
        known: known.to_owned(),
    }
}

type Read = fn(&str) -> Result<String, PathError>;

fn of_url(input: &CallerInput<'_>, read: Read) -> Result<String, FilesError> {
    let place = "the path in the URL";
    let path = read(input.id.unwrap_or_default());
    path.map_err(|why| FilesError::Path { place, why })
}

fn of_body(
    input: &CallerInput<'_>,
    place: &'static str,
    known: &[&str],
    read: Read,
) -> Result<String, FilesError> {
    let wanted = if known.len() == 1 { "path" } else { "from, to" };
    let body = input.body.filter(|body| body.is_object());
    let body = body.ok_or(FilesError::Body(wanted))?;
    if let Some(name) = keys(body).find(|name| !known.contains(name)) {
        return Err(unknown(name, wanted));
    }
    let text = match body.get(place) {
        Some(Value::String(text)) => text.as_str(),
        _ => "",
    };
    read(text).map_err(|why| FilesError::Path { place, why })
}

/// The length of the body that the caller announces. A body that ends early is then no whole file; without it the runtime
/// may end such a body as if it were whole.
pub fn announced(headers: &HeaderMap) -> Option<u64> {
    let length = headers.get(CONTENT_LENGTH)?.to_str().ok()?;
    length.parse().ok()
}

fn refuse_conditions(headers: &HeaderMap) -> Result<(), FilesError> {
    if headers.contains_key(CONTENT_RANGE) {
        return Err(FilesError::Part);
    }
    let mut conditions = CONDITIONS.into_iter();
    match conditions.find(|name| headers.contains_key(*name)) {
        Some(name) => Err(FilesError::Condition(name.to_owned())),
        None => Ok(()),
    }
}

/// The address of the server with the operation and its arguments.
pub fn with_arguments(
    mut address: Url,
    operation: FileOperation,
    arguments: &[(&'static str, String)],
) -> Url {
    address.set_path(operation.name());
    address.query_pairs_mut().clear().extend_pairs(arguments);
    address
}

/// The arguments in such an address, as the SFTP Worker reads them.
pub fn arguments_in(address: &Url, operation: FileOperation) -> Map<String, Value> {
    let mut arguments = Map::new();
    for (name, value) in address.query_pairs() {
        let number = value.parse::<u64>().ok();
        let value = match number.filter(|_| NUMBERS.contains(&name.as_ref())) {
            Some(number) => json!(number),
            None => json!(value),
        };
        arguments.insert(name.into_owned(), value);
    }
    if operation == FileOperation::List {
        arguments.entry("limit").or_insert(json!(DEFAULT_ENTRIES));
    }
    arguments
}

#[cfg(test)]
mod tests;
