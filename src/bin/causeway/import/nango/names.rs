//! The keys of an account's context under which a definition's values are.

use std::collections::{BTreeMap, BTreeSet};

use causeway::expression::scope::TEMPLATE_ROOTS;
use serde_json::Value;

use super::definition::{Definition, text};

/// Where a value of the customer's is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `connection_config`
    Config,
    /// `credentials`
    Credential,
    /// `assertion_option`
    Assertion,
}

impl Origin {
    pub const ALL: [Self; 3] = [Self::Config, Self::Credential, Self::Assertion];

    pub fn section(self) -> &'static str {
        match self {
            Self::Config => "connection_config",
            Self::Credential => "credentials",
            Self::Assertion => "assertion_option",
        }
    }
}

/// The context key of each value.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<(Origin, String), String>);

impl Names {
    pub fn of(definition: &Definition) -> Self {
        let (mut names, mut taken) = (Self::default(), BTreeSet::new());
        for origin in Origin::ALL {
            let declared = definition.object(origin.section()).into_iter().flatten();
            for (key, _) in declared {
                names.add(origin, key, &mut taken);
            }
        }
        names
    }

    fn add(&mut self, origin: Origin, key: &str, taken: &mut BTreeSet<String>) {
        let mut name = context_key(key);
        while !taken.insert(name.clone()) {
            name = format!("credential_{name}");
        }
        self.0.insert((origin, key.to_owned()), name);
    }

    /// The context key of a value. One that is not declared has the key that it would be declared with.
    pub fn key(&self, origin: Origin, key: &str) -> String {
        let declared = self.0.get(&(origin, key.to_owned()));
        declared.cloned().unwrap_or_else(|| context_key(key))
    }

    pub fn is_declared(&self, origin: Origin, key: &str) -> bool {
        self.0.contains_key(&(origin, key.to_owned()))
    }
}

/// Names that the gateway reads by default.
const OF_CREDENTIALS: [(&str, &str); 3] = [
    ("apiKey", "api_key"),
    ("clientId", "client_id"),
    ("clientSecret", "client_secret"),
];

/// A name that a placeholder can have and that means nothing else there.
pub fn context_key(name: &str) -> String {
    let known = OF_CREDENTIALS.iter().find(|(own, _)| *own == name);
    if let Some((_, key)) = known {
        return (*key).to_owned();
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let key: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    let is_reserved = TEMPLATE_ROOTS.contains(&key.as_str())
        || key.is_empty()
        || ["oauth", "access_token", "refresh_token", "jwt", "random"].contains(&key.as_str());
    if is_reserved {
        format!("{key}_value")
    } else {
        key
    }
}

/// A value that the customer does not see and that is always the same.
pub fn constant(declared: Option<&Value>) -> Option<&str> {
    let declared = declared?;
    let is_hidden = matches!(declared.get("hidden"), Some(Value::Bool(true)))
        || text(declared.get("hidden")) == Some("true");
    let default = declared.get("default_value").and_then(Value::as_str);
    default.filter(|_| is_hidden)
}
