//! OAuth 2.0: the authorization code and the client credentials grant.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::draft::{ClientOwner, Draft, Impossible, Stage};
use super::hosts::UrlPieces;
use super::interpolation::Interpolation;
use super::mode::AuthMode;
use super::names::{Origin, context_key};
use super::template::Place;

/// Parameters that the gateway sets itself.
const SET_BY_GATEWAY: [&str; 7] = [
    "client_id", "client_secret", "code", "code_verifier", "redirect_uri", "refresh_token", "state",
];
/// Grants that the gateway names itself.
const GRANTS: [&str; 3] = ["authorization_code", "client_credentials", "refresh_token"];

/// The credential of a definition, and its format.
pub fn credential(draft: &mut Draft) -> Result<(&'static str, Map<String, Value>), Impossible> {
    note_filled(draft);
    set_owner(draft);
    let mut config = Map::new();
    let is_client = draft.mode == AuthMode::ClientCredentials;
    let auth = endpoints(draft, is_client)?;
    let client = client(draft);
    config.insert("client".to_owned(), client);
    config.insert("auth".to_owned(), auth);
    config.insert("options".to_owned(), options(draft)?);
    add_scope(draft, &mut config);
    add_params(draft, &mut config, is_client)?;
    if draft.definition.is_set("disable_pkce") && !is_client {
        config.insert("pkce".to_owned(), json!(false));
    }
    add_metadata(draft, &mut config);
    add_exchange(draft, &mut config)?;
    Ok((if is_client { "oauth2_client_credentials" } else { "oauth2" }, config))
}

/// Values that come with the token or with the callback are not typed in.
fn note_filled(draft: &mut Draft) {
    for path in draft.definition.list("token_response_metadata") {
        draft.filled.insert(key_of(draft, path));
    }
    for name in draft.definition.list("redirect_uri_metadata") {
        let key = key_of(draft, name);
        if draft.words.knows(Word::CallbackBeforeExchange) {
            draft.filled_before.insert(key.clone());
        }
        draft.filled.insert(key);
    }
}

fn key_of(draft: &Draft, path: &str) -> String {
    if draft.names.is_declared(Origin::Config, path) {
        draft.names.key(Origin::Config, path)
    } else {
        context_key(path)
    }
}

/// A client at a server of the customer's is the customer's: nothing of the operator's goes to an open host.
fn set_owner(draft: &mut Draft) {
    let mut probe = super::hosts::HostPlan::of(draft.definition);
    let urls = [draft.definition.text("authorization_url"), draft.definition.token_url(), draft.definition.text("refresh_url")];
    for url in urls.into_iter().flatten() {
        if super::rewrite::rewritten(url).is_none() {
            for alternative in &Interpolation::parse(url).alternatives {
                probe.pin(&UrlPieces::of(alternative), draft.definition);
            }
        }
    }
    if !probe.open.is_empty() {
        draft.owner = ClientOwner::Account;
    }
}

fn client(draft: &Draft) -> Value {
    match draft.owner {
        ClientOwner::Operator => json!({
            "id": "{{environment_variables.client_id}}", "secret": "{{environment_variables.client_secret}}"
        }),
        ClientOwner::Account => json!({ "id": "{{client_id}}", "secret": "{{client_secret}}" }),
    }
}

fn endpoints(draft: &mut Draft, is_client: bool) -> Result<Value, Impossible> {
    let mut auth = Map::new();
    if !is_client {
        match draft.definition.text("authorization_url") {
            Some(url) => {
                let url = draft.url(url, Stage::Exchange)?;
                auth.insert("authorizeUrl".to_owned(), json!(url));
            }
            None => draft.lose("authorization_url: accounts can be imported and not connected"),
        }
    }
    let Some(url) = draft.definition.token_url() else {
        return Err("token_url: the definition has none".to_owned());
    };
    let url = draft.url(url, Stage::Exchange)?;
    auth.insert("tokenUrl".to_owned(), json!(url));
    if let Some(url) = draft.definition.text("refresh_url") {
        let url = draft.url(url, Stage::Call)?;
        auth.insert("refreshUrl".to_owned(), json!(url));
    }
    Ok(Value::Object(auth))
}

