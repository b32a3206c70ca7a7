//! What the caller says: paths and ranges, from the URL, the header fields and the body of a call. They travel in the
//! query of the call's address, as the parameters of a page do.

use http::HeaderMap;
use http::header::CONTENT_RANGE;
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
const NUMBERS: [&str; 3] = ["limit", "offset", "length"];

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
            vec![("path", of_url(input, to_write)?)]
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
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use serde_json::{Value, json};
    use url::Url;

    use super::{CallerInput, arguments, arguments_in, with_arguments};
    use crate::config::files::FileOperation as F;
    use crate::files::FilesError;

    fn asked(
        operation: F,
        id: Option<&str>,
        query: &Value,
        body: Option<&Value>,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Value, FilesError> {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        let input = CallerInput {
            id,
            query,
            headers: &headers,
            body,
        };
        let address = Url::parse("https://files.example.com:22").unwrap();
        let address = with_arguments(address, operation, &arguments(operation, &input)?);
        assert_eq!(address.path(), format!("/{}", operation.name()));
        Ok(Value::Object(arguments_in(&address, operation)))
    }

    #[test]
    fn arguments_come_from_where_the_method_has_them() {
        let none = json!({});
        for (operation, id, query, body, headers, expected) in [
            (
                F::List,
                None,
                json!({}),
                None,
                vec![],
                json!({ "path": "/", "limit": 100 }),
            ),
            (
                F::List,
                None,
                json!({ "path": "a//b" }),
                None,
                vec![],
                json!({ "path": "/a/b", "limit": 100 }),
            ),
            (
                F::Read,
                Some("a b/ü&c=d"),
                none.clone(),
                None,
                vec![],
                json!({ "path": "/a b/ü&c=d" }),
            ),
            (
                F::Read,
                Some("a"),
                none.clone(),
                None,
                vec![("range", "bytes=3-7")],
                json!({ "path": "/a", "offset": 3, "length": 5 }),
            ),
            (
                F::Read,
                Some("12"),
                none.clone(),
                None,
                vec![("range", "bytes=3-")],
                json!({ "path": "/12", "offset": 3 }),
            ),
            (
                F::Write,
                Some("a"),
                none.clone(),
                None,
                vec![("range", "bytes=3-")],
                json!({ "path": "/a" }),
            ),
            (
                F::Stat,
                None,
                none.clone(),
                Some(json!({ "path": "/" })),
                vec![],
                json!({ "path": "/" }),
            ),
            (
                F::Rename,
                None,
                none.clone(),
                Some(json!({ "from": "a", "to": "/b/c" })),
                vec![],
                json!({ "from": "/a", "to": "/b/c" }),
            ),
        ] {
            let found = asked(operation, id, &query, body.as_ref(), &headers);
            assert_eq!(found, Ok(expected), "{operation:?}");
        }
    }

    #[test]
    fn what_a_method_does_not_have_is_refused() {
        let none = json!({});
        let message = |found: Result<Value, FilesError>| found.unwrap_err().to_string();
        for (found, words) in [
            (
                asked(F::List, None, &json!({ "paht": "/a" }), None, &[]),
                "no parameter `paht`",
            ),
            (
                asked(F::List, None, &json!({ "path": ["/a", "/b"] }), None, &[]),
                "`path` is missing",
            ),
            (
                asked(F::List, None, &json!({ "path": "../x" }), None, &[]),
                "`..` segment",
            ),
            (asked(F::Read, None, &none, None, &[]), "is missing"),
            (asked(F::Read, Some("/"), &none, None, &[]), "is the root"),
            (
                asked(F::Read, Some("a"), &json!({ "path": "b" }), None, &[]),
                "no parameter `path`",
            ),
            (
                asked(F::Write, Some("a"), &none, None, &[("if-none-match", "*")]),
                "`if-none-match` is not supported",
            ),
            (
                asked(
                    F::Write,
                    Some("a"),
                    &none,
                    None,
                    &[("content-range", "bytes 0-1/2")],
                ),
                "written as a whole",
            ),
            (
                asked(F::Mkdir, None, &none, None, &[]),
                "JSON object with: path",
            ),
            (
                asked(F::Mkdir, None, &none, Some(&json!(["a"])), &[]),
                "JSON object with: path",
            ),
            (
                asked(
                    F::Mkdir,
                    None,
                    &none,
                    Some(&json!({ "path": "a", "mode": 1 })),
                    &[],
                ),
                "no parameter `mode`",
            ),
            (
                asked(F::Rmdir, None, &none, Some(&json!({ "path": "//" })), &[]),
                "is the root",
            ),
            (
                asked(F::Rename, None, &none, Some(&json!({ "from": "a" })), &[]),
                "`to` is missing",
            ),
        ] {
            let found = message(found);
            assert!(found.contains(words), "{found}: {words}");
        }
    }
}
