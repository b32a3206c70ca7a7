//! The input of an expression or a placeholder: a JSON object with the names of its scope.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use std::sync::LazyLock;

use causeway::json;
use serde_json::{Map, Value};

use crate::problem::Problem;

static NULL: Value = Value::Null;
static EMPTY: LazyLock<Value> = LazyLock::new(|| Value::Object(Map::new()));

/// The values of the scope.
pub struct InputValues(Map<String, Value>);

impl InputValues {
    /// Reads `file`, or standard input. Empty input gives empty values. Only `known` names are allowed: a misspelt name
    /// would otherwise look like a missing value.
    pub fn read(file: Option<&Path>, known: &[&str]) -> Result<Self, Problem> {
        let text = match file {
            Some(path) => fs::read_to_string(path)
                .map_err(|error| failed(&format!("{} cannot be read: {error}", path.display())))?,
            None => standard_input()?,
        };
        if text.trim().is_empty() {
            return Ok(Self(Map::new()));
        }
        let value = json::read(text.as_bytes())
            .map_err(|error| failed(&format!("the input is not JSON: {error}")))?;
        let Value::Object(names) = value else {
            return Err(failed(&format!(
                "the input is not an object; it may have: {}",
                known.join(", ")
            )));
        };
        match names.keys().find(|name| !known.contains(&name.as_str())) {
            Some(other) => Err(failed(&format!(
                "the input has `{other}`, which this scope does not have; it may have: {}",
                known.join(", ")
            ))),
            None => Ok(Self(names)),
        }
    }

    pub fn find(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The value of a name, or null.
    pub fn value(&self, name: &str) -> &Value {
        self.find(name).unwrap_or(&NULL)
    }

    /// The value of a name, or an empty object, as in the gateway.
    pub fn object(&self, name: &str) -> &Value {
        self.find(name).unwrap_or(&EMPTY)
    }

    /// The text of a name, or `default`.
    pub fn text_or<'a>(&'a self, name: &str, default: &'a str) -> Result<&'a str, Problem> {
        match self.find(name) {
            None => Ok(default),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(failed(&format!("`{name}` of the input is not a text"))),
        }
    }

    /// Changes the names of `headers` to lower case, as in the gateway.
    pub fn lower_header_names(&mut self) {
        let Some(Value::Object(headers)) = self.0.get_mut("headers") else {
            return;
        };
        *headers = std::mem::take(headers)
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect();
    }
}

/// A terminal is not read: a command that needs no input should not need Ctrl-D.
fn standard_input() -> Result<String, Problem> {
    let mut text = String::new();
    if !io::stdin().is_terminal() {
        io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| failed(&format!("standard input cannot be read: {error}")))?;
    }
    Ok(text)
}

fn failed(text: &str) -> Problem {
    Problem::Failed(text.to_owned())
}
