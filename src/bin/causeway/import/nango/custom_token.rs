//! `TWO_STEP`: a token that requests get, as a `custom_token`.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::definition::{entries, text};
use super::draft::{Draft, Impossible, Stage};
use super::interpolation::{Interpolation, Piece};
use super::requests::halves;
use super::template::{Place, now, quoted};

/// The settings of a credential that steps get.
pub fn settings(draft: &mut Draft) -> Result<Map<String, Value>, Impossible> {
    if !draft.words.knows(Word::CustomToken) {
        return Err(format!("{}: a token that requests get", Word::CustomToken.name()));
    }
    for path in draft.definition.list("token_response_metadata") {
        let key = super::names::context_key(path);
        draft.filled.insert(key);
    }
    let mut config = Map::new();
    if let Some(jwt) = super::jwt::settings(draft)? {
        config.insert("jwt".to_owned(), jwt);
    }
    let definition = draft.definition;
    let first = Exchange {
        url: definition.token_url().ok_or("token_url: the definition has none")?,
        is_get: definition.text("token_request_method") == Some("GET"),
        format: definition.text("body_format").unwrap_or("json"),
        params: definition.value("token_params"),
        headers: definition.value("token_headers"),
    };
    let mut steps = first.steps(draft)?;
    let more = definition.value("additional_steps").and_then(Value::as_array);
    let more: Vec<Value> = more.cloned().unwrap_or_default();
    add_copies(&more, &mut steps);
    for step in &more {
        steps.extend(Exchange::of(step)?.steps(draft)?);
    }
    config.insert("steps".to_owned(), Value::Array(steps));
    config.insert("token".to_owned(), token(draft)?);
    add_refresh(draft, &mut config)?;
    if let Some(lifetime) = definition.value("token_expires_in_ms").and_then(Value::as_u64)
        && lifetime >= 1_000
    {
        config.insert("tokenExpiryDuration".to_owned(), json!(lifetime / 1_000));
    }
    let paths = definition.list("token_response_metadata").into_iter();
    let paths: Map<String, Value> = paths.map(|path| (super::names::context_key(path), json!(path))).collect();
    if !paths.is_empty() {
        config.insert("contextFromToken".to_owned(), Value::Object(paths));
    }
    Ok(config)
}

/// A grant of a client that is not among those of RFC 6749: its request is a step.
pub fn of_grant(draft: &mut Draft) -> Result<Map<String, Value>, Impossible> {
    if !draft.words.knows(Word::CustomToken) {
        let grant = super::oauth2::other_grant(draft, "token_params").unwrap_or_default();
        return Err(format!("{}: the grant `{grant}`", Word::CustomToken.name()));
    }
    let definition = draft.definition;
    let mut params = definition.object("token_params").cloned().unwrap_or_default();
    let mut headers = definition.object("token_headers").cloned().unwrap_or_default();
    if definition.text("token_request_auth_method") == Some("basic") {
        let basic = "Basic ${base64(${clientId}:${clientSecret})}";
        headers.insert("authorization".to_owned(), json!(basic));
    } else {
        params.insert("client_id".to_owned(), json!("${clientId}"));
        params.insert("client_secret".to_owned(), json!("${clientSecret}"));
    }
    let (params, headers) = (Value::Object(params), Value::Object(headers));
    let exchange = Exchange {
        url: definition.token_url().ok_or("token_url: the definition has none")?,
        is_get: false,
        format: definition.text("body_format").unwrap_or("form"),
        params: Some(&params),
        headers: Some(&headers),
    };
    let steps = exchange.steps(draft)?;
    Ok(Map::from_iter([("steps".to_owned(), Value::Array(steps))]))
}

/// One request that gets a token.
struct Exchange<'d> {
    url: &'d str,
    is_get: bool,
    format: &'d str,
    params: Option<&'d Value>,
    headers: Option<&'d Value>,
}

impl<'d> Exchange<'d> {
    fn of(step: &'d Value) -> Result<Self, Impossible> {
        Ok(Self {
            url: text(step.get("token_url")).ok_or("additional_steps: one has no token_url")?,
            is_get: text(step.get("token_request_method")) == Some("GET"),
            format: text(step.get("body_format")).unwrap_or("json"),
            params: step.get("token_params"),
            headers: step.get("token_headers"),
        })
    }

