//! One call of the API, as its row of the route table describes it.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::shapes::{Shapes, text, uuid};
use crate::api::admin::answer::List;
use crate::api::query::{FilterField, Filtered};
use crate::api::rights::Right;

/// What an answer of the data plane says of the provider's limit.
pub(super) const LIMITS: [(&str, &str); 4] = [
    ("ratelimit-limit", "RateLimitLimit"),
    ("ratelimit-remaining", "RateLimitRemaining"),
    ("ratelimit-reset", "RateLimitReset"),
    ("retry-after", "RetryAfter"),
];
/// Whether the answer is that of an earlier request.
pub(super) const REPLAYED: (&str, &str) = ("idempotency-replayed", "IdempotencyReplayed");

/// The calls about one noun.
pub(in crate::api) struct Group {
    pub(super) tag: &'static str,
    pub(super) about: &'static str,
    /// In the order of the document.
    pub(in crate::api) operations: Vec<Operation>,
}

impl Group {
    pub(in crate::api) fn new(tag: &'static str, about: &'static str) -> Self {
        let operations = Vec::new();
        Self {
            tag,
            about,
            operations,
        }
    }
}

/// One call.
pub(in crate::api) struct Operation {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) id: String,
    pub(super) summary: &'static str,
    pub(super) right: Right,
    pub(super) description: Option<&'static str>,
    pub(super) parameters: Vec<Value>,
    /// The schemas of the path's parameters, by name.
    pub(super) of_path: Vec<(&'static str, Value)>,
    pub(super) body: Option<Value>,
    pub(super) answers: Map<String, Value>,
    /// Header fields of its answers, with their names among the components.
    pub(super) fields: Vec<(&'static str, &'static str)>,
    pub(super) refusals: Vec<u16>,
    pub(super) refused: RefusedBy,
}

/// Who refuses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusedBy {
    /// The gateway, with a status for each code.
    ByGateway,
    /// The provider, too, and then with any status.
    ByProvider,
    /// The same, of a call of the data plane.
    InCall,
    /// The answers include all refusals.
    AsAnswered,
}

impl Operation {
    /// An operation without parameters and answers. Its id is the name with a small first letter.
    pub(in crate::api) fn new(
        method: &'static str,
        path: &'static str,
        name: &'static str,
        right: Right,
        summary: &'static str,
    ) -> Self {
        let (first, rest) = name.split_at(1);
        Self {
            method,
            path,
            id: format!("{}{rest}", first.to_ascii_lowercase()),
            summary,
            right,
            description: None,
            parameters: Vec::new(),
            of_path: Vec::new(),
            body: None,
            answers: Map::new(),
            fields: Vec::new(),
            refusals: Vec::new(),
            refused: RefusedBy::ByGateway,
        }
    }

    /// It is about the gateway as a whole.
    pub(in crate::api) fn in_gateway(self) -> Self {
        self
    }

    /// It is about an environment: an API token's own, or the one that is named. An account token names its account.
    pub(in crate::api) fn in_environment(self) -> Self {
        if self.right == Right::AccountToken {
            return self;
        }
        let about = "The environment, with the admin token.";
        self.query("environment_id", about, &uuid())
            .refuses(&[404, 422])
    }

    pub(super) fn describes(self, about: &'static str) -> Self {
        Self {
            description: Some(about),
            ..self
        }
    }

    pub(super) fn refused(self, refused: RefusedBy) -> Self {
        Self { refused, ..self }
    }

    /// A parameter of the path that is no UUID.
    pub(in crate::api) fn parameter_of_path(mut self, name: &'static str, schema: Value) -> Self {
        self.of_path.push((name, schema));
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

    /// It takes a JSON body.
    pub(in crate::api) fn takes(self, schema: &Value) -> Self {
        let body =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
        self.takes_body(body).refuses(&[408, 413, 422])
    }

    /// The same, and the body may be absent.
    pub(in crate::api) fn may_take(self, schema: &Value) -> Self {
        let body = json!({ "content": { "application/json": { "schema": schema } } });
        self.takes_body(body).refuses(&[408, 413, 422])
    }

    pub(super) fn takes_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// It answers JSON of this type.
    pub(in crate::api) fn answers<T: JsonSchema>(self, status: u16, shapes: &mut Shapes) -> Self {
        let schema = shapes.answered::<T>();
        let about = shapes.about(&schema);
        self.answers_json(status, &about, &schema)
    }

    /// It answers JSON of this type: 201 when it is new, else 200.
    pub(in crate::api) fn saves<T: JsonSchema>(self, shapes: &mut Shapes) -> Self {
        let schema = shapes.answered::<T>();
        let about = shapes.about(&schema);
        self.answers_json(201, &format!("It is new. {about}"), &schema)
            .answers_json(200, &format!("It was there before. {about}"), &schema)
    }

    /// It answers a piece of a list, and takes the parameters of lists.
    pub(in crate::api) fn lists<T: Filtered + JsonSchema>(self, shapes: &mut Shapes) -> Self {
        let mut listing = self.list_parameters();
        for (name, schema) in T::FILTERS.iter().flat_map(FilterField::documented) {
            listing = listing.query(&name, "Only those.", &schema);
        }
        listing.answers::<List<T>>(200, shapes)
    }

    pub(super) fn list_parameters(self) -> Self {
        self.query(
            "limit",
            "At most so many; more than 1,000 are never given.",
            &json!({ "type": "integer", "minimum": 1, "default": 100 }),
        )
        .query("next_cursor", "Goes on where an answer ended.", &text())
    }

    fn answers_json(self, status: u16, about: &str, schema: &Value) -> Self {
        let content = json!({ "application/json": { "schema": schema } });
        self.answers_with(&status.to_string(), about, &content)
    }

    pub(super) fn answers_with(mut self, status: &str, about: &str, content: &Value) -> Self {
        let headers = json!({ "x-request-id": header("RequestId") });
        let answer = json!({ "description": about, "headers": headers, "content": content });
        self.answers.insert(status.to_owned(), answer);
        self
    }

    /// The gateway refuses with these statuses, too.
    pub(in crate::api) fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }

    /// It is a call of the data plane: its answers say what is known of the provider's limit.
    pub(super) fn calls(mut self) -> Self {
        self.fields.extend(LIMITS);
        self.refused(RefusedBy::InCall)
    }

    /// Its answers may have this header field, with its name among the components.
    pub(super) fn answers_field(mut self, (name, component): (&'static str, &'static str)) -> Self {
        self.fields.push((name, component));
        self
    }
}

/// A header field of the components.
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
