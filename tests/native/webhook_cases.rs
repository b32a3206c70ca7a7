//! One case of `tests/cases/webhooks`: a request as a provider's own library makes it, and the scheme that
//! verifies it, of a shipped file or in the case itself.

use causeway::config::{Config, Webhook, read};
use causeway::expression::{Moment, Pins, PlainHttp, TemplateScope};
use causeway::time::Timestamp;
use causeway::webhook::{self, PublishedKey, Refusal, WebhookRequest};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use crate::integration_files::{files_of, load, root};

/// A request that a test may change before it is verified.
#[derive(Clone)]
pub struct Sent {
    pub method: Method,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn read(value: &Value) -> Self {
        let text = |key: &str| value[key].as_str().unwrap().to_owned();
        let mut headers = HeaderMap::new();
        for (name, value) in value["headers"].as_object().unwrap() {
            let name: HeaderName = name.parse().unwrap();
            headers.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        Self {
            method: text("method").parse().unwrap(),
            url: text("url"),
            headers,
            body: text("body").into_bytes(),
        }
    }

    pub fn request(&self) -> WebhookRequest<'_> {
        WebhookRequest::new(&self.method, &self.url, &self.headers, &self.body)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        let name: HeaderName = name.parse().unwrap();
        self.headers
            .insert(name, HeaderValue::from_str(value).unwrap());
    }
}

pub struct Case {
    pub name: String,
    pub story: Value,
    pub config: Config,
}

crate::cases::shown_by_name!(Case);

impl Case {
    pub fn all() -> Vec<Self> {
        Self::of_folder("tests/cases/webhooks")
    }

    pub fn of_folder(folder: &str) -> Vec<Self> {
        files_of(folder)
            .iter()
            .map(|path| {
                let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
                let story = load(path);
                let config = match story["integration"].as_str() {
                    Some(shipped) => {
                        let file = load(&root().join(format!("integrations/{shipped}.json")));
                        read(&file).integration.expect("no mistakes").config
                    }
                    None => own_config(&name, &story["webhook"]),
                };
                Self {
                    name,
                    story,
                    config,
                }
            })
            .collect()
    }

    pub fn webhook(&self) -> &Webhook {
        self.config.webhook.as_ref().unwrap()
    }

    pub fn sent(&self) -> Sent {
        Sent::read(&self.story["request"])
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::parse(self.story["now"].as_str().unwrap()).unwrap()
    }

    pub fn moment(&self) -> Moment {
        Moment {
            now_ms: self.now().as_millis(),
            random: [0; 32],
        }
    }

    /// Where the signature is: `header`, `query` or `body`, and its name there, or its text.
    pub fn place(&self) -> Option<(&str, &str)> {
        let (kind, name) = self.story["signature"].as_object()?.iter().next()?;
        Some((kind.as_str(), name.as_str()?))
    }

    pub fn keys(&self, key: &str) -> Vec<PublishedKey> {
        let text = self.story[key].as_str();
        text.map_or_else(Vec::new, |text| {
            webhook::read_keys(text.as_bytes()).unwrap()
        })
    }

    pub fn verify(&self, sent: &Sent) -> Result<(), Refusal> {
        self.verify_as(sent, "context", &self.keys("keys"), self.now())
    }

    pub fn verify_as(
        &self,
        sent: &Sent,
        context: &str,
        keys: &[PublishedKey],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let variables = json!({});
        let scope = TemplateScope::new(&self.story[context]).with_environment_variables(&variables);
        self.verify_request(&sent.request(), &scope, keys, now)
    }

    /// By each scheme, one after another; of several refusals the most specific.
    pub fn verify_request(
        &self,
        request: &WebhookRequest,
        scope: &TemplateScope,
        keys: &[PublishedKey],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let mut refused = Refusal::NotConfigured;
        for (_, scheme) in self.webhook().schemes() {
            match webhook::verify(scheme, request, scope, keys, now) {
                Ok(()) => return Ok(()),
                Err(refusal) if refused.tells_less_than(&refusal) => refused = refusal,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    pub fn key_source(&self, sent: &Sent) -> Result<Option<String>, Refusal> {
        let dotted_keys = std::collections::BTreeSet::new();
        let pins = Pins {
            allowed_hosts: None,
            dotted_keys: &dotted_keys,
            plain_http: PlainHttp::Refused,
        };
        let scope = TemplateScope::new(&self.story["context"]);
        let request = sent.request();
        for (_, scheme) in self.webhook().schemes() {
            if let Some(source) = webhook::key_source(scheme, &request, &scope, &pins)? {
                return Ok(Some(source.url().as_str().to_owned()));
            }
        }
        Ok(None)
    }
}

fn own_config(name: &str, webhook: &Value) -> Config {
    let config = json!({"base_url": "https://api.example.com", "webhook": webhook});
    let file = json!({"name": "x", "config": config});
    let reading = read(&file);
    let findings = reading.findings;
    // No field of a form is declared here.
    let is_known = |text: &str| text.starts_with("nothing fills");
    assert!(
        findings.iter().all(|finding| is_known(&finding.message)),
        "{name}: {findings:#?}"
    );
    reading.integration.expect(name).config
}
