//! One definition as one integration file.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::words::Words;
use super::definition::Definition;
use super::draft::{Draft, Impossible};
use super::mode::AuthMode;
use super::{custom_token, jwt, later, oauth2, paging, params, verification};

/// What came of a definition.
pub struct Converted {
    pub file: Value,
    pub losses: BTreeSet<String>,
    pub notes: BTreeSet<String>,
}

/// Converts a definition with the words that are known.
pub fn convert(definition: &Definition, words: &Words) -> Result<Converted, Impossible> {
    check_name(&definition.name)?;
    if definition.is_set("require_client_certificate") {
        return Err("mTLS: a certificate of the client's".to_owned());
    }
    let keys = definition.object("integration_config");
    if keys.is_some_and(|keys| keys.contains_key("keyName")) {
        return Err(
            "integration_config: the request is configured outside the definition".to_owned(),
        );
    }
    let mut draft = Draft::new(definition, words);
    add_head(&mut draft);
    let (format, credential) = credential(&mut draft)?;
    let mut credentials = Map::new();
    credentials.insert(
        format.to_owned(),
        json!({ "format": format, "config": credential }),
    );
    draft
        .config
        .insert("credentials".to_owned(), Value::Object(credentials));
    draft.add_requests()?;
    add_actions(&mut draft);
    if let Some(limit) = paging::rate_limit(&mut draft) {
        draft.config.insert("rate_limit".to_owned(), limit);
    }
    if let Some(pagination) = paging::pagination(&mut draft) {
        draft.config.insert("pagination".to_owned(), pagination);
    }
    add_fields(&mut draft, format);
    add_hosts(&mut draft);
    add_custom(&mut draft);
    add_notes(&mut draft);
    let mut file = Map::new();
    file.insert("name".to_owned(), json!(definition.name));
    if let Some(category) = category(definition) {
        file.insert("category".to_owned(), json!(category));
    }
    file.insert("config".to_owned(), Value::Object(draft.config));
    Ok(Converted {
        file: Value::Object(file),
        losses: draft.losses,
        notes: draft.notes,
    })
}

/// The name is the file's, too.
fn check_name(name: &str) -> Result<(), Impossible> {
    let is_slug = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || name.len() > 200 || name.starts_with('-') || !name.bytes().all(is_slug) {
        return Err("name: it has more than lower-case letters, digits and hyphens".to_owned());
    }
    Ok(())
}

fn category(definition: &Definition) -> Option<&str> {
    let categories = definition.list("categories").into_iter();
    categories.into_iter().find(|one| *one != "popular")
}

fn add_head(draft: &mut Draft) {
    let definition = draft.definition;
    let name = definition.text("display_name").unwrap_or(&definition.name);
    draft.config.insert("label".to_owned(), json!(name));
    for (key, own) in [("x-docs", "docs"), ("x-setup", "setup_guide_url")] {
        if let Some(url) = definition.text(own) {
            draft.config.insert(key.to_owned(), json!(url));
        }
    }
}

/// How an account is connected, and its format.
fn credential(draft: &mut Draft) -> Result<(&'static str, Map<String, Value>), Impossible> {
    match draft.mode.clone() {
        AuthMode::ClientCredentials if params::other_grant(draft, "token_params").is_some() => {
            Ok(("custom_token", custom_token::of_grant(draft)?))
        }
        AuthMode::OAuth2 | AuthMode::ClientCredentials => oauth2::credential(draft),
        AuthMode::Custom => {
            draft.lose("app token: only the user's token is had");
            oauth2::credential(draft)
        }
        AuthMode::TwoStep => Ok(("custom_token", custom_token::settings(draft)?)),
        AuthMode::App => Ok(("custom_token", jwt::app(draft)?)),
        AuthMode::SignedToken => {
            let jwt = jwt::settings(draft)?.ok_or("token: the definition has none")?;
            Ok(("jwt", Map::from_iter([("jwt".to_owned(), jwt)])))
        }
        AuthMode::OAuth1 | AuthMode::TokenBased => Ok(("oauth", later::oauth1(draft)?)),
        AuthMode::McpOAuth2 | AuthMode::McpGeneric => later::mcp(draft),
        AuthMode::ApiKey
        | AuthMode::Basic
        | AuthMode::Nothing
        | AuthMode::Signature
        | AuthMode::AwsSigV4 => Ok(("api_key", Map::new())),
        AuthMode::Coded(mode) if mode.is_empty() => {
            Err("auth_mode: the definition has none".to_owned())
        }
        AuthMode::Coded(mode) => Err(format!("auth_mode {mode}: its requests are code, not data")),
    }
}

fn add_actions(draft: &mut Draft) {
    if let Some(validation) = verification::action(draft) {
        let actions = json!({ "validation": validation });
        draft.config.insert("actions".to_owned(), actions);
    }
}

fn add_fields(draft: &mut Draft, format: &str) {
    let fields = draft.fields();
    let config = draft.config.get_mut("credentials");
    let config = config.and_then(|own| own.pointer_mut(&format!("/{format}/config")));
    if let Some(config) = config.and_then(Value::as_object_mut) {
        config.insert("fields".to_owned(), Value::Array(fields));
    }
}

fn add_hosts(draft: &mut Draft) {
    let Some(hosts) = draft.hosts.list() else {
        return;
    };
    let open = draft.hosts.open.iter();
    for value in open {
        draft.notes.insert(format!(
            "any host may be called: {value} decides; is the server the customer's own?"
        ));
    }
    if draft.hosts.open.is_empty() {
        draft
            .notes
            .insert(format!("hosts are pinned to {}", hosts.join(", ")));
    }
    draft
        .config
        .insert("allowed_hosts".to_owned(), json!(hosts));
}

/// The catalogue's product sends any path; where a variable is sent, the file has to say so.
fn add_custom(draft: &mut Draft) {
    let sent = ["headers", "query", "authorization", "body"].iter();
    let mut sent = sent.filter_map(|key| draft.config.get(*key));
    if sent.any(|value| value.to_string().contains("environment_variables.")) {
        draft.config.insert("custom".to_owned(), json!(true));
    }
}

/// Keys that name code of the catalogue's product, and what to write in its place.
const CODE: [(&str, &str); 4] = [
    ("post_connection_script", "`actions.post_install`"),
    ("credentials_verification_script", "`actions.validation`"),
    (
        "pre_connection_deletion_script",
        "a call before an account is deleted",
    ),
    ("webhook_routing_script", "`webhook`"),
];

fn add_notes(draft: &mut Draft) {
    for (key, place) in CODE {
        if let Some(name) = draft.definition.text(key) {
            draft.notes.insert(format!(
                "{key} `{name}` is code of the catalogue's product: write {place}"
            ));
        }
    }
}
