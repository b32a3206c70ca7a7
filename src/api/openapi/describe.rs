//! What the types of a row do not say of its operation: the hooks of the route table.

use serde_json::{Value, json};

use super::operation::{Operation, RefusedBy};
use super::shapes::{text, uuid};
use crate::api::admin::log::LOG_TYPE;

/// A provider is asked in between, and its refusal keeps its status.
pub(in crate::api) fn asks_provider(operation: Operation) -> Operation {
    operation.refused(RefusedBy::ByProvider)
}

/// The part of an override that only the admin token may write. `Caller::writer` says who writes, `config::reserved` what is
/// such an entry.
pub(in crate::api) fn overrides(operation: Operation) -> Operation {
    operation.describes("Of an override, only the admin token may write what changes a host or what signs requests in, and what reads a secret.")
}

/// The version may be a header field.
pub(in crate::api) fn if_match(operation: Operation) -> Operation {
    let about = "The version it is meant for, where the body has none.";
    operation.header("if-match", about, &text())
}

/// The list is of an account where the query names one.
pub(in crate::api) fn may_name_account(operation: Operation) -> Operation {
    let about = "Its events; without it, the failed ones of the environment.";
    operation.query("integrated_account_id", about, &uuid())
}

/// Existing clients write the kind of log and its filters so.
pub(in crate::api) fn may_name_log_type(operation: Operation) -> Operation {
    let about = "The one log there is; may be left out.";
    operation
        .query("log_type", about, &json!({ "const": LOG_TYPE }))
        .describes("A filter `x` may also be written `log_type_filter[x]`, and so may `integrated_account_id`.")
}

/// The list is of the account that the query names.
pub(in crate::api) fn must_name_account(operation: Operation) -> Operation {
    let parameter: Value = json!({
        "name": "integrated_account_id", "in": "query", "required": true, "description": "The account.", "schema": uuid(),
    });
    operation.parameter(parameter)
}

/// Which tools are listed.
pub(in crate::api) fn filters_of_tools(operation: Operation) -> Operation {
    let flag = json!({ "enum": ["true", "false"], "default": "true" });
    operation
        .query(
            "methods",
            "`read`, `write` or names of methods, with commas.",
            &text(),
        )
        .query(
            "tags",
            "Tags of resources (`tool_tags`), with commas.",
            &text(),
        )
        .query("resources", "Names of resources, with commas.", &text())
        .query(
            "has_description",
            "`false`: methods without a `description`, too.",
            &flag,
        )
}
