//! An account as lists show it.

use serde_json::{Value, json};

use super::integrated_account::shown;
use super::pick;
use super::webhook_url::WebhookUrls;
use crate::flows::directory::list_accounts::AccountInList;
use crate::ports::Outside;

/// What an index knows of an account.
pub(in crate::api) const KNOWN: [&str; 7] = [
    "id",
    "tenant_id",
    "environment_integration_id",
    "status",
    "region",
    "is_sandbox",
    "created_at",
];

/// An account whose object gave no answer has an `error` in place of what only the object knows.
pub(super) fn in_list(urls: &WebhookUrls<'_, impl Outside>, account: &AccountInList) -> Value {
    let (entry, failure) = match account {
        AccountInList::Whole(view) => return shown(urls, view),
        AccountInList::IndexOnly(entry, failure) => (entry.as_ref(), failure),
    };
    let mut known = pick(entry, &KNOWN);
    if let Value::Object(fields) = &mut known {
        let error = json!({ "code": failure.code.as_str(), "message": failure.message });
        fields.insert(
            "integration".to_owned(),
            json!({ "name": entry.integration_name }),
        );
        fields.insert("error".to_owned(), error);
    }
    urls.of_account(entry.id, known)
}
