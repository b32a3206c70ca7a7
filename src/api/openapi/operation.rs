//! One call of the API, as its noun's file tells it.

use serde_json::{Map, Value, json};

use crate::api::query::Field;

/// What an answer of the data plane says of the provider's limit.
pub(super) const LIMITS: [(&str, &str); 4] = [
    ("ratelimit-limit", "RateLimitLimit"),
    ("ratelimit-remaining", "RateLimitRemaining"),
    ("ratelimit-reset", "RateLimitReset"),
    ("retry-after", "RetryAfter"),
];
/// Whether it was given before.
pub(super) const REPLAYED: (&str, &str) = ("idempotency-replayed", "IdempotencyReplayed");

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
    pub(super) id: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) parameters: Vec<Value>,
    /// Schemas of path parameters that are no ids of ours.
    pub(super) words: Vec<(&'static str, Value)>,
    pub(super) body: Option<Value>,
    pub(super) answers: Map<String, Value>,
    /// Header fields of its answers, by what the document calls them.
    pub(super) fields: Vec<(&'static str, &'static str)>,
    pub(super) refusals: Vec<u16>,
    pub(super) refused: Refused,
}

/// Who refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// We do, with a status for each code.
    ByUs,
    /// The provider, too, and then with any status.
    ByProvider,
    /// The same, of a call of the data plane.
    InCall,
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
            description: None,
            parameters: Vec::new(),
            words: Vec::new(),
            body: None,
            answers: Map::new(),
            fields: Vec::new(),
            refusals: Vec::new(),
            refused: Refused::ByUs,
        }
    }

    /// What else there is to know.
    pub(super) fn describes(self, about: &'static str) -> Self {
        Self {
            description: Some(about),
            ..self
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
        self.takes_body(body).refuses(&[408, 413, 422])
    }

    /// The same, and the body may be absent.
    pub(super) fn may_take(self, schema: &Value) -> Self {
        let body = json!({ "content": { "application/json": { "schema": schema } } });
        self.takes_body(body).refuses(&[408, 413, 422])
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
        let headers = json!({ "x-request-id": header("RequestId") });
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

    /// It is a call of the data plane: its answers say what is known of the provider's limit.
    pub(super) fn calls(mut self) -> Self {
        self.fields.extend(LIMITS);
        Self {
            refused: Refused::InCall,
            ..self
        }
    }

    /// Its answers may have this header field; the document calls it so.
    pub(super) fn answers_field(mut self, (name, component): (&'static str, &'static str)) -> Self {
        self.fields.push((name, component));
        self
    }

    /// No other answers than those that are listed.
    pub(super) fn answers_no_more(self) -> Self {
        Self {
            refused: Refused::AsAnswered,
            ..self
        }
    }
}

/// A header field that stands among the components.
pub(super) fn header(component: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{component}") })
}

/// Adds header fields to an answer.
pub(super) fn add_fields(answer: &mut Value, fields: &[(&'static str, &'static str)]) {
    if let Some(Value::Object(headers)) = answer.get_mut("headers") {
        let fields = fields.iter();
        headers.extend(fields.map(|(name, component)| ((*name).to_owned(), header(component))));
    }
}
