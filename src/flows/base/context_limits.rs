//! The limits of tenant ids and contexts.

use serde_json::Value;

use crate::account::keys::{self, Dotted};
use crate::error::Failure;
use crate::json;
use crate::settings::{CONTEXT_BYTES, CONTEXT_VALUES};

const MAX_TENANT_CHARS: usize = 255;

/// 1 to 255 characters.
pub fn check_tenant(tenant_id: &str) -> Result<(), Failure> {
    if tenant_id.is_empty() || tenant_id.chars().count() > MAX_TENANT_CHARS {
        return Err(Failure::invalid(
            "tenant_id",
            format!("needs 1 to {MAX_TENANT_CHARS} characters"),
        ));
    }
    Ok(())
}

/// Checks a patch of a context: an object within the size of a context, without dots in its keys.
pub fn check_patch(patch: &Value) -> Result<(), Failure> {
    check_context(patch)?;
    keys::check_all(patch).map_err(dotted)
}

/// Checks a whole context: an object of at most [`CONTEXT_BYTES`].
pub fn check_context(context: &Value) -> Result<(), Failure> {
    if !context.is_object() {
        return Err(Failure::invalid("context", "is not an object"));
    }
    if json::length(context) > CONTEXT_BYTES {
        return Err(context_too_large(CONTEXT_BYTES));
    }
    if json::is_more(context, CONTEXT_VALUES) {
        let message = format!("has more than {CONTEXT_VALUES} values");
        return Err(Failure::invalid("context", message));
    }
    Ok(())
}

/// 422 for a key with a dot in it.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
pub fn dotted(key: Dotted) -> Failure {
    Failure::invalid("context", key.to_string())
}

/// 422 for a context of more than `most` bytes.
pub fn context_too_large(most: usize) -> Failure {
    Failure::invalid("context", format!("is over {most} bytes as JSON"))
}
