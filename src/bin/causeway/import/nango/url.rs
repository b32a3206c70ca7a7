//! The catalogue's URLs as templates, with what `allowed_hosts` needs noted.

use super::super::words::Word;
use super::domain;
use super::draft::{Draft, Impossible, Source, Stage};
use super::hosts::config_key;
use super::interpolation::{Interpolation, Piece, paths_of};
use super::names::Origin;
use super::rewrite::{RewrittenUrl, rewritten};
use super::template::{Place, Unsaid, between, fits_default};
use super::url_pieces::UrlPieces;

impl Draft<'_> {
    /// A URL as a template.
    pub fn url(&mut self, text: &str, stage: Stage) -> Result<String, Impossible> {
        if let Some(url) = rewritten(text).filter(|url| self.hosts.rewrites.contains_key(&url.key))
        {
            return Ok(self.rewritten_url(&url));
        }
        let text = Interpolation::parse(text);
        let [left, right] = text.alternatives.as_slice() else {
            self.note_alternatives(&text);
            return self.url_of(text.first(), stage);
        };
        if let Some((_, path, default, _)) = between(left, right) {
            self.set_default(&path, &default);
            self.pin(right);
            return self.url_of(left, stage);
        }
        if self.is_unused(right) {
            return self.url_of(left, stage);
        }
        if self.is_filled(right, stage) {
            self.pin(left);
            return self.url_of(right, stage);
        }
        if self.is_filled(right, Stage::Call) {
            self.lack(Word::CallbackBeforeExchange, "the token endpoint");
        } else {
            self.lose(Unsaid::Alternatives.reason());
        }
        self.url_of(left, stage)
    }

    fn pin(&mut self, pieces: &[Piece]) {
        self.hosts.pin(&UrlPieces::of(pieces), self.definition);
    }

    /// Whether an alternative reads a hidden value that is empty: only old connections have one.
    fn is_unused(&self, pieces: &[Piece]) -> bool {
        let mut sources = paths_of(pieces)
            .into_iter()
            .map(|path| self.source(path, Stage::Call));
        sources.any(|source| source == Source::Literal(String::new()))
    }

    /// Whether the provider fills the one value that an alternative consists of.
    fn is_filled(&self, pieces: &[Piece], stage: Stage) -> bool {
        let paths = paths_of(pieces);
        let keys = paths.iter().filter_map(|path| config_key(path));
        let mut keys = keys.map(|key| self.names.key(Origin::Config, key));
        let filled = match stage {
            Stage::Exchange => &self.filled_before,
            Stage::Call => &self.filled,
        };
        paths.len() == 1 && keys.all(|key| filled.contains(&key))
    }

    /// The default of a value that is a host has the form of the field's values.
    fn set_default(&mut self, path: &str, default: &str) {
        let Source::Context { key, .. } = self.source(path, Stage::Call) else {
            return;
        };
        let is_whole = config_key(path).is_some_and(|key| self.hosts.whole.contains(key));
        let default = if is_whole && !default.contains("://") {
            format!("https://{default}")
        } else {
            default.to_owned()
        };
        if fits_default(&default) {
            self.defaults.insert(key, default);
        }
    }

    fn rewritten_url(&mut self, url: &RewrittenUrl) -> String {
        let config = self.definition.object("connection_config");
        if let Some(declared) = config.and_then(|config| config.get(&url.key)) {
            for (_, value) in super::rewrite::options(declared, &url.rewrite) {
                let text = format!("{}{value}{}", url.start, url.end);
                self.hosts.allowed.insert(domain::host_of(&text).to_owned());
            }
        }
        self.hosts.is_listed = true;
        self.hosts.dotted.insert(url.key.clone());
        let key = self.names.key(Origin::Config, &url.key);
        let RewrittenUrl { start, end, .. } = url;
        let default = &url.rewrite.default;
        format!("{start}{{{{{key}?:{default}}}}}{end}")
    }

    fn url_of(&mut self, pieces: &[Piece], stage: Stage) -> Result<String, Impossible> {
        let url = UrlPieces::of(pieces);
        self.hosts.pin(&url, self.definition);
        let lone = url.lone_host().and_then(config_key);
        let is_whole = lone.is_some_and(|key| self.hosts.whole.contains(key));
        let written = |pieces: &[Piece]| {
            self.pieces(pieces, Place::Needed, stage)
                .map_err(|unsaid| unsaid.reason())
        };
        let (host, rest) = (written(&url.host)?, written(&url.rest)?);
        let port = match &url.port {
            Some(port) => format!(":{}", written(port)?),
            None => String::new(),
        };
        match &url.scheme {
            Some(scheme) if !is_whole => Ok(format!("{scheme}://{host}{port}{rest}")),
            _ if host.is_empty() => Err("URL: it names no host".to_owned()),
            None if lone.is_none() && !matches!(url.host.as_slice(), [Piece::Value(_)]) => {
                Err("URL: it has no scheme".to_owned())
            }
            _ => Ok(format!("{host}{port}{rest}")),
        }
    }
}
