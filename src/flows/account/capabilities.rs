//! The resources of an integration file, their methods and the scopes that each needs. For an account also whether it
//! has these scopes, as far as its OAuth token names the granted ones.

use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::config::resource::Method;
use crate::config::{self, Config, Credential};
use crate::error::{Code, Failure};
use crate::flows::base::records::IntegrationRecord;
use crate::proxy::is_read;

/// For whom the capabilities are listed.
pub(in crate::flows) enum Holder<'a> {
    File,
    /// An account, and its granted scopes where the token endpoint named them.
    Account(&'a Account, Option<Vec<String>>),
}

pub fn of_record(record: &IntegrationRecord) -> Result<Value, Failure> {
    let (config, _) = config::read_config(&record.config);
    let message = "The integration file has errors. POST /integration/validate lists them.";
    let config = config.ok_or_else(|| Failure::new(Code::BadIntegration, message))?;
    Ok(resources(&config, &Holder::File))
}

/// The scopes that the account's OAuth token was granted (RFC 6749 §5.1). `None` where the token endpoint did not name
/// them.
pub(in crate::flows) fn granted(
    config: &Config,
    account: &Account,
    context: &Value,
) -> Option<Vec<String>> {
    let text = context.get("oauth")?.get("token")?.get("scope")?.as_str()?;
    let credential = config.credential(&account.authentication_method);
    let oauth = credential.and_then(Credential::oauth);
    let separator = oauth.map_or(" ", |oauth| oauth.options.scope_separator.as_str());
    // Some providers expect commas in the request and answer with spaces, or the reverse.
    let separated = text.split(|c: char| c.is_whitespace() || c == ',' || separator.contains(c));
    let scopes = separated.filter(|scope| !scope.is_empty());
    Some(scopes.map(str::to_owned).collect())
}

pub(in crate::flows) fn missing(needed: &[String], granted: &[String]) -> Vec<String> {
    let lacks = |scope: &&String| !granted.contains(scope);
    needed.iter().filter(lacks).cloned().collect()
}

/// The resources of `config` with their methods. For an account each method also says whether it may be called.
pub(in crate::flows) fn resources(config: &Config, holder: &Holder) -> Value {
    let resources = config.resources.iter().map(|(name, methods)| {
        let methods = methods
            .iter()
            .map(|(name, method)| (name.clone(), method_view(method, holder)));
        let methods: Map<String, Value> = methods.collect();
        let tags = config.tool_tags.get(name).cloned().unwrap_or_default();
        (
            name.clone(),
            json!({ "methods": methods, "tool_tags": tags }),
        )
    });
    Value::Object(resources.collect())
}

fn method_view(method: &Method, holder: &Holder) -> Value {
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
