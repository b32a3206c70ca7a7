//! A conversion under way: the definition, the words of this build, and what was lost so far.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::super::words::{Word, Words};
use super::definition::Definition;
use super::hosts::{HostPlan, config_key};
use super::interpolation::Interpolation;
use super::mode::AuthMode;
use super::names::{Names, Origin, constant};

/// Why a definition has no file.
pub type Impossible = String;

/// Who the OAuth client belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientOwner {
    /// The install's variables.
    Operator,
    /// The customer, in the form.
    Account,
}

/// When a text is used: the same name means different tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A request of the steps that get a token.
    Exchange,
    /// A call with the token.
    Call,
}

/// What a value of a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A key of the account's context, and whether it always has a value.
    Context {
        key: String,
        is_certain: bool,
    },
    /// The access token.
    Token,
    /// The refresh token.
    RefreshToken,
    /// A token that the gateway signs.
    SignedToken,
    ClientId,
    ClientSecret,
    /// A constant of the definition.
    Literal(String),
    /// A variable of the install.
    Variable(String),
    /// A value of the answer to a step: its number and its path.
    Step(usize, String),
    /// A new random identifier.
    Random,
    /// The time, in a format.
    Now(String),
}

/// What the conversion knows and writes.
pub struct Draft<'d> {
    pub definition: &'d Definition,
    pub words: &'d Words,
    pub mode: AuthMode,
    pub names: Names,
    pub hosts: HostPlan,
    pub owner: ClientOwner,
    /// What `config` will be.
    pub config: Map<String, Value>,
    pub losses: BTreeSet<String>,
    pub notes: BTreeSet<String>,
    /// Keys of the context that the provider fills.
    pub filled: BTreeSet<String>,
    /// Those of them that are there before a code is exchanged.
    pub filled_before: BTreeSet<String>,
    /// Defaults of values that alternatives gave.
    pub defaults: BTreeMap<String, String>,
    /// Requests for a token that were answered before the one that is being written.
    pub answers: usize,
}

impl<'d> Draft<'d> {
    pub fn new(definition: &'d Definition, words: &'d Words) -> Self {
        let mode = AuthMode::of(definition);
        Self {
            definition,
            words,
            owner: if mode.client_is_customers() {
                ClientOwner::Account
            } else {
                ClientOwner::Operator
            },
            mode,
            names: Names::of(definition),
            hosts: HostPlan::of(definition),
            config: Map::new(),
            losses: BTreeSet::new(),
            notes: BTreeSet::new(),
            filled: BTreeSet::new(),
            filled_before: BTreeSet::new(),
            defaults: BTreeMap::new(),
            answers: 0,
        }
    }

    pub fn lose(&mut self, text: impl Into<String>) {
        self.losses.insert(text.into());
    }

    /// Notes that a word of the vocabulary was needed and is not there.
    pub fn lack(&mut self, word: Word, what: &str) {
        self.losses.insert(format!("{}: {what}", word.name()));
    }

    /// What a dotted path of the catalogue means.
    pub fn source(&self, path: &str, stage: Stage) -> Source {
        if let Some(key) = config_key(path) {
            return self.declared(Origin::Config, key);
        }
        if let Some(key) = path.strip_prefix("assertionOption.") {
            return self.declared(Origin::Assertion, key);
        }
        let of_integration = path
            .strip_prefix("integrationConfig.")
            .or_else(|| path.strip_prefix("integration_config."));
        if let Some(key) = of_integration {
            return Source::Variable(super::names::context_key(key));
        }
        if let Some((number, path)) = step(path) {
            return Source::Step(number, path.to_owned());
        }
        let key = path.strip_prefix("credentials.").unwrap_or(path);
        if key == "random" {
            return Source::Random;
        }
        if key == "now" || key.starts_with("now:") || key.starts_with("now+") {
            return Source::Now(key.to_owned());
        }
        self.credential(key, stage)
    }

    fn credential(&self, key: &str, stage: Stage) -> Source {
        let has_signature = self.definition.object("token").is_some();
        match key {
            "assertion" if self.definition.object("assertion").is_some() => Source::SignedToken,
            "token" if stage == Stage::Exchange && has_signature => Source::SignedToken,
            _ if self.names.is_declared(Origin::Credential, key) => {
                self.declared(Origin::Credential, key)
            }
            "accessToken" | "access_token" | "token" => Source::Token,
            "refreshToken" | "refresh_token" => Source::RefreshToken,
            "clientId" | "client_id" => Source::ClientId,
            "clientSecret" | "client_secret" => Source::ClientSecret,
            _ => self.declared(Origin::Credential, key),
        }
    }

    fn declared(&self, origin: Origin, key: &str) -> Source {
        let section = self.definition.object(origin.section());
        let declared = section.and_then(|section| section.get(key));
        if let Some(text) = constant(declared) {
            return Source::Literal(text.to_owned());
        }
        let name = self.names.key(origin, key);
        let is_set =
            |word: &str| declared.and_then(|one| one.get(word)) == Some(&Value::Bool(true));
        let is_certain = !(is_set("optional") || is_set("automated"))
            || declared.is_some_and(|one| one.get("default_value").is_some())
            || self.defaults.contains_key(&name);
        Source::Context {
            key: name,
            is_certain,
        }
    }

    /// Whether a text sends a secret of the account's, or the token.
    pub fn is_secret(&self, text: &Interpolation) -> bool {
        let stage = Stage::Call;
        text.paths()
            .into_iter()
            .any(|path| match self.source(path, stage) {
                Source::Token | Source::SignedToken | Source::ClientSecret => true,
                Source::Context { key, .. } => self.credential_keys().contains(&key),
                _ => false,
            })
    }

    fn credential_keys(&self) -> Vec<String> {
        let declared = self.definition.object("credentials").into_iter().flatten();
        let declared = declared.map(|(key, _)| self.names.key(Origin::Credential, key));
        let defaults = self.mode.default_credentials().iter();
        let defaults = defaults.map(|key| (*key).to_owned());
        declared.chain(defaults).collect()
    }
}

/// `step1.access_token`
fn step(path: &str) -> Option<(usize, &str)> {
    let (number, path) = path.strip_prefix("step")?.split_once('.')?;
    Some((number.parse().ok()?, path))
}
