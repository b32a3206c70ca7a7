//! One call of the API, and how it is written down.

use serde_json::{Map, Value, json};

use super::shapes::words_of;
use crate::api::query::Field;
use crate::api::rights::{Right, needed};
use crate::api::route::Route;
use crate::flows::records::TokenScope;

/// The calls about one noun.
pub(super) struct Group {
    /// What they are called together.
    pub(super) tag: &'static str,
    /// What the noun is.
    pub(super) about: &'static str,
    /// In the order of the document.
    pub(super) operations: Vec<Operation>,
}

/// One call. Who may make it and what refuses everybody comes from its route.
pub(super) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: Vec<Value>,
    /// Schemas of path parameters that are no ids of ours.
    words: Vec<(&'static str, Value)>,
    body: Option<Value>,
    answers: Map<String, Value>,
    refusals: Vec<u16>,
    refused: Refused,
}

/// Who refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// We do, with a status for each code.
    ByUs,
    /// The provider, too, and then with any status.
    ByProvider,
    /// The answers say it all.
    AsAnswered,
}

impl Operation {
    pub(super) fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            parameters: Vec::new(),
            words: Vec::new(),
            body: None,
            answers: Map::new(),
            refusals: Vec::new(),
            refused: Refused::ByUs,
        }
    }

    /// A parameter of the path that is no UUID.
    pub(super) fn word(mut self, name: &'static str, schema: Value) -> Self {
        self.words.push((name, schema));
        self
    }

    pub(super) fn query(self, name: &str, about: &str, schema: &Value) -> Self {
        self.parameter(
            json!({ "name": name, "in": "query", "description": about, "schema": schema }),
        )
    }

    pub(super) fn header(self, name: &str, about: &str, schema: &Value) -> Self {
        self.parameter(
            json!({ "name": name, "in": "header", "description": about, "schema": schema }),
        )
    }

    pub(super) fn parameter(mut self, parameter: Value) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// It is about an environment: an API token's own, or the one that is named.
    pub(super) fn in_environment(self) -> Self {
        let about = "The environment, with the admin token.";
        let schema = json!({ "type": "string", "format": "uuid" });
        self.query("environment_id", about, &schema)
            .refuses(&[404, 422])
    }

    /// It takes a JSON body.
    pub(super) fn takes(self, schema: &Value) -> Self {
        let body =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        self.takes_body(body).refuses(&[413, 422])
    }

    /// The same, and the body may be absent.
    pub(super) fn may_take(self, schema: &Value) -> Self {
        let body = json!({ "content": { "application/json": { "schema": schema } } });
        self.takes_body(body).refuses(&[413, 422])
    }

    pub(super) fn takes_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// It answers this JSON.
    pub(super) fn answers(self, status: &str, about: &str, schema: &Value) -> Self {
        let content = json!({ "application/json": { "schema": schema } });
        self.answers_with(status, about, &content)
    }

    pub(super) fn answers_with(mut self, status: &str, about: &str, content: &Value) -> Self {
        let headers = json!({ "x-request-id": { "$ref": "#/components/headers/RequestId" } });
        let answer = json!({ "description": about, "headers": headers, "content": content });
        self.answers.insert(status.to_owned(), answer);
        self
    }

    /// It answers a list of these, and takes the parameters of lists.
    pub(super) fn lists(self, fields: &[Field], record: &Value) -> Self {
        let mut listing = self.list_parameters();
        for (name, schema) in fields.iter().flat_map(Field::documented) {
            listing = listing.query(&name, "Only those.", &schema);
        }
        let list = json!({
            "type": "object",
            "properties": {
                "result": { "type": "array", "items": record },
                "next_cursor": { "type": ["string", "null"], "description": "Where to go on; null at the end." },
                "limit": { "type": "integer" },
            },
            "required": ["result", "next_cursor", "limit"],
        });
        listing.answers("200", "A piece of the list.", &list)
    }

    pub(super) fn list_parameters(self) -> Self {
        self.query(
            "limit",
            "At most so many; more than 1,000 are never given.",
            &json!({ "type": "integer", "minimum": 1, "default": 100 }),
        )
        .query(
            "next_cursor",
            "Goes on where an answer ended.",
            &json!({ "type": "string" }),
        )
    }

    /// It answers 200 `{id}`.
    pub(super) fn deletes(self, id: &Value) -> Self {
        let schema = json!({ "type": "object", "properties": { "id": id }, "required": ["id"] });
        self.answers("200", "It is gone.", &schema)
    }

    /// Also these statuses, by us.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    /// A provider is asked on the way, and its refusal keeps its status.
    pub(super) fn asks_provider(self) -> Self {
        Self {
            refused: Refused::ByProvider,
            ..self
        }
    }

    /// No other answers than those that are listed.
    pub(super) fn answers_no_more(self) -> Self {
        Self {
            refused: Refused::AsAnswered,
            ..self
        }
    }

    /// The operation as the document has it.
    pub(super) fn written(&self, tag: &str, route: &Route) -> Value {
        let right = needed(route);
        let mut written = json!({
            "operationId": self.id,
            "tags": [tag],
            "summary": self.summary,
            "security": security(right, route),
        });
        let parameters: Vec<Value> = self
            .path_parameters()
            .chain(self.parameters.iter().cloned())
            .collect();
        if let Value::Object(fields) = &mut written {
            if !parameters.is_empty() {
                fields.insert("parameters".to_owned(), Value::Array(parameters));
            }
            if let Some(body) = &self.body {
                fields.insert("requestBody".to_owned(), body.clone());
            }
            fields.insert("responses".to_owned(), self.responses(right));
        }
        written
    }

    fn path_parameters(&self) -> impl Iterator<Item = Value> {
        words_of(self.path).map(|name| {
            let own = self.words.iter().find(|(word, _)| *word == name);
            let schema = own.map_or_else(
                || json!({ "type": "string", "format": "uuid" }),
                |(_, schema)| schema.clone(),
            );
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
    }

    fn responses(&self, right: Right) -> Value {
        let mut responses = self.answers.clone();
        let mut refuse = |status: &str, name: &str| {
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.entry(status).or_insert(reference);
        };
        match self.refused {
            Refused::AsAnswered => {}
            Refused::ByProvider => {
                refuse("4XX", "Refused");
                refuse("5XX", "Failed");
            }
            Refused::ByUs => {
                for status in self.refused_by_us(right) {
                    refuse(&status.to_string(), &format!("Status{status}"));
                }
            }
        }
        Value::Object(responses)
    }

    fn refused_by_us(&self, right: Right) -> Vec<u16> {
        let mut statuses = vec![400, 500, 503];
        statuses.extend(&self.refusals);
        if right != Right::Open {
            statuses.extend([401, 403, 429]);
        }
        if self.path.contains('{') {
            statuses.push(404);
        }
        statuses.sort_unstable();
        statuses.dedup();
        statuses
    }
}

/// Any one of these tokens; nothing for what is open.
fn security(right: Right, route: &Route) -> Value {
    match right {
        Right::Open => json!([]),
        Right::AdminToken => json!([{ "adminToken": [] }]),
        Right::AccountToken => json!([{ "accountToken": [] }]),
        Right::Scope(scope) => {
            let mut either = vec![
                json!({ "adminToken": [] }),
                json!({ "apiToken": [TokenScope::Admin] }),
            ];
            if scope != TokenScope::Admin {
                either.push(json!({ "apiToken": [scope] }));
            }
            if matches!(route, Route::Call(_) | Route::Action(_)) {
                either.push(json!({ "accountToken": [] }));
            }
            Value::Array(either)
        }
    }
}
