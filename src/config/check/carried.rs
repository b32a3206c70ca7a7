//! What a request carries, as far as it matters for whose data it opens: the operator's words, the customer's own secret,
//! and words that a customer chooses.

use crate::config::authorization::{Authorization, Header};
use crate::config::source::{Layer, Sources};
use crate::config::{Config, Entries, Method, Pagination};
use crate::expression::{Placeholder, Template, TemplateTree};

use super::client::{ClientOwner, owner, without_user};
use super::literal::{Name, holds_key};
use super::operator_values;
use super::typed::Typed;

/// Where in a request a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CarriedPart {
    /// In its address: no secret belongs there.
    Url,
    /// In what signs it in.
    Authorization,
    /// In a header, a parameter or the body, under such a name.
    Entry(Name),
}

/// What is known of all texts of a request together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // one fact of a request each
pub(super) struct Carried {
    /// Whether it reads a variable of the operator's.
    pub(super) variable: bool,
    /// Whether the operator's word is where a credential does.
    pub(super) operators_key: bool,
    /// Whether it cannot be sent without a secret of the customer's.
    pub(super) own_secret: bool,
    /// Whether that signs it in.
    pub(super) own_sign_in: bool,
    /// A key of the context that a customer can set, where it can name something.
    pub(super) typed: Option<String>,
    /// One that is where a credential does, and so can only be one.
    pub(super) typed_key: Option<String>,
    /// Whether it reads the value that it is given.
    pub(super) given: bool,
}

impl Carried {
    pub(super) fn add(&mut self, other: &Self) {
        self.variable |= other.variable;
        self.operators_key |= other.operators_key;
        self.own_secret |= other.own_secret;
        self.own_sign_in |= other.own_sign_in;
        self.given |= other.given;
        self.typed = self.typed.take().or_else(|| other.typed.clone());
        let key = self.typed_key.take();
        self.typed_key = key.or_else(|| other.typed_key.clone());
    }
}

/// What the whole file says of the keys that requests read.
pub(super) struct CarriedReader<'c> {
    pub(super) config: &'c Config,
    pub(super) typed: &'c Typed,
    /// Keys of the context that are a customer's secrets.
    secrets: std::collections::BTreeSet<String>,
    /// Whether the account's OAuth token can be the operator's own.
    grants_to_operator: bool,
}

impl<'c> CarriedReader<'c> {
    pub(super) fn new(config: &'c Config, typed: &'c Typed) -> Self {
        let grants = config.credentials.values().filter_map(without_user);
        let mut secrets = config.password_fields();
        secrets.extend(crate::config::secrets::KEYS.map(str::to_owned));
        Self {
            config,
            typed,
            secrets,
            grants_to_operator: grants
                .into_iter()
                .any(|oauth| owner(oauth) == ClientOwner::Operator),
        }
    }

    /// What a method says of its own; of the file's parts those that it takes over.
    pub(super) fn of_method(&self, method: &Method) -> Carried {
        let mut all = Carried::default();
        self.add(&mut all, CarriedPart::Url, method.path.template());
        if let Some(path) = &method.pagination_path {
            self.add(&mut all, CarriedPart::Url, path.template());
        }
        if let Some(base) = self.config.base_url_of(method) {
            self.add(&mut all, CarriedPart::Url, base.template());
        }
        self.add_entries(&mut all, &method.headers);
        self.add_entries(&mut all, &method.query);
        if let Some(body) = &method.body {
            self.add_tree(&mut all, Name::Other, body);
        }
        if let Some(pagination) = self.config.pagination_of(method) {
            self.add_pagination(&mut all, pagination);
        }
        if let Some(authorization) = self.config.authorization_of(method) {
            self.add_authorization(&mut all, authorization);
        }
        all
    }

    /// The file's headers and parameters that a method leaves as they are.
    pub(super) fn of_shared(&self, method: &Method) -> Carried {
        let mut all = Carried::default();
        let pairs = [
            (&self.config.headers, &method.headers),
            (&self.config.query, &method.query),
        ];
        for (shared, own) in pairs {
            for (name, template) in shared {
                let is_own = own.keys().any(|key| key.eq_ignore_ascii_case(name));
                if let Some(template) = template.as_ref().filter(|_| !is_own) {
                    self.add(&mut all, CarriedPart::Entry(Name::of(name)), template);
                }
            }
        }
        all
    }

