//! The calls that were made.

use super::operation::{Group, Operation};
use super::shapes::{Shapes, uuid};
use crate::api::admin::log::FIELDS;
use crate::flows::account_object::log_line::LogLine;

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let line = shapes.answered::<LogLine>();
    let list = Operation::new("GET", "/log", "listLog", "Lists the calls of an account")
        .in_environment()
        .parameter(serde_json::json!({
            "name": "integrated_account_id", "in": "query", "required": true, "description": "Whose.", "schema": uuid(),
        }))
        .lists(&FIELDS, &line);
    Group {
        tag: "log",
        about: "One line for each call of the data plane, newest first: no value of a query, no header, no body.",
        operations: vec![list],
    }
}
