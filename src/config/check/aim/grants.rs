//! The operator's values in what tokens are asked for with.

use crate::config::check::client::can_be_operators;
use crate::config::check::literal::Name;
use crate::config::check::operator_values::{self, OperatorValue, OperatorValueKind};
use crate::config::credentials::{AlsoFor, Endpoints, OAuth2};
use crate::config::source::Sources;
use crate::expression::{Template, UrlTemplate};

use super::{AimCheck, Host};

impl AimCheck<'_, '_> {
    pub(super) fn grants(&mut self, oauth: &OAuth2, at: &str) {
        let auth = &oauth.auth;
        let hosts = |urls: &[&Option<UrlTemplate>]| {
            let mut set = urls.iter().filter_map(|url| url.as_ref());
            if set.any(|url| self.host(url) == Host::Open) {
                Host::Open
            } else {
                Host::Fixed
            }
        };
        let token = match &auth.discover {
            Some(_) => self.discovered(auth),
            None => hosts(&[&auth.token_host, &auth.token_url, &auth.refresh_url]),
        };
        let authorize = match (&auth.authorize_host, &auth.authorize_url) {
            (None, None) if auth.discover.is_some() => token,
            (None, None) => hosts(&[&auth.token_host]),
            (host, url) => hosts(&[host, url]),
        };
        let of_also = |own: &AlsoFor| own.token_url.as_ref().map_or(token, |url| self.host(url));
        let also: Vec<(&String, &AlsoFor, Host)> = oauth
            .also_for
            .iter()
            .map(|(name, own)| (name, own, of_also(own)))
            .collect();
        if token == Host::Open || also.iter().any(|(_, _, host)| *host == Host::Open) {
            self.client(oauth, at);
        }
        for (name, own, host) in also {
            self.also(own, host, &format!("{at}.alsoFor.{name}"));
        }
        for (key, params, host) in [
            ("tokenParams", &oauth.token_params, token),
            ("refreshParams", &oauth.refresh_params, token),
            ("tokenHeaders", &oauth.token_headers, token),
            ("params", &oauth.params, authorize),
        ] {
            for (name, value) in params {
                let at = format!("{at}.{key}.{name}");
                let values = operator_values::of_template(Name::of(name), &at, value);
                self.say_all(host, values);
            }
        }
        let either = if authorize == Host::Open {
            authorize
        } else {
            token
        };
        for (index, scope) in oauth.scope.iter().enumerate() {
            self.say_all(
                either,
                operator_values::of_template(Name::Other, &format!("{at}.scope[{index}]"), scope),
            );
        }
        self.endpoints(auth, (token, authorize), at);
    }

    fn endpoints(&mut self, auth: &Endpoints, (token, authorize): (Host, Host), at: &str) {
        for (key, path) in auth.paths() {
            let host = if key == "authorizePath" {
                authorize
            } else {
                token
            };
            self.say_all(
                host,
                operator_values::of_url(path.template(), &format!("{at}.auth.{key}")),
            );
        }
        for (key, url) in auth.urls() {
            self.say_all(
                self.host(url),
                operator_values::of_url(url.template(), &format!("{at}.auth.{key}")),
            );
        }
    }

    /// Who answers says where the endpoints are: the hosts are the file's choice where it lists them, or names the issuer.
    fn discovered(&self, auth: &Endpoints) -> Host {
        let hosts = self.config.allowed_hosts.as_ref();
        let is_listed = hosts.is_some_and(|hosts| !hosts.is_any());
        let is_operators = |issuer: &Template| {
            let sources = Sources::of(issuer);
            sources.context.is_empty() && !sources.whole_context
        };
        if is_listed || auth.issuer.as_ref().is_some_and(is_operators) {
            Host::Fixed
        } else {
            Host::Open
        }
    }

    /// An id alone is public. Where the operator's id has no secret, the secret may be a sealed one.
    fn client(&mut self, oauth: &OAuth2, at: &str) {
        let (id, secret) = (oauth.client.id.as_ref(), oauth.client.secret.as_ref());
        let variable = id.and_then(|id| Sources::of(id).variable);
        if let Some(path) = variable {
            let at = format!("{at}.client.id");
            self.say(
                Host::Open,
                OperatorValue {
                    at,
                    kind: OperatorValueKind::Variable(path),
                },
            );
        }
        let is_operators = secret.or(id).is_some_and(can_be_operators);
        if is_operators {
            let path = secret.and_then(|secret| Sources::of(secret).variable);
            let at = format!("{at}.client.secret");
            self.say(
                Host::Open,
                OperatorValue {
                    at,
                    kind: path.map_or(OperatorValueKind::Key, OperatorValueKind::Variable),
                },
            );
        }
    }
}