fn options(draft: &mut Draft) -> Result<Value, Impossible> {
    let mut options = Map::new();
    if let Some(separator) = draft.definition.value("scope_separator").and_then(Value::as_str) {
        options.insert("scopeSeparator".to_owned(), json!(separator));
    }
    let format = match draft.definition.text("body_format") {
        None | Some("form") => "form",
        Some("json") => "json",
        Some("query") if draft.words.knows(Word::QueryBody) => "query",
        Some("query") => return Err(format!("{}: token requests", Word::QueryBody.name())),
        Some(other) => return Err(format!("body_format: `{other}` of token requests")),
    };
    options.insert("bodyFormat".to_owned(), json!(format));
    let method = match draft.definition.text("token_request_auth_method") {
        Some("basic") => "header",
        Some("private_key_jwt") if draft.words.knows(Word::PrivateKeyJwt) => "private_key_jwt",
        Some("private_key_jwt") => return Err(Word::PrivateKeyJwt.name().to_owned()),
        _ if draft.definition.text("authorization_method") == Some("header") => "header",
        _ => "body",
    };
    options.insert("authorizationMethod".to_owned(), json!(method));
    if method == "header" && draft.words.knows(Word::CredentialsEncoding) {
        options.insert("credentialsEncoding".to_owned(), json!("raw"));
    }
    Ok(Value::Object(options))
}

fn add_scope(draft: &mut Draft, config: &mut Map<String, Value>) {
    let scopes = draft.definition.list("default_scopes");
    if !scopes.is_empty() {
        config.insert("scope".to_owned(), json!(scopes));
    }
}

fn add_params(draft: &mut Draft, config: &mut Map<String, Value>, is_client: bool) -> Result<(), Impossible> {
    if !is_client {
        let params = parameters(draft, "authorization_params", "the authorization request")?;
        put(config, "params", params);
    }
    if let Some(grant) = other_grant(draft, "token_params") {
        return Err(format!("grant: `{grant}` in the token request"));
    }
    let mut params = parameters(draft, "token_params", "the token request")?;
    if draft.definition.text("token_request_auth_method") == Some("custom") && is_client {
        let mut client = json!({ "idParamName": "username", "secretParamName": "password" });
        if let (Some(own), Some(names)) = (config.get_mut("client").and_then(Value::as_object_mut), client.as_object_mut()) {
            own.append(names);
        }
    }
    if is_client {
        // The grant's own parameters are those of each later token, too.
        put(config, "tokenParams", params);
        return Ok(());
    }
    params.remove("code");
    put(config, "tokenParams", params);
    let key = if draft.definition.object("refresh_params").is_some() { "refresh_params" } else { "refresh_token_params" };
    if let Some(grant) = other_grant(draft, key) {
        draft.lose(format!("grant: `{grant}` in the refresh request"));
    } else {
        let params = parameters(draft, key, "the refresh request")?;
        put(config, "refreshParams", params);
    }
    Ok(())
}

fn put(config: &mut Map<String, Value>, key: &str, params: Map<String, Value>) {
    if !params.is_empty() {
        config.insert(key.to_owned(), Value::Object(params));
    }
}

pub fn other_grant(draft: &Draft, key: &str) -> Option<String> {
    let grant = draft.definition.object(key)?.get("grant_type")?.as_str()?;
    (!GRANTS.contains(&grant)).then(|| grant.to_owned())
}

