//! An operation as the document has it.

use serde_json::{Value, json};

use super::operation::{Operation, RefusedBy, add_fields};
use super::shapes::{parameters_of, uuid};
use crate::api::rights::Right;
use crate::flows::base::records::TokenScope;

impl Operation {
    /// The operation as the document has it.
    pub(super) fn written(&self, tag: &str) -> Value {
        let mut written = json!({
            "operationId": self.id,
            "tags": [tag],
            "summary": self.summary,
            "security": security(self.right),
        });
        let parameters: Vec<Value> = self
            .path_parameters()
            .chain(self.parameters.iter().cloned())
            .collect();
        if let Value::Object(fields) = &mut written {
            if !parameters.is_empty() {
                fields.insert("parameters".to_owned(), Value::Array(parameters));
            }
            if let Some(about) = self.description {
                fields.insert("description".to_owned(), json!(about));
            }
            if let Some(body) = &self.body {
                fields.insert("requestBody".to_owned(), body.clone());
            }
            fields.insert("responses".to_owned(), self.responses());
        }
        written
    }

    fn path_parameters(&self) -> impl Iterator<Item = Value> {
        parameters_of(self.path).map(|name| {
            let own = self.of_path.iter().find(|(own, _)| *own == name);
            let schema = own.map_or_else(uuid, |(_, schema)| schema.clone());
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
    }

    fn responses(&self) -> Value {
        let mut responses = self.answers.clone();
        for answer in responses.values_mut() {
            add_fields(answer, &self.fields);
        }
        let mut refuse = |status: &str, name: &str| {
            let reference = json!({ "$ref": format!("#/components/responses/{name}") });
            responses.entry(status).or_insert(reference);
        };
        match self.refused {
            RefusedBy::AsAnswered => {}
            RefusedBy::ByProvider => {
                refuse("4XX", "Refused");
                refuse("5XX", "Failed");
            }
            RefusedBy::InCall => {
                refuse("4XX", "CallRefused");
                refuse("5XX", "CallFailed");
            }
            RefusedBy::ByGateway => {
                for status in self.refused_by_gateway() {
                    refuse(&status.to_string(), &format!("Status{status}"));
                }
            }
        }
        Value::Object(responses)
    }

    fn refused_by_gateway(&self) -> Vec<u16> {
        let mut statuses = vec![400, 500, 503];
        statuses.extend(&self.refusals);
        if self.right != Right::Open {
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
fn security(right: Right) -> Value {
    match right {
        Right::Open => json!([]),
        Right::AdminToken => json!([{ "adminToken": [] }]),
        Right::AccountToken => json!([{ "accountToken": [] }]),
        Right::Scope(scope) => Value::Array(with_scope(scope)),
        Right::ReadOrAccountToken => {
            let mut either = with_scope(TokenScope::Read);
            either.push(json!({ "accountToken": [] }));
            Value::Array(either)
        }
        Right::Call => {
            let mut either = with_scope(TokenScope::Proxy);
            either.push(json!({ "accountToken": [] }));
            Value::Array(either)
        }
    }
}

fn with_scope(scope: TokenScope) -> Vec<Value> {
    let mut either = vec![
        json!({ "adminToken": [] }),
        json!({ "apiToken": [TokenScope::Admin] }),
    ];
    if scope != TokenScope::Admin {
        either.push(json!({ "apiToken": [scope] }));
    }
    either
}
