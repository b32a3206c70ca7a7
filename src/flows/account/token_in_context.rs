//! The OAuth token in the context, where templates find it.

use serde_json::{Value, json};

use crate::json;

/// Sets `oauth.token` of a context.
pub(in crate::flows) fn with_token(context: &mut Value, token: &Value) {
    if let Some(oauth) = context.get_mut("oauth").and_then(Value::as_object_mut) {
        oauth.shift_remove("token");
    }
    json::merge(context, &json!({ "oauth": { "token": token } }));
}
