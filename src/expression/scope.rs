//! What each template and expression may see: one constructor per scope of
//! 3-config.md. [`SCOPES`] is the same in words; `docs/scopes.md` is written
//! from it, and the tests below hold the two together.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::json::Path;

/// One row of the scopes table in the docs.
#[derive(Debug)]
pub struct ScopeRow {
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
        used_by: "every `{{placeholder}}`",
        roots: TEMPLATE_ROOTS,
        note: "each key of `context` also bare; a root wins over a context key of the same name; `credentials` is `context`; `access_token` is `oauth.token.access_token` unless the context has its own",
    },
    ScopeRow {
        used_by: "`error_expression`, `rate_limit.*`",
        roots: &[
            "response",
            "body",
            "data",
            "headers",
            "status",
            "status_code",
        ],
        note: "`response`, `body` and `data` are the parsed body; header names are lower-case",
    },
    ScopeRow {
        used_by: "`authorization.config.expression`",
        roots: &["url", "requestOptions", "context"],
        note: "`requestOptions` is `{method, headers, body}`",
    },
    ScopeRow {
        used_by: "`pagination.config.get_initial_pagination_values_expression`",
        roots: &["query", "url", "requestOptions"],
        note: "before the first page",
    },
    ScopeRow {
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
        used_by: "every expression of `webhook`",
        roots: &["body", "headers", "query", "method", "context"],
        note: "`context` only on an account's URL",
    },
    ScopeRow {
        used_by: "`actions`: `transform`, `update_context` and the other steps, `run_if`",
        roots: &["$previous", "$context"],
        note: "the result of the step before is also the root",
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
];

/// The key of the context a placeholder's path reads, if it reads one:
/// `context.a.b` and `a.b` both read `a`.
pub fn context_key(path: &Path) -> Option<&str> {
    match path.first()? {
        "context" | "credentials" => path.parts().get(1).map(String::as_str),
        root if TEMPLATE_ROOTS.contains(&root) => None,
        key => Some(key),
    }
}

/// What placeholders are filled from. Borrows everything: the context of an
/// account is not copied for a request.
#[derive(Debug, Clone, Copy)]
pub struct TemplateScope<'a> {
    context: &'a Value,
    id: Option<&'a Value>,
    query: Option<&'a Value>,
    body: Option<&'a Value>,
    pagination: Option<&'a Value>,
    integration: Option<&'a Value>,
    environment_variables: Option<&'a Value>,
}

impl<'a> TemplateScope<'a> {
    /// A scope over an account's whole context, secrets included.
    pub fn new(context: &'a Value) -> Self {
        Self {
            context,
            id: None,
            query: None,
            body: None,
            pagination: None,
            integration: None,
            environment_variables: None,
        }
    }

    /// Adds the `{id}` of the caller's path.
    #[must_use]
    pub fn with_id(self, id: &'a Value) -> Self {
        Self {
            id: Some(id),
            ..self
        }
    }

    /// Adds the caller's query: an object of strings and arrays of strings.
    #[must_use]
    pub fn with_query(self, query: &'a Value) -> Self {
        Self {
            query: Some(query),
            ..self
        }
    }

    /// Adds the caller's parsed body.
    #[must_use]
    pub fn with_body(self, body: &'a Value) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// Adds the values of the pager.
    #[must_use]
    pub fn with_pagination(self, pagination: &'a Value) -> Self {
        Self {
            pagination: Some(pagination),
            ..self
        }
    }

    /// Adds the public facts of the integration: `{id, name, category}`.
    #[must_use]
    pub fn with_integration(self, integration: &'a Value) -> Self {
        Self {
            integration: Some(integration),
            ..self
        }
    }

    /// Adds the install's variables, secret ones merged in.
    #[must_use]
    pub fn with_environment_variables(self, variables: &'a Value) -> Self {
        Self {
            environment_variables: Some(variables),
            ..self
        }
    }

    /// The value at `path`. Roots win over context keys of the same name, also
    /// where the root has no value.
    pub fn lookup(&self, path: &Path) -> Option<&'a Value> {
        let root = match path.first()? {
            "context" | "credentials" => {
                return self.in_context(path.parts().get(1..)?, |value| path.lookup_rest(value));
            }
            "id" => self.id,
            "query" => self.query,
            "body" => self.body,
            "pagination" => self.pagination,
            "integration" => self.integration,
            "environment_variables" => self.environment_variables,
            _ => return self.in_context(path.parts(), |value| path.lookup(value)),
        };
        path.lookup_rest(root?)
    }

    fn in_context(
        &self,
        parts: &[String],
        lookup: impl Fn(&'a Value) -> Option<&'a Value>,
    ) -> Option<&'a Value> {
        let found = lookup(self.context);
        if found.is_none() && matches!(parts, [only] if only == "access_token") {
            return self.context.get("oauth")?.get("token")?.get("access_token");
        }
        found
    }
}

/// What a JSONata expression sees: an input, and variables (`$name`).
#[derive(Debug, Clone)]
pub struct ExpressionScope<'a> {
    pub(super) input: Input<'a>,
    pub(super) variables: Vec<(&'static str, &'a Value)>,
}

/// The input of an expression.
#[derive(Debug, Clone)]
pub(super) enum Input<'a> {
    /// An object made of these; the same reference twice is converted once.
    Roots(Vec<(&'static str, Cow<'a, Value>)>),
    /// A value as it is.
    Value(&'a Value),
}

