//! What placeholders are filled from.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::json::Path;
use crate::json::exact::{self, Exact};

/// Variables that are secret and must not be used here, each with what it is called where it is written.
pub type Withheld = BTreeMap<String, String>;

/// What placeholders are filled from. Borrows everything: the context of an
/// account is not copied for a request.
#[derive(Debug, Clone, Copy)]
pub struct TemplateScope<'a> {
    context: &'a Value,
    id: Option<&'a Value>,
    query: Option<&'a Value>,
    body: Option<&'a Value>,
    /// Whether `body` is the inside of an [`Exact`].
    is_exact: bool,
    pagination: Option<&'a Value>,
    integration: Option<&'a Value>,
    environment_variables: Option<&'a Value>,
    public_context: Option<&'a Value>,
    public_variables: Option<&'a Value>,
    sync: Option<&'a Value>,
    withheld: Option<&'a Withheld>,
}

impl<'a> TemplateScope<'a> {
    /// A scope over an account's whole context, secrets included.
    pub fn new(context: &'a Value) -> Self {
        Self {
            context,
            id: None,
            query: None,
            body: None,
            is_exact: false,
            pagination: None,
            integration: None,
            environment_variables: None,
            public_context: None,
            public_variables: None,
            sync: None,
            withheld: None,
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
            is_exact: false,
            ..self
        }
    }

    /// The same with each number as it was written.
    #[must_use]
    pub fn with_exact_body(self, body: &'a Exact) -> Self {
        Self {
            body: Some(body.inside()),
            is_exact: true,
            ..self
        }
    }

    /// A value that [`Self::lookup`] gave for this path, as a part of an [`Exact`].
    pub(in crate::expression) fn inside<'v>(
        &self,
        path: &Path,
        value: &'v Value,
    ) -> Cow<'v, Value> {
        if self.is_exact && path.first() == Some("body") {
            Cow::Borrowed(value)
        } else {
            exact::inside_of(value)
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

    /// Adds the public half of the context, and the variables that are not secret.
    #[must_use]
    pub fn with_public(self, context: &'a Value, variables: &'a Value) -> Self {
        Self {
            public_context: Some(context),
            public_variables: Some(variables),
            ..self
        }
    }

    /// Adds what a sync knows of its runs: `{since, checkpoint, args, parent}`.
    #[must_use]
    pub fn with_sync(self, sync: &'a Value) -> Self {
        Self {
            sync: Some(sync),
            ..self
        }
    }

    /// Names the variables that must not be used.
    #[must_use]
    pub fn without(self, withheld: &'a Withheld) -> Self {
        Self {
            withheld: Some(withheld),
            ..self
        }
    }

    /// The withheld variable that `path` would read, as it is called where it is written.
    pub fn withheld(&self, path: &Path) -> Option<&'a str> {
        let all = self.withheld?;
        let ("environment_variables", parts) = (path.first()?, path.parts().get(1..)?) else {
            return None;
        };
        if parts.is_empty() {
            return all.values().next().map(String::as_str);
        }
        // A key may have dots in it.
        let mut names = (1..=parts.len()).filter_map(|count| parts.get(..count));
        names.find_map(|parts| all.get(&parts.join(".")).map(String::as_str))
    }

    /// The value at `path`. Roots win over context keys of the same name, also
    /// where the root has no value.
    pub fn lookup(&self, path: &Path) -> Option<&'a Value> {
        let root = match path.first()? {
            "context" | "credentials" => return self.in_context(path, 1),
            "id" => self.id,
            "query" => self.query,
            "body" => self.body,
            "pagination" => self.pagination,
            "integration" => self.integration,
            "environment_variables" => self.environment_variables,
            "public_context" => return path.lookup_by_parts(self.public_context?, 1),
            "public_variables" => self.public_variables,
            "sync" => self.sync,
            _ => return self.in_context(path, 0),
        };
        path.lookup_rest(root?)
    }

    /// By its parts alone: a context is judged by its top-level keys, so a key with a dot must not be read as a path.
    fn in_context(&self, path: &Path, below: usize) -> Option<&'a Value> {
        let found = path.lookup_by_parts(self.context, below);
        let parts = path.parts().get(below..);
        if found.is_none() && matches!(parts, Some([only]) if only == "access_token") {
            return self.context.get("oauth")?.get("token")?.get("access_token");
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::TemplateScope;
    use crate::expression::scope::TEMPLATE_ROOTS;
    use serde_json::{Value, json};

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
    fn no_key_of_a_context_with_a_dot_stands_for_a_path() {
        let context = json!({ "server": { "url": "home" }, "server.url": "evil", "a.b": 1, "oauth.token.access_token": "x",
            "context.server.url": "evil", "environment_variables.a": 2 });
        for root in ["", "context.", "credentials."] {
            assert_eq!(
                lookup(&context, &format!("{root}server.url")),
                Some(json!("home"))
            );
            assert_eq!(lookup(&context, &format!("{root}a.b")), None);
            assert_eq!(
                lookup(&context, &format!("{root}oauth.token.access_token")),
                None
            );
        }
        assert_eq!(lookup(&context, "environment_variables.a"), None);
        let public = json!({});
        let scope = TemplateScope::new(&public).with_public(&context, &public);
        let path = "public_context.a.b".parse().unwrap();
        assert_eq!(scope.lookup(&path), None);
        let body = json!({ "@odata.nextLink": "n" });
        let path = "body.@odata.nextLink".parse().unwrap();
        assert_eq!(scope.with_body(&body).lookup(&path), Some(&json!("n")));
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
