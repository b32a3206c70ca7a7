//! What the API is, as `OpenAPI` 3.1. [`document()`] writes it from the route table (`super::table`); the repository keeps
//! what it wrote as `openapi.json`, which the Worker serves: so it carries the text alone, neither the code that writes it
//! nor the time to run it. A test compares the two.

mod components;
pub(super) mod connect;
pub(super) mod data_plane;
pub(super) mod describe;
pub(super) mod files;
mod generators;
pub(super) mod operation;
pub(super) mod public;
pub(super) mod received;
pub(super) mod record;
pub(super) mod shapes;
mod written;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::table::groups;
use crate::ports::{Body, Reply};
use operation::Group;
use shapes::Shapes;

/// As the repository has it; a test holds it to the code.
const DOCUMENT: &str = include_str!("../../../openapi.json");

/// `GET /openapi.json`
pub(super) fn get<S>() -> Reply<S> {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "public, max-age=3600"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Reply {
        status: StatusCode::OK,
        headers: HeaderMap::from_iter(headers),
        body: Body::from_bytes(DOCUMENT),
    }
}

/// The whole document.
pub fn document() -> Value {
    let mut shapes = Shapes::new();
    let groups = groups(&mut shapes);
    let tags: Vec<Value> = groups
        .iter()
        .map(|group| json!({ "name": group.tag, "description": group.about }))
        .collect();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Causeway",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "description": ABOUT,
            "license": { "name": "Apache License 2.0", "identifier": env!("CARGO_PKG_LICENSE") },
        },
        "tags": tags,
        "paths": paths(&groups),
        "components": components::components(shapes),
    })
}

const ABOUT: &str = "One HTTP API for every third-party API. Ids are UUIDs, times ISO 8601 in UTC. Every answer \
    carries `x-request-id`. What a token cannot see is 404, what it may not do is 403. With the admin token, calls \
    about an environment name it by `environment_id`, in the body or the query; an API token has its own.";

fn paths(groups: &[Group]) -> Map<String, Value> {
    let mut paths = Map::new();
    for group in groups {
        for operation in &group.operations {
            let methods = paths
                .entry(operation.path)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(methods) = methods {
                let method = operation.method.to_ascii_lowercase();
                methods.insert(method, operation.written(group.tag));
            }
        }
    }
    paths
}
