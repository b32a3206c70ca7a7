//! Patterns that a whole text must match.
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MATCHING_STEPS, Pattern, PatternProblem, compiling, shape, take};
use crate::expression::effort;

/// A pattern of the file that a whole text must match. It is compiled when the
/// file is read.
#[derive(Debug, Clone)]
pub struct WholePattern {
    source: String,
    whole: Pattern,
}

impl WholePattern {
    /// Compiles a pattern, alone too: `a)|(?:b` does not become valid by what
    /// is put around it.
    pub fn read(source: &str) -> Result<Self, PatternProblem> {
        take(compiling::reading(source, "").saturating_add(compiling::folding(source, "")))?;
        shape(source, "")?;
        Ok(Self {
            source: source.to_owned(),
            whole: Pattern::read(&format!(r"\A(?:{source})\z"), "")?,
        })
    }

    /// Whether the whole text matches.
    pub fn matches(&self, text: &str) -> bool {
        let steps = self.whole.searching(text.len());
        steps <= MATCHING_STEPS && effort::take(steps).is_ok() && self.whole.regex.is_match(text)
    }
}

impl Serialize for WholePattern {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for WholePattern {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(input)?).map_err(serde::de::Error::custom)
    }
}
