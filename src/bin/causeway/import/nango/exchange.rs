//! One request of a `custom_token` as steps.

use serde_json::{Map, Value, json};

use super::clock::now;
use super::definition::{entries, text};
use super::draft::{Draft, Impossible, Stage};
use super::interpolation::{Interpolation, Piece};
use super::requests::basic_halves;
use super::template::{Place, quoted};

/// One request that gets a token.
pub struct Exchange<'d> {
    pub url: &'d str,
    pub is_get: bool,
    pub format: &'d str,
    pub params: Option<&'d Value>,
    pub headers: Option<&'d Value>,
}

impl<'d> Exchange<'d> {
    pub fn of(step: &'d Value) -> Result<Self, Impossible> {
        Ok(Self {
            url: text(step.get("token_url")).ok_or("additional_steps: one has no token_url")?,
            is_get: text(step.get("token_request_method")) == Some("GET"),
            format: text(step.get("body_format")).unwrap_or("json"),
            params: step.get("token_params"),
            headers: step.get("token_headers"),
        })
    }

    /// The request, behind a step that computes what it needs.
    pub fn steps(&self, draft: &mut Draft) -> Result<Vec<Value>, Impossible> {
        let mut computed = Map::new();
        let mut config = Map::new();
        config.insert(
            "method".to_owned(),
            json!(if self.is_get { "get" } else { "post" }),
        );
        let url = draft.url(self.url, Stage::Exchange)?;
        let (base, path) = parts(&url);
        config.insert("base_url".to_owned(), json!(base));
        config.insert("path".to_owned(), json!(path));
        self.add_headers(draft, &mut config)?;
        if !self.is_get {
            let params = self
                .params
                .filter(|params| params.as_object().is_some_and(|keys| !keys.is_empty()));
            let body = match params {
                Some(params) => body(draft, params, &mut computed)?,
                None => json!({}),
            };
            config.insert("body".to_owned(), body);
            config.insert("body_format".to_owned(), json!(self.body_format()?));
        }
        let mut steps = Vec::new();
        if !computed.is_empty() {
            let entries = computed.iter();
            let entries: Vec<String> = entries
                .map(|(key, value)| {
                    format!("{}: {}", quoted(key), value.as_str().unwrap_or_default())
                })
                .collect();
            let mut expression = format!("{{ {} }}", entries.join(", "));
            if draft.answers > 0 {
                // The request may read the answer to the one before it, too.
                expression = format!("$merge([$previous, {expression}])");
            }
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

    /// Headers; those with a function in them become the request's authorization.
    fn add_headers(
        &self,
        draft: &mut Draft,
        config: &mut Map<String, Value>,
    ) -> Result<(), Impossible> {
        let is_basic = |name: &str, own: &Interpolation| {
            name.eq_ignore_ascii_case("authorization") && basic_halves(own.first()).is_some()
        };
        let mut all = entries(self.headers).into_iter();
        let is_computed = all.any(|(name, text)| {
            let own = Interpolation::parse(&text);
            own.has_call() && !is_basic(name, &own)
        });
        let (mut headers, mut computed) = (Map::new(), Vec::new());
        for (name, text) in entries(self.headers) {
            if name.eq_ignore_ascii_case("content-type") {
                continue;
            }
            let own = Interpolation::parse(&text);
            if !own.has_call() {
                let text = draft.template(&text, Place::Entry, Stage::Exchange);
                headers.insert(
                    name.to_owned(),
                    json!(text.map_err(|unsaid| unsaid.reason())?),
                );
                continue;
            }
            // Where another header is computed, its expression says this one, too: a request has one authorization.
            if name.eq_ignore_ascii_case("authorization")
                && !is_computed
                && let Some(basic) = draft.basic_of(&own, Stage::Exchange)?
            {
                config.insert("authorization".to_owned(), basic);
                continue;
            }
            draft.note_alternatives(&own);
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

/// A body with its templates; the times in it are computed before.
fn body(
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
                object.insert(key.clone(), body(draft, value, computed)?);
            }
            Ok(Value::Object(object))
        }
        Value::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                list.push(body(draft, item, computed)?);
            }
            Ok(Value::Array(list))
        }
        other => Ok(other.clone()),
    }
}

/// A URL template at its origin and the rest.
pub fn parts(url: &str) -> (&str, &str) {
    let start = url.find("://").filter(|_| !url.starts_with("{{"));
    let mut at = start.map_or(0, |at| at + 3);
    while let Some(rest) = url.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(['/', '?']) {
            break;
        }
        // A placeholder is passed as a whole: its default may have a slash.
        at += match rest.find("}}").filter(|_| rest.starts_with("{{")) {
            Some(end) => end + 2,
            None => rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    url.split_at_checked(at).unwrap_or((url, ""))
}