    pub(super) fn of_tree(&self, tree: &TemplateTree) -> Carried {
        let mut all = Carried::default();
        self.add_tree(&mut all, Name::Other, tree);
        all
    }

    pub(super) fn add_entries(&self, all: &mut Carried, entries: &Entries) {
        for (name, template) in entries {
            if let Some(template) = template {
                self.add(all, CarriedPart::Entry(Name::of(name)), template);
            }
        }
    }

    pub(super) fn add_text(&self, all: &mut Carried, template: &Template) {
        self.add(all, CarriedPart::Entry(Name::Other), template);
    }

    /// The recursion is as deep as the file, which is bounded.
    fn add_tree(&self, all: &mut Carried, name: Name, tree: &TemplateTree) {
        match tree {
            TemplateTree::Plain(_) => {}
            TemplateTree::Text(template) => self.add(all, CarriedPart::Entry(name), template),
            TemplateTree::List(items) => {
                for item in items {
                    self.add_tree(all, name, item);
                }
            }
            TemplateTree::Object(entries) => {
                for (key, item) in entries {
                    self.add_tree(all, Name::of(key), item);
                }
            }
        }
    }

    fn add_pagination(&self, all: &mut Carried, pagination: &Pagination) {
        match pagination {
            Pagination::Cursor(cursor) => self.add_entries(all, &cursor.headers),
            Pagination::Range(range) => {
                if let Some(unit) = &range.range_unit {
                    self.add_text(all, unit);
                }
            }
            _ => {}
        }
    }

    fn add_authorization(&self, all: &mut Carried, authorization: &Authorization) {
        let part = CarriedPart::Authorization;
        all.operators_key |= !operator_values::of_authorization(authorization, "").is_empty();
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
                all.own_sign_in |= expression.source().contains("context");
            }
            Authorization::None(_) => {}
        }
    }

    /// A bearer without a text is the OAuth token.
    fn add_token(&self, all: &mut Carried) {
        all.own_sign_in |= !self.grants_to_operator;
        all.operators_key |= self.grants_to_operator;
    }

    fn add(&self, all: &mut Carried, part: CarriedPart, template: &Template) {
        let sources = Sources::of(template);
        let is_variable = sources.variable.is_some();
        let reads_token = sources.context.iter().any(|key| is_token(key));
        let is_operators_token = reads_token && self.grants_to_operator;
        let is_credential =
            part == CarriedPart::Authorization || part == CarriedPart::Entry(Name::Credential);
        let holds_key = match part {
            CarriedPart::Entry(name) => holds_key(name, template),
            CarriedPart::Url | CarriedPart::Authorization => false,
        };
        all.variable |= is_variable;
        all.operators_key |= holds_key || (is_credential && (is_variable || is_operators_token));
        all.given |= sources.call;
        if part != CarriedPart::Url && template.placeholders().any(|one| self.is_own_secret(one)) {
            all.own_secret = true;
            // A user's grant is bound to the client it was made by.
            all.own_sign_in |= part == CarriedPart::Authorization || reads_token;
        }
        let typed = if is_credential {
            &mut all.typed_key
        } else {
            &mut all.typed
        };
        if typed.is_none() {
            *typed = self.typed.word_in(&sources).map(str::to_owned);
        }
    }

    /// Whether nothing but a secret of the customer's can stand here.
    fn is_own_secret(&self, placeholder: &Placeholder) -> bool {
        let sources = Sources::of_placeholders(std::iter::once(placeholder));
        let is_account = sources.layers().into_iter().eq([Layer::Account]);
        let is_secret = |key: &&str| {
            if is_token(key) {
                !self.grants_to_operator
            } else {
                self.secrets.contains(*key)
            }
        };
        is_account
            && !placeholder.has_fallback()
            && !sources.whole_context
            && sources.context.iter().all(is_secret)
    }
}

/// The keys of the context that hold the OAuth token.
fn is_token(key: &str) -> bool {
    matches!(key, "oauth" | "access_token")
}
