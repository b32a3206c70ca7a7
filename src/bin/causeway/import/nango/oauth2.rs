//! OAuth 2.0: the authorization code and the client credentials grant.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::draft::{ClientOwner, Draft, Impossible, Stage};
use super::interpolation::Interpolation;
use super::mode::AuthMode;
use super::names::Origin;
use super::params::put;
use super::url_pieces::UrlPieces;

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
    super::params::add(draft, &mut config, is_client)?;
    if draft.definition.is_set("disable_pkce") && !is_client {
        config.insert("pkce".to_owned(), json!(false));
    }
    add_metadata(draft, &mut config);
    super::deviations::add(draft, &mut config)?;
    Ok((
        if is_client {
            "oauth2_client_credentials"
        } else {
            "oauth2"
        },
        config,
    ))
}

/// Values that come with the token or with the callback are not typed in.
fn note_filled(draft: &mut Draft) {
    for path in draft.definition.list("token_response_metadata") {
        let key = draft.names.key(Origin::Config, path);
        draft.filled.insert(key);
    }
    for name in draft.definition.list("redirect_uri_metadata") {
        let key = draft.names.key(Origin::Config, name);
        if draft.words.knows(Word::CallbackBeforeExchange) {
            draft.filled_before.insert(key.clone());
        }
        draft.filled.insert(key);
    }
}

/// A client at a server of the customer's is the customer's: nothing of the operator's goes to an open host.
fn set_owner(draft: &mut Draft) {
    let mut probe = super::hosts::HostPlan::of(draft.definition);
    let urls = [
        draft.definition.text("authorization_url"),
        draft.definition.token_url(),
        draft.definition.text("refresh_url"),
    ];
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
    if let Some(separator) = draft
        .definition
        .value("scope_separator")
        .and_then(Value::as_str)
    {
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

pub(super) fn add_scope(draft: &mut Draft, config: &mut Map<String, Value>) {
    let scopes = draft.definition.list("default_scopes");
    if !scopes.is_empty() {
        config.insert("scope".to_owned(), json!(scopes));
    }
}

/// What the token and the callback put into the context.
fn add_metadata(draft: &mut Draft, config: &mut Map<String, Value>) {
    for (key, list) in [
        ("contextFromToken", "token_response_metadata"),
        ("contextFromCallback", "redirect_uri_metadata"),
    ] {
        let paths = draft.definition.list(list).into_iter();
        let entries = paths.map(|path| (draft.names.key(Origin::Config, path), json!(path)));
        let entries: Map<String, Value> = entries.collect();
        put(config, key, entries);
    }
}
