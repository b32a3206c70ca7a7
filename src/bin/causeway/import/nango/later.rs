//! Credentials and authorizations that are none of OAuth 2.0's: signatures of requests, OAuth 1.0a, MCP servers.

use causeway::config::credentials::Registration;
use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::definition::Definition;
use super::draft::{Draft, Impossible, Stage};
use super::interpolation::{Interpolation, Piece, split};
use super::mode::AuthMode;
use super::template::Place;

/// The authorization of a mode or header that signs each request; `None` for all others.
pub fn authorization<'h>(
    draft: &mut Draft,
    headers: impl Iterator<Item = &'h str>,
) -> Result<Option<Value>, Impossible> {
    match draft.mode {
        AuthMode::OAuth1 | AuthMode::TokenBased => {
            if !draft.words.knows(Word::Oauth1Signature) {
                return Err(format!(
                    "{}: requests are signed",
                    Word::Oauth1Signature.name()
                ));
            }
            return Ok(Some(match draft.mode {
                AuthMode::OAuth1 => json!({ "format": "oauth1" }),
                _ => json!({ "format": "oauth1", "config": {
                    "token": "{{token_id}}", "token_secret": "{{token_secret}}",
                } }),
            }));
        }
        AuthMode::Signature if draft.words.knows(Word::Hash) => {
            return Ok(Some(
                json!({ "format": "header", "config": { "expression": WSSE } }),
            ));
        }
        AuthMode::Signature => {
            return Err(format!("{}: WSSE", Word::Hash.name()));
        }
        AuthMode::AwsSigV4 if draft.words.knows(Word::AwsSigV4) => {
            draft.lose("assumed role: an access key is typed in");
            return Ok(Some(json!({ "format": "aws_sigv4", "config": {
                "access_key_id": "{{access_key_id}}", "secret_access_key": "{{secret_access_key}}",
                "region": "{{region}}", "service": "{{service}}",
            } })));
        }
        AuthMode::AwsSigV4 => {
            return Err(format!("{}: requests are signed", Word::AwsSigV4.name()));
        }
        _ => {}
    }
    for text in headers {
        let own = Interpolation::parse(text);
        if let [Piece::Call { function, .. }] = own.first()
            && function == "awsSigV4"
        {
            return sigv4(draft, text).map(Some);
        }
    }
    Ok(None)
}

/// A digest of a nonce, the time and the password; the digest is encoded from its hex.
const WSSE: &str = "( $nonce := $string($random()); $created := $now(); { \"x-wsse\": \"UsernameToken Username=\\\"\" & context.`username` & \"\\\", PasswordDigest=\\\"\" & $base64encode($hash(\"sha1\", $nonce & $created & context.`password`, \"hex\")) & \"\\\", Nonce=\\\"\" & $nonce & \"\\\", Created=\\\"\" & $created & \"\\\"\" } )";

/// `${awsSigV4(id, secret, region, service, host)}`
fn sigv4(draft: &mut Draft, text: &str) -> Result<Value, Impossible> {
    if !draft.words.knows(Word::AwsSigV4) {
        return Err(format!("{}: requests are signed", Word::AwsSigV4.name()));
    }
    let inner = text.trim().strip_prefix("${awsSigV4(");
    let inner = inner.and_then(|text| text.strip_suffix(")}"));
    let arguments: Vec<&str> = inner.map(|text| split(text, ",")).unwrap_or_default();
    let [id, secret, region, service, ..] = arguments.as_slice() else {
        return Err("awsSigV4: arguments that are not known".to_owned());
    };
    let mut config = Map::new();
    for (key, text) in [
        ("access_key_id", id),
        ("secret_access_key", secret),
        ("region", region),
        ("service", service),
    ] {
        let value = draft.template(text.trim(), Place::Needed, Stage::Call);
        config.insert(
            key.to_owned(),
            json!(value.map_err(|unsaid| unsaid.reason())?),
        );
    }
    Ok(json!({ "format": "aws_sigv4", "config": config }))
}

