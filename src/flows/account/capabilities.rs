//! What can be asked: the resources of a file, their methods, the scopes each needs; of an account also whether it has
//! them, as far as its token says what was granted.

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::config::resource::Method;
use crate::config::{self, Config, Credential};
use crate::error::{Code, Failure};
use crate::flows::base::records::IntegrationRecord;
use crate::proxy::is_read;

/// What the account's token says of itself; of `Nobody` it is not asked.
pub(in crate::flows) enum Holder<'a> {
    /// A file without an account.
    Nobody,
    /// An account, and its granted scopes where they are known.
    Account(&'a Account, Option<Vec<String>>),
}

/// The resources of a stored file.
pub fn of_record(record: &IntegrationRecord) -> Result<Value, Failure> {
    let (config, _) = config::read_config(&record.config);
    let words = "The integration has mistakes: POST /integration/validate shows them.";
    let config = config.ok_or_else(|| Failure::new(Code::BadIntegration, words))?;
    Ok(resources(&config, &Holder::Nobody))
}

/// The scopes its OAuth token was granted (RFC 6749 §5.1); nothing where nobody said.
pub(in crate::flows) fn granted(
    config: &Config,
    account: &Account,
    context: &Value,
) -> Option<Vec<String>> {
    let text = context.get("oauth")?.get("token")?.get("scope")?.as_str()?;
    let credential = config.credential(&account.authentication_method);
    let oauth = credential.and_then(Credential::oauth);
    let separator = oauth.map_or(" ", |oauth| oauth.options.scope_separator.as_str());
    // Some are asked with a comma and answer with a space, or the other way round.
    let separated = text.split(|c: char| c.is_whitespace() || c == ',' || separator.contains(c));
    let scopes = separated.filter(|scope| !scope.is_empty());
    Some(scopes.map(str::to_owned).collect())
}

/// Those needed that were not granted.
pub(in crate::flows) fn missing(needed: &[String], granted: &[String]) -> Vec<String> {
    let lacks = |scope: &&String| !granted.contains(scope);
    needed.iter().filter(lacks).cloned().collect()
}

/// The resources of `config` with their methods, and what the holder may call of them.
pub(in crate::flows) fn resources(config: &Config, holder: &Holder) -> Value {
    let resources = config.resources.iter().map(|(name, methods)| {
        let methods = methods
            .iter()
            .map(|(name, method)| (name.clone(), shown(method, holder)));
        let methods: Map<String, Value> = methods.collect();
        let tags = config.tool_tags.get(name).cloned().unwrap_or_default();
        (
            name.clone(),
            json!({ "methods": methods, "tool_tags": tags }),
        )
    });
    Value::Object(resources.collect())
}

fn shown(method: &Method, holder: &Holder) -> Value {
    let is_write = !is_read(&method.method.0);
    let mut shown = json!({
        "method": method.method.0.as_str(),
        "path": method.path.source(),
        "is_write": is_write,
        "scopes": method.scopes,
        "description": method.description,
        "api_documentation_url": method.api_documentation_url,
    });
    let Holder::Account(account, granted) = holder else {
        return shown;
    };
    let missing = granted
        .as_ref()
        .map(|granted| missing(&method.scopes, granted));
    let is_refused = is_write && account.is_sandbox;
    let is_allowed = match &missing {
        _ if is_refused => Some(false),
        _ if method.scopes.is_empty() => Some(true),
        missing => missing.as_ref().map(Vec::is_empty),
    };
    if let Some(fields) = shown.as_object_mut() {
        fields.insert("missing_scopes".to_owned(), json!(missing));
        fields.insert("is_allowed".to_owned(), json!(is_allowed));
    }
    shown
}