/// Parameters of a request, without those that the gateway sets.
fn parameters(draft: &mut Draft, key: &str, request: &str) -> Result<Map<String, Value>, Impossible> {
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

/// What the token and the callback put into the context.
fn add_metadata(draft: &mut Draft, config: &mut Map<String, Value>) {
    for (key, list) in [
        ("contextFromToken", "token_response_metadata"),
        ("contextFromCallback", "redirect_uri_metadata"),
    ] {
        let paths = draft.definition.list(list).into_iter();
        let entries = paths.map(|path| (key_of(draft, path), json!(path)));
        let entries: Map<String, Value> = entries.collect();
        put(config, key, entries);
    }
}

/// Where the exchange leaves RFC 6749.
fn add_exchange(draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
    let definition = draft.definition;
    add_token_headers(draft, config)?;
    if definition.text("expires_in_unit").is_some() {
        if draft.words.knows(Word::ExpiresInUnit) {
            config.insert("expires_in_unit".to_owned(), json!("milliseconds"));
        } else {
            draft.lack(Word::ExpiresInUnit, "milliseconds");
        }
    }
    if let Some(name) = definition.text("authorization_code_param_in_callback") {
        if draft.words.knows(Word::CodeParam) {
            config.insert("codeParam".to_owned(), json!(name));
        } else {
            draft.lack(Word::CodeParam, "accounts can be imported and not connected");
        }
    }
    if let Some(fragment) = definition.text("authorization_url_fragment") {
        if draft.words.knows(Word::AuthorizeFragment) {
            config.insert("authorizeFragment".to_owned(), json!(fragment));
        } else {
            draft.lack(Word::AuthorizeFragment, "accounts can be imported and not connected");
        }
    }
    add_param_names(draft, config);
    if let Some(path) = definition.text("alternate_access_token_response_path") {
        if draft.mode == AuthMode::McpOAuth2 {
            config.insert("tokenResponsePath".to_owned(), json!(path));
        } else {
            draft.lose(format!("alternate_access_token_response_path: `{path}`"));
        }
    }
    if definition.text("authorization_code_param_in_webhook").is_some() {
        draft.lose("code by webhook: accounts can be imported and not connected");
    }
    for key in ["authorization_url_skip_encode", "token_url_skip_encode"] {
        if !definition.list(key).is_empty() {
            draft.notes.insert(format!("{key}: parameters are percent-encoded, as RFC 6749 says"));
        }
    }
    Ok(())
}

fn add_token_headers(draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
    let headers = draft.definition.entries("token_headers").into_iter();
    let is_default = |name: &str| ["accept", "content-type"].iter().any(|own| own.eq_ignore_ascii_case(name));
    let headers: Vec<_> = headers.filter(|(name, _)| !is_default(name)).collect();
    if headers.is_empty() {
        return Ok(());
    }
    if !draft.words.knows(Word::TokenHeaders) {
        return Err(format!("{}: the token request", Word::TokenHeaders.name()));
    }
    let mut map = Map::new();
    for (name, text) in headers {
        let text = draft.template(&text, Place::Entry, Stage::Exchange);
        map.insert(name.to_owned(), json!(text.map_err(|unsaid| unsaid.reason())?));
    }
    config.insert("tokenHeaders".to_owned(), Value::Object(map));
    Ok(())
}

/// Parameters of the authorization request that have another name.
fn add_param_names(draft: &mut Draft, config: &mut Map<String, Value>) {
    let names = draft.definition.entries("authorization_url_replacements").into_iter();
    let names: Map<String, Value> = names
        .map(|(name, other)| {
            let name = name.trim_end_matches('=').to_owned();
            let other = other.trim_end_matches('=').to_owned();
            (name, if other.is_empty() { Value::Null } else { json!(other) })
        })
        .collect();
    if names.is_empty() {
        return;
    }
    let known = ["response_type", "client_id", "scope", "redirect_uri", "state"];
    let is_known = names.keys().all(|name| known.contains(&name.as_str()));
    if draft.words.knows(Word::AuthorizeParamNames) && is_known {
        config.insert("authorizeParamNames".to_owned(), Value::Object(names));
        return;
    }
    // Servers ignore a parameter that they do not know.
    let is_superfluous = names.len() == 1 && names.get("response_type") == Some(&Value::Null);
    if !is_superfluous {
        draft.lack(Word::AuthorizeParamNames, "accounts can be imported and not connected");
    }
}
