//! The regular expressions of one expression. The engine compiles a pattern at
//! each use.

use jsonata_core::evaluator::EvaluatorError;
use jsonata_core::value::JValue;

use super::{Meter, Paid};
use crate::expression::pattern::{Pattern, PatternProblem};

/// One of them.
#[derive(Debug, Clone)]
pub struct CompiledPattern {
    source: String,
    flags: String,
    pattern: Pattern,
}

impl CompiledPattern {
    /// Compiles a pattern as the engine does. `None` where it is none: the
    /// engine says so when it is used, as it always did.
    pub fn read(source: &str, flags: &str) -> Result<Option<Self>, PatternProblem> {
        match Pattern::read(source, flags) {
            Ok(pattern) => Ok(Some(Self {
                source: source.to_owned(),
                flags: flags.to_owned(),
                pattern,
            })),
            Err(PatternProblem::Syntax(_)) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    pub fn bytes(&self) -> usize {
        self.pattern.bytes()
    }

    pub(super) fn is(&self, value: &JValue) -> bool {
        let JValue::Regex { pattern, flags } = value else {
            return false;
        };
        **pattern == *self.source && **flags == *self.flags
    }

    pub(super) fn groups(&self) -> usize {
        self.pattern.regex().captures_len()
    }

    /// Pays for one search of `bytes`, compiling included.
    pub(super) fn search(&self, meter: &Meter, bytes: usize) -> Paid {
        let searching = self.pattern.searching(bytes);
        meter.work(self.pattern.compiling().saturating_add(searching))
    }

    /// Pays for every match in a text; how many there are, at most `limit`.
    pub(super) fn matches(
        &self,
        meter: &Meter,
        text: &str,
        limit: usize,
    ) -> Result<usize, EvaluatorError> {
        self.search(meter, text.len())?;
        let mut count = 0;
        for found in self.pattern.regex().find_iter(text) {
            count += 1;
            meter.work(
                self.pattern
                    .going_on(text.len().saturating_sub(found.end())),
            )?;
            if count > limit {
                break;
            }
        }
        Ok(count.min(limit))
    }
}
