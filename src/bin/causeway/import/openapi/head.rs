//! What is around the resources: `base_url`, credentials and authorization, from servers and security schemes.

use serde_json::{Map, Value, json};
use url::Url;

use super::resolve::References;

/// The parts of a new file.
pub struct Head<'d> {
    pub title: &'d str,
    base_url: String,
    references: References<'d>,
}

impl<'d> Head<'d> {
    pub fn of(document: &'d Value, base_url: Option<&str>) -> Result<Self, String> {
        let title = document.pointer("/info/title").and_then(Value::as_str);
        let server = base_url.map(str::to_owned).or_else(|| server(document));
        let server = server.ok_or("`servers` names no https:// address; give one by --base-url")?;
        Ok(Self {
            title: title.unwrap_or("imported"),
            base_url: server.trim_end_matches('/').to_owned(),
            references: References::new(document),
        })
    }

    /// `config` without resources.
    pub fn config(&self) -> Value {
        let mut config = Map::new();
        config.insert("label".to_owned(), json!(self.title));
        config.insert("base_url".to_owned(), json!(self.base_url));
        let (format, credential, authorization) = self.access();
        let mut credentials = Map::new();
        credentials.insert(
            format.to_owned(),
            json!({ "format": format, "config": credential }),
        );
        config.insert("credentials".to_owned(), Value::Object(credentials));
        config.insert("authorization".to_owned(), authorization);
        Value::Object(config)
    }

    /// The first scheme that the document asks for, and that a file can say.
    fn access(&self) -> (&'static str, Value, Value) {
        let document = self.references.document();
        let schemes = document
            .pointer("/components/securitySchemes")
            .and_then(Value::as_object);
        let asked = document
            .get("security")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let asked = asked.filter_map(Value::as_object).flat_map(Map::keys);
        let all = schemes.into_iter().flat_map(Map::keys);
        let found = asked.chain(all).find_map(|name| {
            let scheme = schemes?.get(name)?;
            self.of_scheme(self.references.follow(scheme)?)
        });
        found.unwrap_or_else(|| {
            (
                "api_key",
                json!({ "fields": [] }),
                json!({ "format": "none" }),
            )
        })
    }

    fn of_scheme(&self, scheme: &Value) -> Option<(&'static str, Value, Value)> {
        let of = |key: &str| scheme.get(key).and_then(Value::as_str);
        let key = |label: &str| json!({ "fields": [{ "name": "api_key", "label": label, "type": "password", "required": true }] });
        match of("type")? {
            "http" if of("scheme")?.eq_ignore_ascii_case("bearer") => {
                let authorization =
                    json!({ "format": "bearer", "config": { "token": "{{api_key}}" } });
                Some(("api_key", key("Token"), authorization))
            }
            "http" if of("scheme")?.eq_ignore_ascii_case("basic") => {
                let fields = json!({ "fields": [
                    { "name": "username", "label": "User name", "type": "text", "required": true },
                    { "name": "password", "label": "Password", "type": "password" },
                ] });
                let authorization = json!({ "format": "basic", "config": {
                    "username": "{{username}}", "password": "{{password?:}}",
                } });
                Some(("api_key", fields, authorization))
            }
            "apiKey" => {
                let format = match of("in")? {
                    "header" => "header",
                    "query" => "query",
                    _ => return None,
                };
                let authorization = json!({ "format": format, "config": { "name": of("name")?, "value": "{{api_key}}" } });
                Some(("api_key", key("API key"), authorization))
            }
            "oauth2" => self.oauth(scheme),
            _ => None,
        }
    }

    fn oauth(&self, scheme: &Value) -> Option<(&'static str, Value, Value)> {
        let flows = scheme.get("flows")?;
        let flow = |name: &str| flows.get(name).filter(|flow| flow.is_object());
        let (format, flow) = match (flow("authorizationCode"), flow("clientCredentials")) {
            (Some(flow), _) => ("oauth2", flow),
            (None, Some(flow)) => ("oauth2_client_credentials", flow),
            (None, None) => return None,
        };
        let mut auth = Map::new();
        for (key, own) in [
            ("authorizeUrl", "authorizationUrl"),
            ("tokenUrl", "tokenUrl"),
            ("refreshUrl", "refreshUrl"),
        ] {
            let url = flow
                .get(own)
                .and_then(Value::as_str)
                .filter(|url| !url.is_empty());
            let is_used = format == "oauth2" || own != "authorizationUrl";
            if let Some(url) = url.filter(|_| is_used).and_then(|url| self.absolute(url)) {
                auth.insert(key.to_owned(), json!(url));
            }
        }
        auth.get("tokenUrl")?;
        let (client, fields) = if format == "oauth2" {
            (
                json!({ "id": "{{environment_variables.client_id}}", "secret": "{{environment_variables.client_secret}}" }),
                json!([]),
            )
        } else {
            let fields = json!([
                { "name": "client_id", "label": "Client ID", "type": "text", "required": true },
                { "name": "client_secret", "label": "Client secret", "type": "password", "required": true },
            ]);
            (
                json!({ "id": "{{client_id}}", "secret": "{{client_secret}}" }),
                fields,
            )
        };
        let config = json!({ "client": client, "auth": auth, "fields": fields });
        Some((format, config, json!({ "format": "bearer" })))
    }

    fn absolute(&self, url: &str) -> Option<String> {
        let base = Url::parse(&self.base_url).ok()?;
        let url = base.join(url).ok()?;
        (url.scheme() == "https").then(|| url.to_string())
    }
}

/// The first server, with the defaults of its variables.
fn server(document: &Value) -> Option<String> {
    let servers = document.get("servers").and_then(Value::as_array)?;
    servers.iter().find_map(|server| {
        let mut url = server.get("url").and_then(Value::as_str)?.to_owned();
        let variables = server.get("variables").and_then(Value::as_object);
        for (name, variable) in variables.into_iter().flatten() {
            let default = variable
                .get("default")
                .and_then(Value::as_str)
                .unwrap_or_default();
            url = url.replace(&format!("{{{name}}}"), default);
        }
        let parsed = Url::parse(&url).ok()?;
        let is_usable =
            parsed.scheme() == "https" && !url.contains('{') && parsed.query().is_none();
        is_usable.then_some(url)
    })
}

/// The path of the document's server.
pub fn server_path(document: &Value) -> String {
    let url = server(document);
    path_of(url.as_deref())
}

/// The path of a URL, without a slash at its end.
pub fn path_of(url: Option<&str>) -> String {
    let behind = url
        .and_then(|url| url.split_once("://"))
        .map(|(_, rest)| rest);
    let path = behind.and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    path.unwrap_or_default().trim_end_matches('/').to_owned()
}

/// A path of the document below the file's `base_url`.
pub fn below(base: &str, server: &str, path: &str) -> String {
    let whole = format!("{server}{path}");
    match whole.strip_prefix(base) {
        Some(rest) if rest.starts_with('/') || rest.is_empty() => rest.to_owned(),
        _ => path.to_owned(),
    }
}
