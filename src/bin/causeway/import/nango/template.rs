//! From the catalogue's texts to the templates and expressions of an integration file.

use serde_json::Value;

use super::clock::now;
use super::draft::{ClientOwner, Draft, Source, Stage};
use super::interpolation::{Interpolation, Piece, paths_of};

/// Where a template is, which decides what becomes of it without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The request cannot be built.
    Needed,
    /// The entry is left out.
    Entry,
}

/// What a template cannot say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsaid {
    /// A function, or the time: an expression may say it.
    Computed(String),
    /// Alternatives that differ in more than one value.
    Alternatives,
}

impl Unsaid {
    pub fn reason(&self) -> String {
        match self {
            Self::Computed(function) => format!("computed value: {function}"),
            Self::Alternatives => "A || B: only the first is kept".to_owned(),
        }
    }
}

/// Characters of a default in a placeholder.
pub fn fits_default(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_-./: ".contains(c);
    let last = text.rsplit(':').next().unwrap_or_default().trim();
    let is_cast = [
        "str",
        "int",
        "num",
        "bool",
        "json",
        "any",
        "null",
        "undefined",
    ];
    text.chars().all(fits) && !(text.contains(':') && is_cast.contains(&last))
}

impl Draft<'_> {
    /// A text as a template. Of alternatives that a template cannot say, the first is kept, with a loss.
    pub fn template(&mut self, text: &str, place: Place, stage: Stage) -> Result<String, Unsaid> {
        let text = Interpolation::parse(text);
        if let [left, right] = text.alternatives.as_slice()
            && let Some((before, path, default, after)) = between(left, right)
        {
            return self.with_default((&before, &path, &default, &after), stage);
        }
        self.note_alternatives(&text);
        self.pieces(text.first(), place, stage)
    }

    /// Notes the alternatives that are left out where only the first is written.
    pub fn note_alternatives(&mut self, text: &Interpolation) {
        if text.alternatives.len() > 1 {
            self.lose(Unsaid::Alternatives.reason());
        }
    }

    /// `${x} || literal`, with the same text around both.
    fn with_default(
        &mut self,
        (before, path, default, after): (&str, &str, &str, &str),
        stage: Stage,
    ) -> Result<String, Unsaid> {
        let source = self.source(path, stage);
        if let Source::Context { key, .. } = &source {
            self.defaults.insert(key.clone(), default.to_owned());
        }
        let inner = match source {
            Source::Literal(text) if text.is_empty() => default.to_owned(),
            Source::Context { key, .. } if fits_default(default) => {
                format!("{{{{{key}?:{default}}}}}")
            }
            // The field's own default says it.
            source => self.placeholder(&source, Place::Needed)?,
        };
        Ok(format!("{before}{inner}{after}"))
    }

    /// Pieces of a text as a template.
    pub fn pieces(&self, pieces: &[Piece], place: Place, stage: Stage) -> Result<String, Unsaid> {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(path) => {
                    out.push_str(&self.placeholder(&self.source(path, stage), place)?);
                }
                Piece::Call { function, .. } => return Err(Unsaid::Computed(function.clone())),
            }
        }
        Ok(out)
    }

    fn placeholder(&self, source: &Source, place: Place) -> Result<String, Unsaid> {
        let path = match source {
            Source::Literal(text) => return Ok(text.clone()),
            Source::Random => return Err(Unsaid::Computed("random".to_owned())),
            Source::Now(format) => return Err(Unsaid::Computed(format.clone())),
            Source::Context { key, is_certain } => {
                let default = self.defaults.get(key).filter(|text| fits_default(text));
                if let Some(default) = default {
                    return Ok(format!("{{{{{key}?:{default}}}}}"));
                }
                let is_optional = place == Place::Entry && !is_certain;
                format!("{key}{}", if is_optional { ":undefined" } else { "" })
            }
            Source::Token => "oauth.token.access_token".to_owned(),
            Source::RefreshToken => "oauth.token.refresh_token".to_owned(),
            Source::SignedToken => "jwt".to_owned(),
            Source::ClientId => self.client("client_id"),
            Source::ClientSecret => self.client("client_secret"),
            Source::Variable(name) => format!("environment_variables.{name}"),
            Source::Step(number, path) if *number == self.answers => format!("body.{path}"),
            Source::Step(number, path) => format!("step{number}.{path}"),
        };
        Ok(format!("{{{{{path}}}}}"))
    }

    fn client(&self, key: &str) -> String {
        match self.owner {
            ClientOwner::Operator => format!("environment_variables.{key}"),
            ClientOwner::Account => key.to_owned(),
        }
    }

    /// Pieces as a JSONata expression over `context`.
    pub fn expression(&self, pieces: &[Piece], stage: Stage) -> Result<String, Unsaid> {
        let mut parts = Vec::new();
        for piece in pieces {
            parts.push(match piece {
                Piece::Text(text) => quoted(text),
                Piece::Value(path) => self.read(&self.source(path, stage))?,
                Piece::Call { function, argument } => self.call(function, argument, stage)?,
            });
        }
        if parts.is_empty() {
            return Ok("\"\"".to_owned());
        }
        Ok(parts.join(" & "))
    }

    fn call(&self, function: &str, argument: &[Piece], stage: Stage) -> Result<String, Unsaid> {
        match function {
            "base64" => Ok(format!(
                "$base64encode({})",
                self.expression(argument, stage)?
            )),
            other => super::signing::call(self, other, argument, stage)
                .unwrap_or_else(|| Err(Unsaid::Computed(other.to_owned()))),
        }
    }

    fn read(&self, source: &Source) -> Result<String, Unsaid> {
        let computed = |text: &str| Err(Unsaid::Computed(text.to_owned()));
        Ok(match source {
            Source::Literal(text) => quoted(text),
            Source::Context { key, .. } => format!("context.`{key}`"),
            Source::Token => "context.oauth.token.access_token".to_owned(),
            Source::RefreshToken => "context.oauth.token.refresh_token".to_owned(),
            Source::ClientId if self.owner == ClientOwner::Account => {
                "context.client_id".to_owned()
            }
            Source::ClientSecret if self.owner == ClientOwner::Account => {
                "context.client_secret".to_owned()
            }
            Source::Random => RANDOM.to_owned(),
            Source::Now(format) => return now(format).map_or_else(|| computed(format), Ok),
            Source::SignedToken => return computed("a signed token in an expression"),
            Source::ClientId | Source::ClientSecret | Source::Variable(_) => {
                return computed("a variable in an expression");
            }
            Source::Step(..) => return computed("a step in an expression"),
        })
    }

    /// A JSON value with templates in its texts.
    pub fn tree(&mut self, value: &Value, stage: Stage) -> Result<Value, Unsaid> {
        Ok(match value {
            Value::String(text) => Value::String(self.template(text, Place::Entry, stage)?),
            Value::Array(items) => {
                let items = items.iter().map(|item| self.tree(item, stage));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Value::Object(keys) => {
                let keys = keys.iter();
                let keys = keys.map(|(key, value)| Ok((key.clone(), self.tree(value, stage)?)));
                Value::Object(keys.collect::<Result<_, _>>()?)
            }
            other => other.clone(),
        })
    }
}

/// A random UUID of version 4.
const RANDOM: &str = "$replace(\"xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx\", /x/, function($x) { $formatBase($floor($random() * 16), 16) })";

/// A text of JSONata.
pub fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// The text before the value, its path, the default, and the text behind it, where the second alternative is a literal
/// with the same text around.
pub fn between(left: &[Piece], right: &[Piece]) -> Option<(String, String, String, String)> {
    if paths_of(left).len() != 1 || !paths_of(right).is_empty() {
        return None;
    }
    let literal = match right {
        [] => "",
        [Piece::Text(text)] => text,
        _ => return None,
    };
    let (mut before, mut path, mut after) = (String::new(), None, String::new());
    for piece in left {
        match piece {
            Piece::Text(text) if path.is_none() => before.push_str(text),
            Piece::Text(text) => after.push_str(text),
            Piece::Value(own) => path = Some(own.clone()),
            Piece::Call { .. } => return None,
        }
    }
    let default = literal.strip_prefix(before.as_str())?;
    let default = default.strip_suffix(after.as_str())?;
    Some((before, path?, default.to_owned(), after))
}