impl<'a> ExpressionScope<'a> {
    /// `error_expression` and `rate_limit.*`. `headers` is an object with
    /// lower-case names.
    pub fn response(body: &'a Value, headers: &'a Value, status: u16) -> Self {
        Self::roots(vec![
            ("response", Cow::Borrowed(body)),
            ("body", Cow::Borrowed(body)),
            ("data", Cow::Borrowed(body)),
            ("headers", Cow::Borrowed(headers)),
            ("status", Cow::Owned(json!(status))),
            ("status_code", Cow::Owned(json!(status))),
        ])
    }

    /// `authorization.config.expression`. `request` is `{method, headers, body}`.
    pub fn authorization(url: &str, request: &'a Value, context: &'a Value) -> Self {
        Self::roots(vec![
            ("url", Cow::Owned(json!(url))),
            ("requestOptions", Cow::Borrowed(request)),
            ("context", Cow::Borrowed(context)),
        ])
    }

    /// `dynamic` pagination before the first page.
    pub fn first_page(query: &'a Value, url: &str, request: &'a Value) -> Self {
        Self::roots(vec![
            ("query", Cow::Borrowed(query)),
            ("url", Cow::Owned(json!(url))),
            ("requestOptions", Cow::Borrowed(request)),
        ])
    }

    /// `dynamic` pagination after a page: `first_page`'s roots and the page.
    pub fn next_page(
        query: &'a Value,
        url: &str,
        request: &'a Value,
        page: (&'a Value, &'a Value),
        values: &'a Value,
    ) -> Self {
        let (body, headers) = page;
        Self::roots(vec![
            ("query", Cow::Borrowed(query)),
            ("url", Cow::Owned(json!(url))),
            ("requestOptions", Cow::Borrowed(request)),
            ("response", Cow::Borrowed(body)),
            ("body", Cow::Borrowed(body)),
            ("headers", Cow::Borrowed(headers)),
            ("paginationValues", Cow::Borrowed(values)),
        ])
    }

    /// Every expression of `webhook`. `context` is that of the account, absent
    /// on an install's URL.
    pub fn webhook(
        body: &'a Value,
        headers: &'a Value,
        query: &'a Value,
        method: &str,
        context: Option<&'a Value>,
    ) -> Self {
        let mut roots = vec![
            ("body", Cow::Borrowed(body)),
            ("headers", Cow::Borrowed(headers)),
            ("query", Cow::Borrowed(query)),
            ("method", Cow::Owned(json!(method))),
        ];
        roots.extend(context.map(|context| ("context", Cow::Borrowed(context))));
        Self::roots(roots)
    }

    /// Action steps and `run_if`.
    pub fn step(previous: &'a Value, context: &'a Value) -> Self {
        Self {
            input: Input::Value(previous),
            variables: vec![("previous", previous), ("context", context)],
        }
    }

    fn roots(roots: Vec<(&'static str, Cow<'a, Value>)>) -> Self {
        Self {
            input: Input::Roots(roots),
            variables: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ExpressionScope, Input, SCOPES, TEMPLATE_ROOTS, TemplateScope};
    use serde_json::{Value, json};

    fn names(scope: &ExpressionScope) -> Vec<String> {
        let roots = match &scope.input {
            Input::Roots(roots) => roots.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Input::Value(_) => Vec::new(),
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
            ExpressionScope::webhook(&v, &v, &v, "POST", Some(&v)),
            ExpressionScope::step(&v, &v),
        ];
        for (row, scope) in SCOPES.iter().skip(1).zip(&scopes) {
            assert_eq!(names(scope), row.roots, "{}", row.used_by);
        }
        assert_eq!(SCOPES.len(), scopes.len() + 1);
    }

    fn lookup(context: &Value, path: &str) -> Option<Value> {
        let (id, query) = (json!("7"), json!({"q": "x"}));
        let scope = TemplateScope::new(context).with_id(&id).with_query(&query);
        scope.lookup(&path.parse().unwrap()).cloned()
    }

    #[test]
    fn roots_win_over_context_keys_even_when_they_have_no_value() {
        let context = json!({"id": "own", "body": "own", "name": "n", "context": {"x": 1}});
        assert_eq!(lookup(&context, "id"), Some(json!("7")));
        assert_eq!(lookup(&context, "context.id"), Some(json!("own")));
        assert_eq!(lookup(&context, "body"), None);
        assert_eq!(lookup(&context, "query.q"), Some(json!("x")));
        assert_eq!(lookup(&context, "name"), Some(json!("n")));
        assert_eq!(lookup(&context, "context"), Some(context.clone()));
        for root in TEMPLATE_ROOTS.iter().skip(5) {
            assert_eq!(lookup(&json!({*root: 1}), root), None, "{root}");
        }
    }

    #[test]
    fn access_token_is_the_oauth_one_unless_the_context_has_its_own() {
        let oauth = json!({"oauth": {"token": {"access_token": "t"}}});
        let own = json!({"access_token": "own", "oauth": {"token": {"access_token": "t"}}});
        for path in [
            "access_token",
            "context.access_token",
            "credentials.access_token",
        ] {
            assert_eq!(lookup(&oauth, path), Some(json!("t")), "{path}");
            assert_eq!(lookup(&own, path), Some(json!("own")), "{path}");
            assert_eq!(lookup(&json!({}), path), None, "{path}");
        }
        assert_eq!(lookup(&oauth, "oauth.token.access_token"), Some(json!("t")));
    }
}
