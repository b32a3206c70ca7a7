//! Extra parameters of authorization, token and refresh requests.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::draft::{Draft, Impossible, Stage};
use super::template::Place;

/// Parameters that the gateway sets itself.
const SET_BY_GATEWAY: [&str; 7] = [
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "redirect_uri",
    "refresh_token",
    "state",
];
/// Grants that the gateway names itself.
const GRANTS: [&str; 3] = ["authorization_code", "client_credentials", "refresh_token"];

/// Writes `params`, `tokenParams` and `refreshParams`.
pub fn add(
    draft: &mut Draft,
    config: &mut Map<String, Value>,
    is_client: bool,
) -> Result<(), Impossible> {
    if !is_client {
        let params = parameters(draft, "authorization_params", "the authorization request")?;
        put(config, "params", params);
    }
    if let Some(grant) = other_grant(draft, "token_params") {
        return Err(format!("grant: `{grant}` in the token request"));
    }
    let mut params = parameters(draft, "token_params", "the token request")?;
    if draft.definition.text("token_request_auth_method") == Some("custom")
        && is_client
        && let Some(client) = config.get_mut("client").and_then(Value::as_object_mut)
    {
        client.insert("idParamName".to_owned(), json!("username"));
        client.insert("secretParamName".to_owned(), json!("password"));
    }
    if is_client {
        // The grant's own parameters are those of each later token, too.
        put(config, "tokenParams", params);
        return Ok(());
    }
    params.remove("code");
    put(config, "tokenParams", params);
    let key = if draft.definition.object("refresh_params").is_some() {
        "refresh_params"
    } else {
        "refresh_token_params"
    };
    if let Some(grant) = other_grant(draft, key) {
        draft.lose(format!("grant: `{grant}` in the refresh request"));
    } else {
        let params = parameters(draft, key, "the refresh request")?;
        put(config, "refreshParams", params);
    }
    Ok(())
}

/// Writes a map that is not empty.
pub fn put(config: &mut Map<String, Value>, key: &str, params: Map<String, Value>) {
    if !params.is_empty() {
        config.insert(key.to_owned(), Value::Object(params));
    }
}

/// A grant that the gateway does not name itself.
pub fn other_grant(draft: &Draft, key: &str) -> Option<String> {
    let grant = draft.definition.object(key)?.get("grant_type")?.as_str()?;
    (!GRANTS.contains(&grant)).then(|| grant.to_owned())
}

/// Parameters of a request, without those that the gateway sets.
fn parameters(
    draft: &mut Draft,
    key: &str,
    request: &str,
) -> Result<Map<String, Value>, Impossible> {
    let Some(entries) = draft.definition.object(key) else {
        return Ok(Map::new());
    };
    let mut params = Map::new();
    for (name, value) in entries {
        let is_default = name == "grant_type" || (name == "response_type" && value == "code");
        if is_default || SET_BY_GATEWAY.contains(&name.as_str()) {
            continue;
        }
        let Some(text) = super::definition::scalar(value) else {
            draft.lose(format!("parameter: `{name}` of {request} is no text"));
            continue;
        };
        if text.trim() == "${random}" && draft.words.knows(Word::RandomParam) {
            params.insert(name.clone(), json!("{{random}}"));
            continue;
        }
        match draft.template(&text, Place::Entry, Stage::Exchange) {
            Ok(text) => drop(params.insert(name.clone(), json!(text))),
            Err(_) if text.contains("${random}") => draft.lack(Word::RandomParam, request),
            Err(unsaid) => return Err(unsaid.reason()),
        }
    }
    Ok(params)
}
