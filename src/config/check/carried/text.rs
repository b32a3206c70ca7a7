//! What one text of a request carries.

use crate::config::check::literal::{Name, holds_key};
use crate::config::source::{Layer, Sources};
use crate::expression::{Placeholder, Template};

use super::{Carried, CarriedPart, CarriedReader, is_token};

impl CarriedReader<'_> {
    pub(super) fn add(&self, all: &mut Carried, part: CarriedPart, template: &Template) {
        let sources = Sources::of(template);
        let is_variable = sources.variable.is_some();
        let reads_token = sources.context.iter().any(|key| is_token(key));
        let mut operated = sources
            .context
            .iter()
            .filter(|key| self.is_operators_key(key));
        let is_operators = is_variable || operated.clone().next().is_some();
        let names_credential =
            names_credential(template) || operated.any(|key| Name::of(key) == Name::Credential);
        let is_credential =
            part == CarriedPart::Authorization || part.name() == Some(Name::Credential);
        let holds_key = part.name().is_some_and(|name| holds_key(name, template));
        let is_key = holds_key || (is_credential && is_operators) || names_credential;
        all.variable |= is_operators;
        all.operators_key |= is_key;
        all.mixed |= template.placeholders().any(is_mixed);
        all.operators_sign_in |=
            is_key && !matches!(part, CarriedPart::Body(_) | CarriedPart::Grant);
        all.given |= sources.whole_call;
        all.body
            .extend(sources.body.iter().map(|key| (*key).to_owned()));
        if part != CarriedPart::Host && template.placeholders().any(|one| self.is_own_secret(one)) {
            all.own_secret = true;
            all.own_path |= part == CarriedPart::Path;
            // A user's grant is bound to the client it was made by, and a password to its user.
            all.own_sign_in |= matches!(part, CarriedPart::Authorization | CarriedPart::Grant)
                || (reads_token && part != CarriedPart::Path);
        }
        let typed = if is_credential {
            &mut all.typed_key
        } else {
            &mut all.typed
        };
        if typed.is_none() {
            *typed = self.typed.key_in(&sources).map(str::to_owned);
        }
    }

    /// Whether this key of the context can hold what is the operator's.
    pub(super) fn is_operators_key(&self, key: &str) -> bool {
        if is_token(key) {
            self.grants_to_operator
        } else {
            self.operated.has(key)
        }
    }

    /// Whether this key of the context holds a secret of the customer's.
    pub(super) fn is_secret_key(&self, key: &str) -> bool {
        if is_token(key) {
            !self.grants_to_operator
        } else {
            self.secrets.contains(key)
        }
    }

    /// Whether only a secret of the customer can fill this placeholder.
    fn is_own_secret(&self, placeholder: &Placeholder) -> bool {
        let sources = Sources::of_placeholders(std::iter::once(placeholder));
        let is_account = sources.layers().into_iter().eq([Layer::Account]);
        is_account
            && !placeholder.has_fallback()
            && !sources.whole_context
            && sources.context.iter().all(|key| self.is_secret_key(key))
    }
}

/// Whether one of the variables it reads is a credential by its name.
fn names_credential(template: &Template) -> bool {
    let mut paths = template.placeholders().flat_map(Placeholder::paths);
    paths.any(|path| match path.parts() {
        [root, .., name] => {
            matches!(root.as_str(), "environment_variables" | "public_variables")
                && Name::of(name) == Name::Credential
        }
        _ => false,
    })
}

/// Whether it takes a variable where the account has no value.
fn is_mixed(placeholder: &Placeholder) -> bool {
    let layers = Sources::of_placeholders(std::iter::once(placeholder)).layers();
    layers.contains(&Layer::Account) && layers.contains(&Layer::Variables)
}
