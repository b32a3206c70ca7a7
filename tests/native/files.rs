//! Integration files of made-up providers. A test writes what its story is about; the rest is here.

use causeway::json;
use serde_json::{Value, json};

/// A provider that is called with an API key.
pub fn with_key(name: &str, config: &Value) -> Value {
    let fields = json!([{ "name": "api_key", "type": "password" }]);
    let base = json!({ "credentials": { "api_key": { "format": "api_key", "config": { "fields": fields } } } });
    file(name, base, config)
}

/// A provider that is called with a token of OAuth, by an authorization code.
pub fn with_oauth(name: &str, config: &Value) -> Value {
    let auth =
        json!({ "tokenHost": host(name), "authorizePath": "/authorize", "tokenPath": "/token" });
    let client = json!({ "id": "our-id", "secret": "our-secret" });
    let base = json!({
        "credentials": { "oauth2": { "format": "oauth2", "config": { "client": client, "auth": auth } } },
        "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token}}" } },
    });
    file(name, base, config)
}

fn host(name: &str) -> String {
    format!("https://api.{name}.example")
}

fn file(name: &str, mut base: Value, config: &Value) -> Value {
    base["base_url"] = json!(host(name));
    json::merge(&mut base, config);
    json!({ "name": name, "config": base })
}