/// The credential of OAuth 1.0a.
pub fn oauth1(draft: &mut Draft) -> Result<Map<String, Value>, Impossible> {
    if !draft.words.knows(Word::Oauth1) {
        return Err(format!("{}: OAuth 1.0a", Word::Oauth1.name()));
    }
    let mut config = Map::new();
    let definition = draft.definition;
    let urls = [
        ("requestTokenUrl", definition.text("request_url")),
        ("authorizeUrl", definition.text("authorization_url")),
        (
            "tokenUrl",
            definition
                .token_url()
                .or_else(|| definition.text("access_token_url")),
        ),
    ];
    for (key, url) in urls {
        if let Some(url) = url {
            let url = draft.url(url, Stage::Exchange)?;
            config.insert(key.to_owned(), json!(url));
        }
    }
    let method = match draft.mode {
        AuthMode::TokenBased => "HMAC-SHA256",
        _ => definition.text("signature_method").unwrap_or("HMAC-SHA1"),
    };
    if method == "RSA-SHA1" {
        return Err(format!("{}: signatures by RSA", Word::Oauth1.name()));
    }
    if draft.mode == AuthMode::TokenBased {
        let config = json!({
            "signatureMethod": method, "realm": "{{realm}}",
            "consumer": { "id": "{{consumer_key}}", "secret": "{{consumer_secret}}" },
        });
        return Ok(config.as_object().cloned().unwrap_or_default());
    }
    config.insert("signatureMethod".to_owned(), json!(method));
    config.insert("consumer".to_owned(), json!({
        "id": "{{environment_variables.client_id}}", "secret": "{{environment_variables.client_secret}}",
    }));
    Ok(config)
}

/// The settings of an MCP server as a provider.
pub fn mcp(draft: &mut Draft) -> Result<(&'static str, Map<String, Value>), Impossible> {
    let definition = draft.definition;
    let has_urls =
        definition.text("authorization_url").is_some() && definition.token_url().is_some();
    if !has_urls {
        return discovered(draft);
    }
    let (format, mut config) = super::oauth2::credential(draft)?;
    match definition.text("client_registration") {
        Some("dynamic") => {
            let url = definition.text("registration_url");
            if let (Some(url), true) = (url, draft.words.knows(Word::Registration)) {
                let url = draft.url(url, Stage::Exchange)?;
                add_to(&mut config, "auth", "registrationUrl", json!(url));
                config.remove("client");
                let own = registration(draft);
                if !own.is_empty() {
                    config.insert("registration".to_owned(), Value::Object(own));
                }
            } else {
                draft.lack(Word::Registration, "the operator registers the client");
            }
        }
        Some("cimd") if draft.words.knows(Word::ClientMetadata) => {
            config.insert("client".to_owned(), json!({ "metadataDocument": true }));
        }
        Some("cimd") => draft.lack(Word::ClientMetadata, "the operator registers the client"),
        _ => {}
    }
    Ok((format, config))
}

fn add_to(config: &mut Map<String, Value>, section: &str, key: &str, value: Value) {
    if let Some(section) = config.get_mut(section).and_then(Value::as_object_mut) {
        section.insert(key.to_owned(), value);
    }
}

/// What the gateway says of itself there; a word that its file does not have is lost.
fn registration(draft: &mut Draft) -> Map<String, Value> {
    let own = draft.definition.object("registration_params").cloned();
    let mut kept = Map::new();
    for (key, value) in own.into_iter().flatten() {
        let one = json!({ key.as_str(): value });
        if serde_json::from_value::<Registration>(one).is_ok() {
            kept.insert(key, value);
        } else {
            draft.lose(format!("registration_params: `{key}`"));
        }
    }
    kept
}

/// The address of a server whose definition names none.
pub const SERVER_URL: &str = "${connectionConfig.mcp_server_url}";

/// The address that requests of a definition go to.
pub fn base_url(definition: &Definition) -> Option<&str> {
    let own = super::definition::text(definition.proxy("base_url"));
    own.or_else(|| (AuthMode::of(definition) == AuthMode::McpGeneric).then_some(SERVER_URL))
}

/// A server that says itself where its authorization server is.
fn discovered(draft: &mut Draft) -> Result<(&'static str, Map<String, Value>), Impossible> {
    if !draft.words.knows(Word::Discover) {
        return Err(format!(
            "{}: an MCP server's own endpoints",
            Word::Discover.name()
        ));
    }
    let base = base_url(draft.definition);
    let base = draft.url(
        base.ok_or("base_url: the definition has none")?,
        Stage::Exchange,
    )?;
    if draft.mode == AuthMode::McpGeneric {
        // The example in a definition is one server of many.
        let decides = "connectionConfig.mcp_server_url";
        draft.hosts.open.insert(decides.to_owned());
    }
    let mut config = Map::new();
    config.insert("auth".to_owned(), json!({ "discover": base }));
    if draft.words.knows(Word::ClientMetadata) {
        config.insert("client".to_owned(), json!({ "metadataDocument": true }));
    }
    super::oauth2::add_scope(draft, &mut config);
    Ok(("oauth2", config))
}
