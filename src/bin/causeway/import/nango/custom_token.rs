//! `TWO_STEP`: a token that requests get, as a `custom_token`.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::draft::{Draft, Impossible};
use super::exchange::Exchange;
use super::names::Origin;
use super::params::put;

/// The settings of a credential that steps get.
pub fn settings(draft: &mut Draft) -> Result<Map<String, Value>, Impossible> {
    super::jwt::check(draft.definition)?;
    if !draft.words.knows(Word::CustomToken) {
        return Err(format!(
            "{}: a token that requests get",
            Word::CustomToken.name()
        ));
    }
    for path in draft.definition.list("token_response_metadata") {
        let key = draft.names.key(Origin::Config, path);
        draft.filled.insert(key);
    }
    let mut config = Map::new();
    if let Some(jwt) = super::jwt::settings(draft)? {
        config.insert("jwt".to_owned(), jwt);
    }
    let definition = draft.definition;
    let first = Exchange {
        url: definition
            .token_url()
            .ok_or("token_url: the definition has none")?,
        is_get: definition.text("token_request_method") == Some("GET"),
        format: definition.text("body_format").unwrap_or("json"),
        params: definition.value("token_params"),
        headers: definition.value("token_headers"),
    };
    let mut steps = first.steps(draft)?;
    let more = definition
        .value("additional_steps")
        .and_then(Value::as_array);
    let more: Vec<Value> = more.cloned().unwrap_or_default();
    for (index, step) in more.iter().enumerate() {
        draft.answers = index + 1;
        steps.extend(copy_of_answer(draft.answers, more.get(draft.answers..)));
        steps.extend(Exchange::of(step)?.steps(draft)?);
    }
    draft.answers = 0;
    config.insert("steps".to_owned(), Value::Array(steps));
    config.insert("token".to_owned(), token(draft)?);
    add_refresh(draft, &mut config)?;
    if let Some(lifetime) = definition
        .value("token_expires_in_ms")
        .and_then(Value::as_u64)
        && lifetime >= 1_000
    {
        config.insert("tokenExpiryDuration".to_owned(), json!(lifetime / 1_000));
    }
    let paths = definition.list("token_response_metadata").into_iter();
    let paths: Map<String, Value> = paths
        .map(|path| (draft.names.key(Origin::Config, path), json!(path)))
        .collect();
    put(&mut config, "contextFromToken", paths);
    Ok(config)
}

/// A grant of a client that is not among those of RFC 6749: its request is a step.
pub fn of_grant(draft: &mut Draft) -> Result<Map<String, Value>, Impossible> {
    if !draft.words.knows(Word::CustomToken) {
        let grant = super::params::other_grant(draft, "token_params").unwrap_or_default();
        return Err(format!("{}: the grant `{grant}`", Word::CustomToken.name()));
    }
    let definition = draft.definition;
    let mut params = definition
        .object("token_params")
        .cloned()
        .unwrap_or_default();
    let mut headers = definition
        .object("token_headers")
        .cloned()
        .unwrap_or_default();
    if definition.text("token_request_auth_method") == Some("basic") {
        let basic = "Basic ${base64(${clientId}:${clientSecret})}";
        headers.insert("authorization".to_owned(), json!(basic));
    } else {
        params.insert("client_id".to_owned(), json!("${clientId}"));
        params.insert("client_secret".to_owned(), json!("${clientSecret}"));
    }
    let (params, headers) = (Value::Object(params), Value::Object(headers));
    let exchange = Exchange {
        url: definition
            .token_url()
            .ok_or("token_url: the definition has none")?,
        is_get: false,
        format: definition.text("body_format").unwrap_or("form"),
        params: Some(&params),
        headers: Some(&headers),
    };
    let steps = exchange.steps(draft)?;
    Ok(Map::from_iter([("steps".to_owned(), Value::Array(steps))]))
}

/// Keeps the answer to a request in the context, where one after the next reads it: only the last answer is the body.
fn copy_of_answer(number: usize, later: Option<&[Value]>) -> Option<Value> {
    let name = format!("${{step{number}.");
    let mut later = later.into_iter().flatten();
    later.any(|step| step.to_string().contains(&name)).then(|| {
        let config = format!("{{ \"step{number}\": $previous }}");
        json!({ "type": "update_context", "config": config })
    })
}

/// Where the token is in the last answer.
fn token(draft: &mut Draft) -> Result<Value, Impossible> {
    let Some(response) = draft.definition.object("token_response") else {
        return Err("token_response: the definition has none".to_owned());
    };
    let mut token = Map::new();
    let of = |key: &str| response.get(key).and_then(Value::as_str);
    if let Some(path) = of("token") {
        token.insert("access_token".to_owned(), json!(path_expression(path)));
    }
    if let Some(path) = of("refresh_token").filter(|path| !path.is_empty()) {
        token.insert("refresh_token".to_owned(), json!(path_expression(path)));
    }
    if let Some(path) = of("token_expiration").filter(|path| !path.is_empty()) {
        let key = match of("token_expiration_strategy") {
            Some("expireIn") => "expires_in",
            _ => "expires_at",
        };
        token.insert(key.to_owned(), json!(path_expression(path)));
    }
    if !draft.definition.list("token_response_headers").is_empty() {
        draft.lose("token_response_headers: values of the answer's headers");
    }
    let texts = draft.definition.texts();
    if texts
        .iter()
        .any(|text| text.contains("credentials._cookies"))
    {
        return Err("cookies: a session of several cookies".to_owned());
    }
    Ok(Value::Object(token))
}

/// A dotted path as JSONata: `data.token[0].value`.
pub fn path_expression(path: &str) -> String {
    if path.is_empty() {
        return "$".to_owned();
    }
    let path = path.replace("][", ".").replace('[', ".").replace(']', "");
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let part = part.trim_matches(['"', '\'']);
        let is_index = part.bytes().all(|b| b.is_ascii_digit());
        match parts.last_mut().filter(|_| is_index) {
            Some(last) => last.extend(["[", part, "]"]),
            None => parts.push(format!("`{}`", part.replace('`', ""))),
        }
    }
    parts.join(".")
}

/// How the next token is had.
fn add_refresh(draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
    let definition = draft.definition;
    let has_own = definition.value("refresh_token_params").is_some()
        || definition.value("refresh_token_headers").is_some();
    if !has_own {
        return Ok(());
    }
    let url = definition
        .text("refresh_url")
        .or_else(|| definition.token_url());
    let headers = definition.value("refresh_token_headers");
    let refresh = Exchange {
        url: url.ok_or("token_url: the definition has none")?,
        is_get: definition.text("token_request_method") == Some("GET"),
        format: definition.text("body_format").unwrap_or("json"),
        params: definition.value("refresh_token_params"),
        headers: headers.or_else(|| definition.value("token_headers")),
    };
    let steps = refresh.steps(draft)?;
    config.insert("refresh_steps".to_owned(), Value::Array(steps));
    Ok(())
}
