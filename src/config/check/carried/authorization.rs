//! What signs a request in, and for whom.

use crate::config::authorization::{Authorization, Header, Oauth1Signature};
use crate::config::check::client::can_be_operators;
use crate::config::check::literal::Name;
use crate::config::check::operator_values;
use crate::expression::Expression;

use super::{Carried, CarriedPart, CarriedReader, is_token};

impl CarriedReader<'_> {
    pub(super) fn of_authorizations(&self, authorizations: &[Authorization]) -> Carried {
        let mut all = Carried::default();
        for one in authorizations {
            self.add_authorization(&mut all, one);
        }
        all
    }

    fn add_authorization(&self, all: &mut Carried, authorization: &Authorization) {
        let part = CarriedPart::Authorization;
        if !operator_values::of_authorization(authorization, "").is_empty() {
            all.operators_key = true;
            all.operators_sign_in = true;
        }
        match authorization {
            Authorization::Bearer(bearer) => match &bearer.token {
                Some(token) => self.add(all, part, token),
                None => self.add_token(all),
            },
            Authorization::Basic(basic) => {
                self.add(all, part, &basic.username);
                if let Some(password) = &basic.password {
                    self.add(all, part, password);
                }
            }
            Authorization::Header(Header::Fixed { value, .. }) => self.add(all, part, value),
            Authorization::Query(query) => self.add(all, part, &query.value),
            // It sees no variables; what it makes of the context is the account's.
            Authorization::Header(Header::Computed { expression }) => {
                self.add_computed(all, expression);
            }
            Authorization::AwsSigv4(own) => {
                self.add(all, part, &own.access_key_id);
                self.add(all, part, &own.secret_access_key);
                if let Some(token) = &own.session_token {
                    self.add(all, part, token);
                }
                for scope in [&own.region, &own.service] {
                    self.add(all, CarriedPart::Entry(Name::Other), scope);
                }
            }
            Authorization::Oauth1(own) => self.add_oauth1(all, own),
            Authorization::None(_) => {}
        }
    }

    /// The token opens what its owner has; without one the client opens what is its own.
    fn add_oauth1(&self, all: &mut Carried, own: &Oauth1Signature) {
        let part = CarriedPart::Authorization;
        if let Some(consumer) = &own.consumer {
            self.add(all, part, &consumer.id);
            if let Some(secret) = &consumer.secret {
                self.add(all, part, secret);
            }
            let is_operators = can_be_operators(consumer.owner());
            all.operators_key |= is_operators;
            all.operators_sign_in |= is_operators;
        }
        for template in own.token.iter().chain(&own.token_secret) {
            self.add(all, part, template);
        }
        if own.token.is_none() && own.has_stored_token {
            self.add_token(all);
        }
        if let Some(realm) = &own.realm {
            self.add(all, CarriedPart::Entry(Name::Other), realm);
        }
    }

    /// A bearer without a text is the OAuth token.
    fn add_token(&self, all: &mut Carried) {
        all.own_sign_in |= !self.grants_to_operator;
        all.operators_key |= self.grants_to_operator;
        all.operators_sign_in |= self.grants_to_operator;
    }

    /// It authenticates as the customer where it gives something of the context, and looks at nothing there but their secrets.
    fn add_computed(&self, all: &mut Carried, expression: &Expression) {
        let flow = expression.context_root();
        let mut names = flow.names.iter().flatten().map(String::as_str);
        let is_secret = |key: &str| self.is_secret_key(key);
        all.own_sign_in |= flow.flows && flow.names.is_some() && names.all(is_secret);
        let mut names = flow.names.iter().flatten().map(String::as_str);
        let is_operators = flow.flows
            && match &flow.names {
                Some(_) => names.any(|key| self.is_operators_key(key)),
                None => self.grants_to_operator || !self.operated.is_empty(),
            };
        all.operators_key |= is_operators;
        all.operators_sign_in |= is_operators;
        let mut names = flow.names.iter().flatten();
        let is_typed =
            |key: &&String| !is_token(key) && !self.is_secret_key(key) && self.typed.has(key);
        let typed = names.find(is_typed);
        all.typed = all.typed.take().or_else(|| typed.cloned());
    }
}
