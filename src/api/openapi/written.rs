//! An operation as the document has it.

use serde_json::{Value, json};

use super::operation::{Operation, Refused, add_fields};
use super::shapes::words_of;
use crate::api::rights::{Right, needed, reserved};
use crate::api::route::Route;
use crate::flows::base::records::TokenScope;

impl Operation {
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
            let about = [self.description, reserved(route)];
            let about: Vec<&str> = about.into_iter().flatten().collect();
            if !about.is_empty() {
                fields.insert("description".to_owned(), json!(about.join(" ")));
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
        for answer in responses.values_mut() {
            add_fields(answer, &self.fields);
        }
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
            Refused::InCall => {
                refuse("4XX", "CallRefused");
                refuse("5XX", "CallFailed");
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
