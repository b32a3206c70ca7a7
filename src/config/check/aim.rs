//! Where the operator's values go: to hosts that the file fixes, and to no other. A key that is in the file is
//! pointed at wherever it goes.

use crate::config::action::{ContextChange, MethodCall, StepKind};
use crate::config::source::Sources;
use crate::config::{Config, Credential, Finding, Method, Webhook};
use crate::expression::UrlTemplate;

use super::Broken;
use super::client::can_be_operators;
use super::literal::Name;
use super::operator_values::{self, OperatorValue, OperatorValueKind};
use super::shared::Shared;

mod also;
mod grants;

/// Whether a host is the file's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Host {
    /// By its own text, or by a list without `*`.
    Fixed,
    /// The account or anyone else can choose part of it.
    Open,
}

pub(super) fn check(config: &Config, broken: &Broken, findings: &mut Vec<Finding>) {
    if broken.touches("config.allowed_hosts") {
        return;
    }
    let mut check = AimCheck { config, findings };
    check.requests();
    check.copies();
    for (key, credential) in &config.credentials {
        check.signed(
            credential,
            &format!("config.credentials.{key}.config.jwt.key"),
        );
        if let Some(oauth) = credential.oauth() {
            check.grants(oauth, &format!("config.credentials.{key}.config"));
        }
    }
    check.published_keys();
}

/// Whether the file fixes the host of a URL.
pub(super) fn host(config: &Config, url: &UrlTemplate) -> Host {
    let hosts = config.allowed_hosts.as_ref();
    let is_fixed = url.host_is_pinned() || hosts.is_some_and(|hosts| !hosts.is_any());
    if is_fixed { Host::Fixed } else { Host::Open }
}

/// The same of a method's requests.
pub(super) fn host_of(config: &Config, method: &Method) -> Host {
    let base = config.base_url_of(method);
    base.map_or(Host::Fixed, |base| host(config, base))
}

struct AimCheck<'c, 'f> {
    config: &'c Config,
    findings: &'f mut Vec<Finding>,
}

impl<'c> AimCheck<'c, '_> {
    fn host(&self, url: &UrlTemplate) -> Host {
        host(self.config, url)
    }

    fn host_of(&self, method: &Method) -> Host {
        host_of(self.config, method)
    }

    fn requests(&mut self) {
        let config = self.config;
        let mut shared = Shared::of(config);
        for (resource, methods) in &config.resources {
            for (name, method) in methods {
                let at = format!("config.resources.{resource}.{name}");
                self.request(method, &at, &mut shared);
            }
        }
        for placed in config.placed_actions() {
            for (place, step) in placed.action.placed() {
                let at = format!("{}{place}.config", placed.place());
                match &step.kind {
                    StepKind::Request(method) => self.request(method, &at, &mut shared),
                    StepKind::Call(call) => self.call(call, &at),
                    _ => {}
                }
            }
        }
        let base = config
            .base_url
            .as_ref()
            .filter(|_| config.custom != Some(false));
        if base.is_some_and(|base| self.host(base) == Host::Open) {
            self.say_all(Host::Open, shared.take_custom());
        }
        self.say_all(Host::Fixed, shared.take_rest());
    }

    fn request(&mut self, method: &'c Method, at: &str, shared: &mut Shared<'c>) {
        let host = self.host_of(method);
        self.say_all(host, operator_values::of_method(method, at));
        if host == Host::Open {
            let inherited = shared.take_for(method);
            self.say_all(host, inherited);
        }
    }

    /// What a step says in place of a caller goes where the method goes.
    fn call(&mut self, call: &MethodCall, at: &str) {
        let method = self.config.method(&call.resource, &call.method);
        let host = method.map_or(Host::Fixed, |method| self.host_of(method));
        let id = call.id.as_ref();
        let id =
            id.and_then(|id| operator_values::of_template(Name::Other, &format!("{at}.id"), id));
        let query = operator_values::of_entries(&call.query, &format!("{at}.query"));
        let body = call
            .body
            .as_ref()
            .map(|body| operator_values::of_tree(body, &format!("{at}.body")));
        self.say_all(host, id);
        self.say_all(host, query.into_iter().map(|(_, value)| value));
        self.say_all(host, body.into_iter().flatten());
    }

    /// What an action copies into the account is sent as the account's from then on.
    fn copies(&mut self) {
        let urls = self.config.urls();
        let is_open = urls.iter().any(|(_, url)| self.host(url) == Host::Open);
        let host = if is_open { Host::Open } else { Host::Fixed };
        for placed in self.config.placed_actions() {
            for (place, step) in placed.action.placed() {
                let (StepKind::SetContext(change) | StepKind::UpdateContext(change)) = &step.kind
                else {
                    continue;
                };
                let at = format!("{}{place}.config", placed.place());
                match change {
                    ContextChange::Values(tree) => {
                        self.say_all(host, operator_values::of_tree(tree, &at));
                    }
                    ContextChange::Expression(expression) => {
                        self.say_all(host, operator_values::of_computed(expression, &at));
                    }
                }
            }
        }
    }

    /// What the operator's key signs is as good as the key for as long as it lives.
    fn signed(&mut self, credential: &Credential, at: &str) {
        let urls = self.config.urls();
        let is_open = urls.iter().any(|(_, url)| self.host(url) == Host::Open);
        let jwt = credential.jwt().filter(|_| is_open);
        if let Some(jwt) = jwt.filter(|jwt| jwt.has_operators_key(can_be_operators)) {
            let path = jwt.key.as_ref().and_then(|key| Sources::of(key).variable);
            let kind = path.map_or(OperatorValueKind::Key, OperatorValueKind::Variable);
            let at = at.to_owned();
            self.say(Host::Open, OperatorValue { at, kind });
        }
    }

    fn published_keys(&mut self) {
        let urls = self.config.webhook.iter().flat_map(Webhook::jwks_urls);
        for (at, url) in urls {
            self.say_all(self.host(url), operator_values::of_url(url.template(), &at));
        }
    }

    fn say_all(&mut self, host: Host, values: impl IntoIterator<Item = OperatorValue>) {
        for value in values {
            self.say(host, value);
        }
    }

    fn say(&mut self, host: Host, OperatorValue { at, kind }: OperatorValue) {
        self.findings.extend(found(host, at, kind));
    }
}

/// The finding for a value that goes to such a host.
pub(super) fn found(host: Host, at: String, kind: OperatorValueKind) -> Option<Finding> {
    let what = match (host, kind) {
        (Host::Fixed, OperatorValueKind::Variable(_)) => return None,
        (Host::Fixed, OperatorValueKind::Key) => {
            let text =
                "this looks like a key, and every token that may read the integration can read it";
            return Some(Finding::warning(at, text).hint("write `{{environment_variables.x}}`, and set x in the `secret_environment_variables` of the install"));
        }
        (Host::Open, OperatorValueKind::Variable(path)) => format!("`{path}` is the operator's"),
        (Host::Open, OperatorValueKind::Key) => "the operator's key".to_owned(),
    };
    let text = format!("{what} and would go to a host that the file does not fix");
    Some(Finding::error(at, text).hint("name the hosts in `allowed_hosts`, without `*`, or take the value from the account's own fields"))
}
