//! What every call carries: `base_url`, headers, query, body, and how it is authenticated.

use serde_json::{Map, Value, json};

use super::super::words::Word;
use super::draft::{Draft, Impossible, Source, Stage};
use super::interpolation::{Interpolation, Piece};
use super::mode::AuthMode;
use super::template::{Place, quoted};

/// A header or parameter of every call.
struct SentEntry {
    name: String,
    text: String,
    value: Interpolation,
}

impl SentEntry {
    fn all(entries: Vec<(&str, std::borrow::Cow<'_, str>)>) -> Vec<Self> {
        let entries = entries.into_iter();
        entries
            .map(|(name, text)| Self {
                name: name.to_owned(),
                value: Interpolation::parse(&text),
                text: text.into_owned(),
            })
            .collect()
    }

    fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

impl Draft<'_> {
    /// Writes `base_url`, `headers`, `query`, `authorization` and `body`.
    pub fn add_requests(&mut self) -> Result<(), Impossible> {
        match super::later::base_url(self.definition) {
            Some(url) => {
                let url = self.url(url, Stage::Call)?;
                self.config.insert("base_url".to_owned(), json!(url));
            }
            None => self.lose("base_url: the definition has none"),
        }
        let mut headers = SentEntry::all(self.definition.proxy_entries("headers"));
        let mut query = SentEntry::all(self.definition.proxy_entries("query"));
        let authorization = self.authorization(&mut headers, &mut query)?;
        self.config
            .insert("authorization".to_owned(), authorization);
        for (key, entries) in [("headers", headers), ("query", query)] {
            let mut map = Map::new();
            for entry in entries {
                let value = self.template(&entry.text, Place::Entry, Stage::Call);
                map.insert(entry.name, json!(value.map_err(|unsaid| unsaid.reason())?));
            }
            if !map.is_empty() {
                self.config.insert(key.to_owned(), Value::Object(map));
            }
        }
        self.add_body()
    }

    fn add_body(&mut self) -> Result<(), Impossible> {
        let Some(body) = self.definition.proxy("body") else {
            return Ok(());
        };
        if !self.words.knows(Word::FileBody) {
            return Err(format!(
                "{}: every request carries it",
                Word::FileBody.name()
            ));
        }
        let body = self
            .tree(body, Stage::Call)
            .map_err(|unsaid| unsaid.reason())?;
        self.config.insert("body".to_owned(), body);
        Ok(())
    }

    /// How calls are authenticated. The entries that say so are taken out of the lists.
    fn authorization(
        &mut self,
        headers: &mut Vec<SentEntry>,
        query: &mut Vec<SentEntry>,
    ) -> Result<Value, Impossible> {
        if let Some(own) =
            super::later::authorization(self, headers.iter().map(|one| one.text.as_str()))?
        {
            headers.retain(|one| {
                !(one.is("authorization") || one.is("x-amz-date") || one.is("x-wsse"))
            });
            return Ok(own);
        }
        let computed: Vec<SentEntry> = take(headers, |entry| self.is_computed(entry));
        if !computed.is_empty() {
            let own = take(headers, |entry| entry.is("authorization"));
            return self.computed(&computed, own.first(), headers);
        }
        if let Some(entry) = take(headers, |entry| entry.is("authorization")).first() {
            return self.of_header(entry);
        }
        if let Some(default) = self.default_authorization(headers) {
            return Ok(default);
        }
        let first = headers.iter().position(|entry| self.reads_token(entry));
        let first = first.or_else(|| {
            headers
                .iter()
                .position(|entry| self.is_secret(&entry.value))
        });
        if let Some(first) = first {
            return self.of_header(&headers.remove(first));
        }
        let first = query.iter().position(|entry| self.is_secret(&entry.value));
        if let Some(first) = first {
            let entry = query.remove(first);
            let value = self.needed(&entry.text)?;
            return Ok(
                json!({ "format": "query", "config": { "name": entry.name, "value": value } }),
            );
        }
        Ok(json!({ "format": "none" }))
    }

    fn needed(&mut self, text: &str) -> Result<String, Impossible> {
        self.template(text, Place::Needed, Stage::Call)
            .map_err(|unsaid| unsaid.reason())
    }

    fn reads_token(&self, entry: &SentEntry) -> bool {
        let mut paths = entry.value.paths().into_iter();
        paths.any(|path| self.source(path, Stage::Call) == Source::Token)
    }

    /// What the mode sends without a header of the definition.
    fn default_authorization(&mut self, headers: &[SentEntry]) -> Option<Value> {
        match self.mode {
            AuthMode::Basic => Some(self.basic()),
            AuthMode::TwoStep if headers.iter().any(|entry| self.reads_token(entry)) => None,
            AuthMode::TwoStep | AuthMode::App | AuthMode::SignedToken => {
                Some(json!({ "format": "bearer" }))
            }
            _ if self.mode.has_oauth2() => Some(json!({ "format": "bearer" })),
            _ => None,
        }
    }

    fn basic(&mut self) -> Value {
        let username = self.of_source("username", "");
        let password = self.of_source("password", "?:");
        json!({ "format": "basic", "config": { "username": username, "password": password } })
    }

    fn of_source(&self, name: &str, default: &str) -> String {
        match self.source(&format!("credentials.{name}"), Stage::Call) {
            Source::Literal(text) => text,
            Source::Context { key, is_certain } => {
                let is_declared = self
                    .names
                    .is_declared(super::names::Origin::Credential, name);
                let default = if is_declared && is_certain {
                    ""
                } else {
                    default
                };
                format!("{{{{{key}{default}}}}}")
            }
            _ => format!("{{{{{name}}}}}"),
        }
    }

    fn of_header(&mut self, entry: &SentEntry) -> Result<Value, Impossible> {
        let pieces = entry.value.first();
        if entry.is("authorization") {
            if let Some(basic) = self.basic_of(&entry.value, Stage::Call)? {
                return Ok(basic);
            }
            if let [Piece::Text(scheme), rest @ ..] = pieces
                && scheme == "Bearer "
                && !rest.is_empty()
                && entry.value.alternatives.len() == 1
            {
                let token = self.pieces(rest, Place::Needed, Stage::Call);
                let token = token.map_err(|unsaid| unsaid.reason())?;
                return Ok(json!({ "format": "bearer", "config": { "token": token } }));
            }
        }
        let value = self.needed(&entry.text)?;
        Ok(json!({ "format": "header", "config": { "name": entry.name, "value": value } }))
    }

    /// `Basic ${base64(user:password)}` as an authorization; `None` for any other value.
    pub fn basic_of(
        &mut self,
        text: &Interpolation,
        stage: Stage,
    ) -> Result<Option<Value>, Impossible> {
        let Some((username, password)) = basic_halves(text.first()) else {
            return Ok(None);
        };
        self.note_alternatives(text);
        let half = |pieces: &[Piece]| {
            let text = self.pieces(pieces, Place::Needed, stage);
            text.map_err(|unsaid| unsaid.reason())
        };
        let config = json!({ "username": half(&username)?, "password": half(&password)? });
        Ok(Some(json!({ "format": "basic", "config": config })))
    }

    /// Whether a header needs an expression: it has a function, the time or a random value in it.
    fn is_computed(&self, entry: &SentEntry) -> bool {
        let is_basic = entry.is("authorization") && basic_halves(entry.value.first()).is_some();
        let changes = |path: &str| {
            matches!(
                self.source(path, Stage::Call),
                Source::Random | Source::Now(_)
            )
        };
        !is_basic && (entry.value.has_call() || entry.value.paths().into_iter().any(changes))
    }

    /// One expression for all computed headers and the authorization.
    fn computed(
        &mut self,
        computed: &[SentEntry],
        own: Option<&SentEntry>,
        others: &[SentEntry],
    ) -> Result<Value, Impossible> {
        let mut entries = Vec::new();
        for entry in computed.iter().chain(own) {
            self.note_alternatives(&entry.value);
            let value = self.expression(entry.value.first(), Stage::Call);
            let value = value.map_err(|unsaid| unsaid.reason())?;
            entries.push(format!("{}: {value}", quoted(&entry.name)));
        }
        let has_own = computed
            .iter()
            .chain(own)
            .any(|entry| entry.is("authorization"));
        let mut sent = computed.iter().chain(others);
        let has_token = sent.any(|entry| self.reads_token(entry));
        let default = match self.mode {
            _ if has_own => None,
            AuthMode::Basic => {
                Some("\"Basic \" & $base64encode(context.`username` & \":\" & context.`password`)")
            }
            AuthMode::ApiKey | AuthMode::Nothing => None,
            AuthMode::TwoStep if has_token => None,
            _ => Some("\"Bearer \" & context.oauth.token.access_token"),
        };
        if let Some(default) = default {
            entries.push(format!("\"authorization\": {default}"));
        }
        let expression = format!("{{ {} }}", entries.join(", "));
        Ok(json!({ "format": "header", "config": { "expression": expression } }))
    }
}

fn take(entries: &mut Vec<SentEntry>, is_taken: impl Fn(&SentEntry) -> bool) -> Vec<SentEntry> {
    let all = std::mem::take(entries);
    let (taken, kept) = all.into_iter().partition(|entry| is_taken(entry));
    *entries = kept;
    taken
}

/// The user name and the password of `Basic ${base64(user:password)}`.
pub fn basic_halves(pieces: &[Piece]) -> Option<(Vec<Piece>, Vec<Piece>)> {
    let [Piece::Text(scheme), Piece::Call { function, argument }] = pieces else {
        return None;
    };
    let is_basic = scheme == "Basic " && function == "base64";
    halves(argument).filter(|_| is_basic)
}

/// The two halves of `user:password`.
fn halves(pieces: &[Piece]) -> Option<(Vec<Piece>, Vec<Piece>)> {
    let at = pieces
        .iter()
        .position(|piece| matches!(piece, Piece::Text(text) if text.contains(':')))?;
    let Some(Piece::Text(text)) = pieces.get(at) else {
        return None;
    };
    let (end, start) = text.split_once(':')?;
    let mut before: Vec<Piece> = pieces.get(..at)?.to_vec();
    let mut after = Vec::new();
    for (half, text) in [(&mut before, end), (&mut after, start)] {
        if !text.is_empty() {
            half.push(Piece::Text(text.to_owned()));
        }
    }
    after.extend(pieces.get(at + 1..)?.iter().cloned());
    Some((before, after))
}
