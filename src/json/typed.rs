//! A JSON value as a type, and where in the value a mistake is. One deserializer for values: `serde_json`'s own and
//! `serde_path_to_error` around it were a sixth of the Worker's code, since each is compiled for each type.

mod elements;
mod part;
#[cfg(test)]
mod tests;
mod variant;

use std::cell::RefCell;
use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Error, Value};

use super::place::Place;
use part::Part;

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathStep {
    Key(String),
    Index(usize),
}

/// Why a value is not of a type.
#[derive(Debug)]
pub struct Mistake {
    /// From the value to the innermost part that could not be read.
    pub place: Vec<PathStep>,
    /// Without the place.
    pub error: Error,
}

impl Mistake {
    /// The place as `a.b[0]`; empty for the whole value.
    pub fn path(&self) -> String {
        self.place
            .iter()
            .fold(String::new(), |path, step| match step {
                PathStep::Key(key) if path.is_empty() => key.clone(),
                PathStep::Key(key) => format!("{path}.{key}"),
                PathStep::Index(index) => format!("{path}[{index}]"),
            })
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(out)
    }
}

/// Reads a value as a type.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Mistake> {
    let found = Found::default();
    T::deserialize(Part {
        value,
        place: Place::Root(""),
        found: &found,
    })
    .map_err(|error| Mistake {
        place: found.take().unwrap_or_default(),
        error,
    })
}

/// The place of the first mistake, which is the innermost.
type Found = RefCell<Option<Vec<PathStep>>>;

impl Place<'_> {
    fn steps(&self) -> Vec<PathStep> {
        let (parent, step) = match self {
            Place::Root(_) => return Vec::new(),
            Place::Key(parent, key) => (parent, PathStep::Key((*key).to_owned())),
            Place::Index(parent, index) => (parent, PathStep::Index(*index)),
        };
        let mut steps = parent.steps();
        steps.push(step);
        steps
    }

    fn note(&self, found: &Found) {
        found.borrow_mut().get_or_insert_with(|| self.steps());
    }
}
