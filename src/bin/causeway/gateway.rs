//! The client of a running gateway for `publish`: two calls, with the token only in their header.

use std::time::Duration;

use causeway::secret::Secret;
use serde_json::Value;
use ureq::http::Response;
use ureq::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use ureq::{Agent, Body};
use url::{Host, Url};

use crate::problem::Problem;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const CALL_TIMEOUT: Duration = Duration::from_mins(1);

/// A gateway, and the token to change it.
pub struct Gateway {
    agent: Agent,
    address: Url,
    authorization: Secret,
}

/// A response of the gateway.
pub struct GatewayAnswer {
    pub status: u16,
    /// The JSON body. Null when the body is not JSON.
    pub body: Value,
}

impl GatewayAnswer {
    pub fn version(&self) -> u64 {
        let version = self.body.get("version").and_then(Value::as_u64);
        version.unwrap_or_default()
    }

    /// A text of the response, such as its `code`.
    pub fn text(&self, name: &str) -> &str {
        self.body
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

impl Gateway {
    /// Creates a client. The token leaves this machine unencrypted only with `plain_http`.
    pub fn new(address: &Url, token: &Secret, plain_http: bool) -> Result<Self, Problem> {
        let is_here = is_this_machine(address);
        check_scheme(address, is_here || plain_http)?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the token elsewhere.
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(CALL_TIMEOUT))
            .user_agent(concat!("causeway/", env!("CARGO_PKG_VERSION")));
        if is_here {
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            address: address.clone(),
            authorization: Secret::new(format!("Bearer {}", token.expose())),
        })
    }

    /// `GET /integration/{name}`
    pub fn find(&self, name: &str) -> Result<GatewayAnswer, Problem> {
        let url = self.integration(name);
        let request = self
            .agent
            .get(url.as_str())
            .header(AUTHORIZATION, self.authorization.expose());
        self.read(request.call())
    }

    /// `PUT /integration/{name}`
    pub fn replace(&self, name: &str, file: &[u8]) -> Result<GatewayAnswer, Problem> {
        let url = self.integration(name);
        let request = self
            .agent
            .put(url.as_str())
            .header(AUTHORIZATION, self.authorization.expose())
            .header(CONTENT_TYPE, "application/json");
        self.read(request.send(file))
    }

    fn integration(&self, name: &str) -> Url {
        let mut url = self.address.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["integration", name]);
        }
        url
    }

    /// A response that every file would get is a problem of the whole run.
    fn read(&self, outcome: Result<Response<Body>, ureq::Error>) -> Result<GatewayAnswer, Problem> {
        let mut response = outcome.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_redirection() {
            let location = response.headers().get(LOCATION);
            let to = location
                .and_then(|to| to.to_str().ok())
                .unwrap_or("nowhere");
            return Err(self.failed(&format!("redirects to {to}; name that address by --to")));
        }
        let text = response.body_mut().read_to_string();
        let text = text.map_err(|error| self.unreachable(&error))?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let answer = GatewayAnswer {
            status: status.as_u16(),
            body,
        };
        match (answer.status, answer.text("code")) {
            (401, _) => Err(self.failed(
                "rejects the token in CAUSEWAY_TOKEN: it takes the ADMIN_TOKEN that this gateway was deployed with",
            )),
            (403, "caller.forbidden") => {
                Err(self
                    .failed("needs the admin token in CAUSEWAY_TOKEN; this token may not publish"))
            }
            (status, _) if !answer.body.is_object() => Err(self.failed(&format!(
                "answers {status} without JSON: is it a Causeway gateway?"
            ))),
            (403, code) => {
                let message = answer.text("message");
                Err(self.failed(&format!("answers 403 {code}: {message}")))
            }
            _ => Ok(answer),
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Problem {
        self.failed(&format!("cannot be reached: {error}"))
    }

    fn failed(&self, text: &str) -> Problem {
        Problem::Failed(format!("{} {text}", self.address))
    }
}

fn check_scheme(address: &Url, may_be_plain: bool) -> Result<(), Problem> {
    match address.scheme() {
        "https" => Ok(()),
        "http" if may_be_plain => Ok(()),
        "http" => Err(Problem::Usage(format!(
            "{address} is not https: the token would cross the network unencrypted (--plain-http allows it)"
        ))),
        other => Err(Problem::Usage(format!(
            "--to takes a URL with https, not {other}"
        ))),
    }
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
