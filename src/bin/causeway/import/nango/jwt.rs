//! Tokens that the gateway signs: `token` and `assertion` of a definition.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::definition::{Definition, text};
use super::draft::{Draft, Impossible, Stage};
use super::template::Place;

/// Claims that the gateway sets.
const OF_GATEWAY: [&str; 4] = ["iat", "nbf", "exp", "jti"];
/// Bounds of a lifetime in seconds.
const LIFETIME: (u64, u64) = (60, 86_400);

/// Refuses assertions of another kind.
pub fn check(definition: &Definition) -> Result<(), Impossible> {
    let assertion = definition.object("assertion");
    let kind = assertion.map(|assertion| text(assertion.get("type")));
    match kind {
        None | Some(Some("jwt")) => Ok(()),
        Some(_) => Err("SAML: an assertion that is no JWT".to_owned()),
    }
}

/// The section `jwt`, where the definition signs a token.
pub fn settings(draft: &mut Draft) -> Result<Option<Value>, Impossible> {
    let definition = draft.definition;
    if let Some(assertion) = definition.object("assertion") {
        let seconds = assertion.get("lifetimeInSeconds").and_then(Value::as_u64);
        let (header, payload) = (assertion.get("header"), assertion.get("payload"));
        let key = text(assertion.get("key")).ok_or("assertion: it has no key")?;
        return signed(draft, key, header, payload, seconds).map(Some);
    }
    let Some(token) = definition
        .object("token")
        .filter(|token| token.contains_key("signing_key"))
    else {
        return Ok(None);
    };
    let seconds = token
        .get("expires_in_ms")
        .and_then(Value::as_u64)
        .map(|ms| ms / 1_000);
    let (header, payload) = (token.get("header"), token.get("payload"));
    let key = text(token.get("signing_key")).ok_or("token: it has no signing_key")?;
    signed(draft, key, header, payload, seconds).map(Some)
}

fn signed(
    draft: &mut Draft,
    key: &str,
    header: Option<&Value>,
    payload: Option<&Value>,
    seconds: Option<u64>,
) -> Result<Value, Impossible> {
    if !draft.words.knows(Word::Jwt) {
        return Err(format!(
            "{}: a token that the gateway signs",
            Word::Jwt.name()
        ));
    }
    let algorithm = text(header.and_then(|header| header.get("alg"))).unwrap_or("RS256");
    let known = [
        "RS256", "PS256", "ES256", "EdDSA", "HS256", "HS384", "HS512",
    ];
    if !known.contains(&algorithm) {
        return Err(format!("{}: the algorithm {algorithm}", Word::Jwt.name()));
    }
    let mut jwt = Map::new();
    jwt.insert("algorithm".to_owned(), json!(algorithm));
    let signature = draft.definition.value("signature");
    let encoding = text(signature.and_then(|own| own.get("hmac_secret_encoding")));
    if algorithm.starts_with("HS") {
        jwt.insert(
            "key_format".to_owned(),
            json!(if encoding == Some("utf8") {
                "utf8"
            } else {
                "hex"
            }),
        );
    }
    let key = needed(draft, key)?;
    jwt.insert("key".to_owned(), json!(key));
    if let Some(id) = text(header.and_then(|header| header.get("kid"))) {
        let id = needed(draft, id)?;
        jwt.insert("key_id".to_owned(), json!(id));
    }
    if let Some(payload) = payload.and_then(Value::as_object) {
        let mut claims = Map::new();
        for (name, value) in payload
            .iter()
            .filter(|(name, _)| !OF_GATEWAY.contains(&name.as_str()))
        {
            let value = draft.tree(value, Stage::Exchange);
            claims.insert(name.clone(), value.map_err(|unsaid| unsaid.reason())?);
        }
        jwt.insert("claims".to_owned(), Value::Object(claims));
    }
    if let Some(seconds) = seconds {
        jwt.insert(
            "lifetime".to_owned(),
            json!(seconds.clamp(LIFETIME.0, LIFETIME.1)),
        );
    }
    Ok(Value::Object(jwt))
}

fn needed(draft: &mut Draft, text: &str) -> Result<String, Impossible> {
    draft
        .template(text, Place::Needed, Stage::Exchange)
        .map_err(|unsaid| unsaid.reason())
}

/// The settings of an app whose installations have tokens of their own.
pub fn app(draft: &mut Draft) -> Result<Map<String, Value>, Impossible> {
    if !draft.words.knows(Word::CustomToken) || !draft.words.knows(Word::Jwt) {
        return Err(format!(
            "{}: the token of an app's installation",
            Word::CustomToken.name()
        ));
    }
    let url = draft
        .definition
        .token_url()
        .ok_or("token_url: the definition has none")?;
    let url = draft.url(url, Stage::Exchange)?;
    let (base, path) = super::exchange::parts(&url);
    let step = json!({ "type": "request", "config": {
        "method": "post", "base_url": base, "path": path, "ignore_body": true,
        "authorization": { "format": "bearer", "config": { "token": "{{jwt}}" } },
    } });
    draft.lose(
        "app installation: accounts are imported or typed in, not connected by the app's page",
    );
    let config = json!({
        "jwt": { "algorithm": "RS256", "key": "{{private_key}}", "claims": { "iss": "{{app_id}}" } },
        "steps": [step],
        "token": { "access_token": "token", "expires_at": "expires_at" },
    });
    Ok(config.as_object().cloned().unwrap_or_default())
}
