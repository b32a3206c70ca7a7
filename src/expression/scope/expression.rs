//! What JSONata expressions see.

use std::borrow::Cow;

use serde_json::{Value, json};

/// What a JSONata expression sees: an input, and variables (`$name`).
#[derive(Debug, Clone)]
pub struct ExpressionScope<'a> {
    pub(in crate::expression) input: ScopeInput<'a>,
    pub(in crate::expression) variables: Vec<(&'static str, &'a Value)>,
}

/// The input of an expression.
#[derive(Debug, Clone)]
pub(in crate::expression) enum ScopeInput<'a> {
    /// An object made of these; the same reference twice is converted once.
    Roots(Vec<(&'static str, Cow<'a, Value>)>),
    /// A value as it is.
    Value(&'a Value),
}

impl<'a> ExpressionScope<'a> {
    /// `error_expression` and `rate_limit.*`. `headers` is an object with
    /// lower-case names.
    pub fn response(body: &'a Value, headers: &'a Value, status: u16) -> Self {
        let mut roots: Vec<_> = ["response", "body", "data"]
            .map(|name| (name, Cow::Borrowed(body)))
            .into();
        roots.extend(Self::head(headers, status));
        Self::roots(roots)
    }

    /// `error_expression` for an answer that streams: there is no body.
    pub fn streamed(headers: &'a Value, status: u16) -> Self {
        Self::roots(Self::head(headers, status).into())
    }

    fn head(headers: &'a Value, status: u16) -> [(&'static str, Cow<'a, Value>); 3] {
        [
            ("headers", Cow::Borrowed(headers)),
            ("status", Cow::Owned(json!(status))),
            ("status_code", Cow::Owned(json!(status))),
        ]
    }

    /// `authorization.config.expression`. `request` is `{method, headers, body, canonicalQuery}`.
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

    /// Adds what `webhook.challenge` gives, for `handle_verification`.
    #[must_use]
    pub fn with_challenge_hmac(mut self, code: &'a Value) -> Self {
        if let ScopeInput::Roots(roots) = &mut self.input {
            roots.push(("challenge_hmac", Cow::Borrowed(code)));
        }
        self
    }

    /// Adds the SHA-256 of the raw body, for `event_id`.
    #[must_use]
    pub fn with_body_sha256(mut self, hash: &'a Value) -> Self {
        if let ScopeInput::Roots(roots) = &mut self.input {
            roots.push(("body_sha256", Cow::Borrowed(hash)));
        }
        self
    }

    /// `loop_on` and `run_if` of a batch.
    pub fn batch(results: &'a Value, args: &'a Value) -> Self {
        Self::roots(vec![
            ("resources", Cow::Borrowed(results)),
            ("args", Cow::Borrowed(args)),
        ])
    }

    /// Action steps and `run_if`.
    pub fn step(previous: &'a Value, context: &'a Value) -> Self {
        Self {
            input: ScopeInput::Value(previous),
            variables: vec![("previous", previous), ("context", context)],
        }
    }

    /// Adds the header fields of the last answer, for action steps.
    #[must_use]
    pub fn with_answer_headers(mut self, headers: &'a Value) -> Self {
        self.variables.push(("headers", headers));
        self
    }

    fn roots(roots: Vec<(&'static str, Cow<'a, Value>)>) -> Self {
        Self {
            input: ScopeInput::Roots(roots),
            variables: Vec::new(),
        }
    }
}