    /// The request, behind a step that computes what it needs.
    fn steps(&self, draft: &mut Draft) -> Result<Vec<Value>, Impossible> {
        let mut computed = Map::new();
        let mut config = Map::new();
        config.insert("method".to_owned(), json!(if self.is_get { "get" } else { "post" }));
        let url = draft.url(self.url, Stage::Exchange)?;
        let (base, path) = parts(&url);
        config.insert("base_url".to_owned(), json!(base));
        config.insert("path".to_owned(), json!(path));
        self.add_headers(draft, &mut config)?;
        if !self.is_get {
            let params = self.params.filter(|params| params.as_object().is_some_and(|keys| !keys.is_empty()));
            let body = match params {
                Some(params) => self.body(draft, params, &mut computed)?,
                None => json!({}),
            };
            config.insert("body".to_owned(), body);
            config.insert("body_format".to_owned(), json!(self.body_format()?));
        }
        let mut steps = Vec::new();
        if !computed.is_empty() {
            let entries = computed.iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| format!("{}: {}", quoted(key), value.as_str().unwrap_or_default()))
                .collect();
            let expression = format!("{{ {} }}", entries.join(", "));
            steps.push(json!({ "type": "transform", "config": expression }));
        }
        steps.push(json!({ "type": "request", "config": config }));
        Ok(steps)
    }

    fn body_format(&self) -> Result<&'static str, Impossible> {
        match self.format {
            "json" => Ok("json"),
            "form" => Ok("form"),
            "xml" => Ok("xml"),
            other => Err(format!("body_format: `{other}` of a token request")),
        }
    }

    /// The body, with the times in it computed before.
    fn body(
        &self,
        draft: &mut Draft,
        params: &Value,
        computed: &mut Map<String, Value>,
    ) -> Result<Value, Impossible> {
        match params {
            Value::String(text) => {
                let own = Interpolation::parse(text);
                if let [Piece::Value(path)] = own.first()
                    && let Some(expression) = now(path)
                {
                    let key = format!("time{}", computed.len());
                    computed.insert(key.clone(), json!(expression));
                    return Ok(json!(format!("{{{{body.{key}}}}}")));
                }
                let text = draft.template(text, Place::Entry, Stage::Exchange);
                Ok(json!(text.map_err(|unsaid| unsaid.reason())?))
            }
            Value::Object(keys) => {
                let mut object = Map::new();
                for (key, value) in keys {
                    object.insert(key.clone(), self.body(draft, value, computed)?);
                }
                Ok(Value::Object(object))
            }
            Value::Array(items) => {
                let mut list = Vec::new();
                for item in items {
                    list.push(self.body(draft, item, computed)?);
                }
                Ok(Value::Array(list))
            }
            other => Ok(other.clone()),
        }
    }

    /// Headers; one with a function in it becomes the request's authorization.
    fn add_headers(&self, draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
        let (mut headers, mut computed) = (Map::new(), Vec::new());
        for (name, text) in entries(self.headers) {
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let own = Interpolation::parse(&text);
            if !own.has_call() {
                let text = draft.template(&text, Place::Entry, Stage::Exchange);
                headers.insert(name.to_owned(), json!(text.map_err(|unsaid| unsaid.reason())?));
                continue;
            }
            if let [Piece::Text(scheme), Piece::Call { function, argument }] = own.first()
                && name.eq_ignore_ascii_case("authorization")
                && scheme == "Basic "
                && function == "base64"
                && let Some((username, password)) = halves(argument)
            {
                let half = |pieces: &[Piece]| {
                    let text = draft.pieces(pieces, Place::Needed, Stage::Exchange);
                    text.map_err(|unsaid| unsaid.reason())
                };
                let basic = json!({ "username": half(&username)?, "password": half(&password)? });
                config.insert("authorization".to_owned(), json!({ "format": "basic", "config": basic }));
                continue;
            }
            let value = draft.expression(own.first(), Stage::Exchange);
            let value = value.map_err(|unsaid| unsaid.reason())?;
            computed.push(format!("{}: {value}", quoted(name)));
        }
        if !headers.is_empty() {
            config.insert("headers".to_owned(), Value::Object(headers));
        }
        if !computed.is_empty() {
            let expression = format!("{{ {} }}", computed.join(", "));
            let own = json!({ "format": "header", "config": { "expression": expression } });
            config.insert("authorization".to_owned(), own);
        }
        Ok(())
    }
}

/// A step that reads an earlier answer than the one before it cannot be said as it is.
fn add_copies(more: &[Value], steps: &mut Vec<Value>) {
    let reads_first = |step: &Value| step.to_string().contains("${step1.");
    if more.iter().skip(1).any(reads_first) {
        steps.push(json!({ "type": "update_context", "config": "{ \"step1\": $previous }" }));
    }
}

/// A URL template at its origin and the rest.
pub fn parts(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = match url.find("}}") {
        Some(end) if url.starts_with("{{") => end,
        _ => start,
    };
    let slash = url.get(end..).and_then(|text| text.find(['/', '?']));
    let at = slash.map_or(url.len(), |slash| end + slash);
    url.split_at(at)
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
    if texts.iter().any(|text| text.contains("credentials._cookies")) {
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
    let mut out = String::new();
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let part = part.trim_matches(['"', '\'']);
        if part.bytes().all(|b| b.is_ascii_digit()) && !out.is_empty() {
            out.push_str(&format!("[{part}]"));
            continue;
        }
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(&format!("`{}`", part.replace('`', "")));
    }
    out
}

/// How the next token is had.
fn add_refresh(draft: &mut Draft, config: &mut Map<String, Value>) -> Result<(), Impossible> {
    let definition = draft.definition;
    let has_own = definition.value("refresh_token_params").is_some()
        || definition.value("refresh_token_headers").is_some();
    if !has_own {
        return Ok(());
    }
    let url = definition.text("refresh_url").or_else(|| definition.token_url());
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
