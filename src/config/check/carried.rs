//! What a request carries, as far as it matters for whose data it opens: the operator's values, the customer's own
//! secret, and values that a customer chooses.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::config::{BodyEntries, Config, Entries, Method, Pagination};
use crate::expression::{Template, TemplateTree};

use super::client::grants_to_operator;
use super::literal::Name;
use super::operated::Operated;
use super::typed::Typed;

mod authorization;
mod text;

/// Where in a request a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CarriedPart {
    /// In the host of its address: no secret belongs there.
    Host,
    /// In its path.
    Path,
    /// In what signs it in.
    Authorization,
    /// In a header or a parameter, under such a name.
    Entry(Name),
    /// In the body, under such a name.
    Body(Name),
    /// In the body, as what a grant is asked for by (RFC 6749).
    Grant,
}

impl CarriedPart {
    /// A value of the body under this name.
    fn of_body(name: &str) -> Self {
        match name {
            "password" | "refresh_token" => Self::Grant,
            name => Self::Body(Name::of(name)),
        }
    }

    fn name(self) -> Option<Name> {
        match self {
            Self::Entry(name) | Self::Body(name) => Some(name),
            Self::Grant => Some(Name::Credential),
            Self::Host | Self::Path | Self::Authorization => None,
        }
    }
}

/// What is known of all texts of a request together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // one fact of a request each
pub(super) struct Carried {
    /// Whether it reads a variable of the operator's.
    pub(super) variable: bool,
    /// Whether an operator's value is where a credential goes.
    pub(super) operators_key: bool,
    /// Whether it does so outside of the body.
    pub(super) operators_sign_in: bool,
    /// Whether it takes the operator's variable where the customer says nothing.
    pub(super) mixed: bool,
    /// Whether it cannot be sent without a secret of the customer's.
    pub(super) own_secret: bool,
    /// Whether that signs it in.
    pub(super) own_sign_in: bool,
    /// Whether its path contains one.
    pub(super) own_path: bool,
    /// A key of the context that a customer can set, where it can name something.
    pub(super) typed: Option<String>,
    /// One that is where a credential does, and so can only be one.
    pub(super) typed_key: Option<String>,
    /// Whether it reads the value that it is given, or more of it than some keys.
    pub(super) given: bool,
    /// The keys of that value that it reads.
    pub(super) body: BTreeSet<String>,
}

impl Carried {
    pub(super) fn add(&mut self, other: &Self) {
        self.variable |= other.variable;
        self.operators_key |= other.operators_key;
        self.operators_sign_in |= other.operators_sign_in;
        self.mixed |= other.mixed;
        self.own_secret |= other.own_secret;
        self.own_sign_in |= other.own_sign_in;
        self.own_path |= other.own_path;
        self.given |= other.given;
        self.body.extend(other.body.iter().cloned());
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
    secrets: BTreeSet<String>,
    /// What of the context can be the operator's own.
    operated: &'c Operated,
    /// Whether the account's OAuth token can be.
    grants_to_operator: bool,
    /// What the file's own authorization carries.
    authorization: OnceCell<Carried>,
}

impl<'c> CarriedReader<'c> {
    pub(super) fn new(config: &'c Config, typed: &'c Typed, operated: &'c Operated) -> Self {
        let mut grants = config.credentials.values();
        let mut secrets = config.password_fields();
        secrets.extend(crate::config::secrets::KEYS.map(str::to_owned));
        secrets.retain(|key| !operated.has(key));

        Self {
            config,
            typed,
            secrets,
            operated,
            grants_to_operator: operated.is_token() || grants.any(grants_to_operator),
            authorization: OnceCell::new(),
        }
    }

    /// What a method itself carries, and the parts of the file that it inherits.
    pub(super) fn of_method(&self, method: &Method) -> Carried {
        let mut all = Carried::default();
        self.add(&mut all, CarriedPart::Path, method.path.template());
        if let Some(path) = &method.pagination_path {
            self.add(&mut all, CarriedPart::Path, path.template());
        }
        if let Some(base) = self.config.base_url_of(method) {
            let part = if has_plain_host(base.template()) {
                CarriedPart::Path
            } else {
                CarriedPart::Host
            };
            self.add(&mut all, part, base.template());
        }
        self.add_entries(&mut all, &method.headers);
        self.add_entries(&mut all, &method.query);
        if let Some(body) = &method.body {
            self.add_tree(&mut all, CarriedPart::Body(Name::Other), body);
        }
        if let Some(pagination) = self.config.pagination_of(method) {
            self.add_pagination(&mut all, pagination);
        }
        let authorizations = self.config.authorizations_of(method);
        if std::ptr::eq(self.config.authorizations(), authorizations) {
            let shared = self
                .authorization
                .get_or_init(|| self.of_authorizations(authorizations));
            all.add(shared);
        } else {
            all.add(&self.of_authorizations(authorizations));
        }
        all
    }

    /// The file's headers, parameters and entries of the body that a method leaves as they are.
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
        let body = self.config.body.iter();
        for (name, tree) in body.flat_map(BodyEntries::entries) {
            if method.sends_file_entry(name) {
                self.add_tree(&mut all, CarriedPart::of_body(name), tree);
            }
        }
        all
    }

    pub(super) fn of_tree(&self, tree: &TemplateTree) -> Carried {
        let mut all = Carried::default();
        self.add_tree(&mut all, CarriedPart::Body(Name::Other), tree);
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
    fn add_tree(&self, all: &mut Carried, part: CarriedPart, tree: &TemplateTree) {
        match tree {
            TemplateTree::Plain(_) => {}
            TemplateTree::Text(template) => self.add(all, part, template),
            TemplateTree::List(items) => {
                for item in items {
                    self.add_tree(all, part, item);
                }
            }
            TemplateTree::Object(entries) => {
                for (key, item) in entries {
                    self.add_tree(all, CarriedPart::of_body(key), item);
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
}

/// Whether the origin of a URL has no placeholder.
fn has_plain_host(url: &Template) -> bool {
    let marked = url.marked("\0");
    let host = marked.split_once("://").map(|(_, rest)| rest);
    let host = host.and_then(|rest| rest.split('/').next());
    marked.contains("://") && host.is_some_and(|host| !host.contains('\0'))
}

/// The keys of the context that hold the OAuth token.
pub(super) fn is_token(key: &str) -> bool {
    matches!(key, "oauth" | "access_token")
}
