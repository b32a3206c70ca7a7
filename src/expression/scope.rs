//! What each template and expression may see: one constructor per scope of an
//! integration file. [`SCOPES`] is the same in words; `docs/scopes.md` is written
//! from it, and the tests below hold the two together.

use crate::json::Path;

mod expression;
mod template;

pub use expression::ExpressionScope;
pub(super) use expression::ScopeInput;
pub use template::{TemplateScope, Withheld};

/// One row of the scopes table in the docs.
#[derive(Debug)]
pub struct ScopeRow {
    /// What `causeway eval --scope` calls it; `None` for placeholders, which `causeway render` fills.
    pub name: Option<&'static str>,
    /// The keys of the integration file that are read in this scope.
    pub used_by: &'static str,
    /// What can be named, in the order of the docs.
    pub roots: &'static [&'static str],
    /// What the reader has to know beyond the names.
    pub note: &'static str,
}

/// The scopes, in the order of the docs.
pub const SCOPES: &[ScopeRow] = &[
    ScopeRow {
        name: None,
        used_by: "every `{{placeholder}}`",
        roots: TEMPLATE_ROOTS,
        note: "each key of `context` also bare; a root wins over a context key of the same name; `credentials` is `context`; `access_token` is `oauth.token.access_token` unless the context has its own; `public_context` is `context` without its secrets, `public_variables` is `environment_variables` without the secret ones; `sync` only in `syncs`",
    },
    ScopeRow {
        name: Some("response"),
        used_by: "`error_expression`, `rate_limit.*`, `syncs.*.checkpoint`",
        roots: &[
            "response",
            "body",
            "data",
            "headers",
            "status",
            "status_code",
        ],
        note: "`response`, `body` and `data` are the parsed body, absent where a good answer streams; header names are lower-case",
    },
    ScopeRow {
        name: Some("authorization"),
        used_by: "`authorization.config.expression`",
        roots: &["url", "requestOptions", "context"],
        note: "`requestOptions` is `{method, headers, body, canonicalQuery}`; `canonicalQuery` is the query sorted by name and value, each encoded by RFC 3986",
    },
    ScopeRow {
        name: Some("first-page"),
        used_by: "`pagination.config.get_initial_pagination_values_expression`",
        roots: &["query", "url", "requestOptions"],
        note: "before the first page",
    },
    ScopeRow {
        name: Some("next-page"),
        used_by: "`pagination.config.get_pagination_values_expression`, `…get_cursor_from_response_expression`",
        roots: &[
            "query",
            "url",
            "requestOptions",
            "response",
            "body",
            "headers",
            "paginationValues",
        ],
        note: "after a page; `response` is the parsed body",
    },
    ScopeRow {
        name: Some("webhook"),
        used_by: "every expression of `webhook`",
        roots: &[
            "body",
            "headers",
            "query",
            "method",
            "context",
            "challenge_hmac",
            "body_sha256",
        ],
        note: "`context` only on an account's URL; `challenge_hmac` only in `handle_verification`, where the file has a `challenge`; `body_sha256`, of the raw body in hex, only in `event_id`",
    },
    ScopeRow {
        name: Some("batch"),
        used_by: "`loop_on`, `run_if` of `POST /batch-request`",
        roots: &["resources", "args"],
        note: "`resources` has the results of the nodes before, by their names: arrays",
    },
    ScopeRow {
        name: Some("step"),
        used_by: "`actions`, `custom_token`: `transform`, `update_context` and the other steps, `run_if`, `ok_when`, `token.*`; `syncs`: `map`, `deletions.expression`",
        roots: &["$previous", "$context", "$headers"],
        note: "the result of the step before, or the record of a sync, is also the root; `$headers` are those of the last answer, with lower-case names; `$context` has no secrets: only placeholders of requests have",
    },
];

/// The names a placeholder may start with, besides the keys of the context.
/// A credential field may not be named like one of them.
pub const TEMPLATE_ROOTS: &[&str] = &[
    "context",
    "credentials",
    "id",
    "query",
    "body",
    "pagination",
    "integration",
    "environment_variables",
    "public_context",
    "public_variables",
    "sync",
];

/// The key of the context a placeholder's path reads, if it reads one:
/// `context.a.b` and `a.b` both read `a`.
pub fn context_key(path: &Path) -> Option<&str> {
    match path.first()? {
        "context" | "credentials" | "public_context" => path.parts().get(1).map(String::as_str),
        root if TEMPLATE_ROOTS.contains(&root) => None,
        key => Some(key),
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpressionScope, SCOPES, ScopeInput};
    use serde_json::json;

    fn names(scope: &ExpressionScope) -> Vec<String> {
        let roots = match &scope.input {
            ScopeInput::Roots(roots) => roots.iter().map(|(name, _)| (*name).to_owned()).collect(),
            ScopeInput::Value(_) => Vec::new(),
        };
        let variables = scope.variables.iter().map(|(name, _)| format!("${name}"));
        roots.into_iter().chain(variables).collect()
    }

    #[test]
    fn each_constructor_gives_the_roots_its_row_names() {
        let v = json!({});
        let scopes = [
            ExpressionScope::response(&v, &v, 200),
            ExpressionScope::authorization("", &v, &v),
            ExpressionScope::first_page(&v, "", &v),
            ExpressionScope::next_page(&v, "", &v, (&v, &v), &v),
            ExpressionScope::webhook(&v, &v, &v, "POST", Some(&v))
                .with_challenge_hmac(&v)
                .with_body_sha256(&v),
            ExpressionScope::batch(&v, &v),
            ExpressionScope::step(&v, &v).with_answer_headers(&v),
        ];
        for (row, scope) in SCOPES.iter().skip(1).zip(&scopes) {
            assert_eq!(names(scope), row.roots, "{}", row.used_by);
        }
        assert_eq!(SCOPES.len(), scopes.len() + 1);
    }
}
