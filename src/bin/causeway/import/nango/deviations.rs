//! Where a definition's exchange of a code or a refresh leaves RFC 6749.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::draft::{Draft, Impossible, Stage};
use super::mode::AuthMode;
use super::template::Place;

/// Writes the keys for them. One that this version does not have is a loss.
pub fn add(draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
    let definition = draft.definition;
    add_token_headers(draft, config)?;
    if definition.text("expires_in_unit") == Some("milliseconds") {
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
            draft.lack(
                Word::CodeParam,
                "accounts can be imported and not connected",
            );
        }
    }
    if let Some(fragment) = definition.text("authorization_url_fragment") {
        if draft.words.knows(Word::AuthorizeFragment) {
            config.insert("authorizeFragment".to_owned(), json!(fragment));
        } else {
            draft.lack(
                Word::AuthorizeFragment,
                "accounts can be imported and not connected",
            );
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
    if definition
        .text("authorization_code_param_in_webhook")
        .is_some()
    {
        draft.lose("code by webhook: accounts can be imported and not connected");
    }
    for key in ["authorization_url_skip_encode", "token_url_skip_encode"] {
        if !definition.list(key).is_empty() {
            draft.notes.insert(format!(
                "{key}: parameters are percent-encoded, as RFC 6749 says"
            ));
        }
    }
    Ok(())
}

fn add_token_headers(draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
    let headers = draft.definition.entries("token_headers").into_iter();
    let is_default = |name: &str| {
        ["accept", "content-type"]
            .iter()
            .any(|own| own.eq_ignore_ascii_case(name))
    };
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
        map.insert(
            name.to_owned(),
            json!(text.map_err(|unsaid| unsaid.reason())?),
        );
    }
    config.insert("tokenHeaders".to_owned(), Value::Object(map));
    Ok(())
}

/// Parameters of the authorization request that have another name.
fn add_param_names(draft: &mut Draft, config: &mut Map<String, Value>) {
    let names = draft
        .definition
        .entries("authorization_url_replacements")
        .into_iter();
    let names: Map<String, Value> = names
        .map(|(name, other)| {
            let name = name.trim_end_matches('=').to_owned();
            let other = other.trim_end_matches('=').to_owned();
            (
                name,
                if other.is_empty() {
                    Value::Null
                } else {
                    json!(other)
                },
            )
        })
        .collect();
    if names.is_empty() {
        return;
    }
    let known = [
        "response_type",
        "client_id",
        "scope",
        "redirect_uri",
        "state",
    ];
    let is_known = names.keys().all(|name| known.contains(&name.as_str()));
    if draft.words.knows(Word::AuthorizeParamNames) && is_known {
        config.insert("authorizeParamNames".to_owned(), Value::Object(names));
        return;
    }
    // Servers ignore a parameter that they do not know.
    let is_superfluous = names.len() == 1 && names.get("response_type") == Some(&Value::Null);
    if !is_superfluous {
        draft.lack(
            Word::AuthorizeParamNames,
            "accounts can be imported and not connected",
        );
    }
}
