//! `add_query_to_body`: the caller's query in the body of the request, for providers that take it nowhere else.

use serde_json::{Map, Value};

use super::body::{BodyError, Writing};
use super::query::{CallerQuery, write_value};
use super::request::{Payload, RequestError};
use crate::config::QueryArrayFormat;
use crate::config::resource::{BodyFormat, Method};
use crate::json;

/// The body with each parameter as an entry, in place of any of the same name. What else is in it
/// stays as it was written. `callers` is the caller's body.
pub(super) fn onto(
    body: Payload,
    query: &CallerQuery,
    method: &Method,
    writing: &Writing,
    callers: &[u8],
) -> Result<Payload, RequestError> {
    let parameters = match (writing.format, query.to_value()) {
        (BodyFormat::Json, Value::Object(parameters)) => parameters,
        _ => query.by_name(),
    };
    if parameters.is_empty() {
        return Ok(body);
    }
    if matches!(method.method.0, http::Method::GET | http::Method::HEAD) {
        return Err(RequestError::NoBodyAllowed(method.method.0.clone()));
    }
    let bytes = match &body {
        Payload::Callers => callers,
        Payload::Nothing => &[],
        Payload::Ours(bytes) => bytes,
    };
    let text = std::str::from_utf8(bytes).map_err(|_| RequestError::CallersBody)?;
    let written = match writing.format {
        BodyFormat::Json => onto_json(text, &parameters)?,
        BodyFormat::Form => onto_form(text, &parameters, writing.arrays),
        BodyFormat::Raw | BodyFormat::Multipart | BodyFormat::Xml => {
            return Err(BodyError::Shape("no parameters can be put into it").into());
        }
    };
    Ok(Payload::Ours(written.into_bytes()))
}

fn onto_json(text: &str, parameters: &Map<String, Value>) -> Result<String, RequestError> {
    if !matches!(text.trim_start().as_bytes().first(), None | Some(b'{')) {
        return Err(RequestError::CallersBody);
    }
    let entries = parameters.iter();
    let entries: Vec<_> = entries
        .map(|(name, value)| (name.as_str(), value.to_string()))
        .collect();
    json::put(text, &entries).map_err(|_| RequestError::CallersBody)
}

fn onto_form(text: &str, parameters: &Map<String, Value>, arrays: QueryArrayFormat) -> String {
    let others = text.split('&').filter(|piece| {
        let own = form_urlencoded::parse(piece.as_bytes()).next();
        own.is_some_and(|(name, _)| !parameters.contains_key(&*name))
    });
    let pairs = parameters
        .iter()
        .flat_map(|(name, value)| write_value(name, value, arrays));
    let all: Vec<String> = others.map(str::to_owned).chain(pairs).collect();
    all.join("&")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Config;
    use crate::expression::Moment;

    fn written(method: &Value, body: Payload, callers: &str) -> Result<Payload, RequestError> {
        let method: Method = serde_json::from_value(method.clone()).unwrap();
        let query = CallerQuery::read("q=a%20b&ids=1&ids[]=2", &[]);
        let moment = Moment {
            now_ms: 0,
            random: [7; 32],
        };
        let writing = Writing::of(&Config::default(), &method, &moment);
        onto(body, &query, &method, &writing, callers.as_bytes())
    }

    #[test]
    fn parameters_become_entries_and_the_rest_keeps_every_byte() {
        let post = json!({ "method": "post", "path": "/" });
        let form = json!({ "method": "post", "path": "/", "body_format": "form", "query_array_format": "brackets" });
        for (method, callers, expected) in [
            (&post, "", r#"{"q":"a b","ids":["1","2"]}"#),
            (
                &post,
                r#"{"n":1e400,"q":0}"#,
                r#"{"n":1e400,"q":"a b","ids":["1","2"]}"#,
            ),
            (&form, "q=0&x=%31", "x=%31&q=a%20b&ids[]=1&ids[]=2"),
        ] {
            let body = written(method, Payload::Callers, callers);
            assert_eq!(body, Ok(Payload::Ours(expected.into())), "{callers}");
        }
    }

    #[test]
    fn a_body_that_takes_no_entries_is_an_error() {
        let post = json!({ "method": "post", "path": "/" });
        let not_json = written(&post, Payload::Callers, "[1]");
        assert_eq!(not_json, Err(RequestError::CallersBody));
        let raw = json!({ "method": "post", "path": "/", "body_format": "raw" });
        let raw = written(&raw, Payload::Nothing, "");
        assert!(matches!(raw, Err(RequestError::Body(BodyError::Shape(_)))));
        let get = written(&json!({ "path": "/" }), Payload::Nothing, "");
        assert!(matches!(get, Err(RequestError::NoBodyAllowed(_))));
    }
}
