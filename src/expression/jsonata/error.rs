//! Why an expression gives no result.

use super::limits;

/// Why an expression could not be compiled or gave no result. No data is
/// quoted, only the source: show it to the author of the file, not to callers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The source is not JSONata.
    #[error("not a JSONata expression: {0}")]
    Syntax(String),
    /// The source is longer than [`limits::SOURCE_BYTES`].
    #[error("the expression is longer than {} bytes", limits::SOURCE_BYTES)]
    TooLong,
    /// The source nests deeper than [`limits::SOURCE_DEPTH`].
    #[error("the expression nests deeper than {} levels", limits::SOURCE_DEPTH)]
    TooDeep,
    /// A function that would step around the bounds.
    #[error("`${0}` is not available: it would run unbounded")]
    Unavailable(String),
    /// Evaluation failed, or ran into a bound.
    #[error("{text}")]
    Evaluation {
        /// JSONata's code, such as `D3030`, or a word of ours.
        code: String,
        /// The same in words.
        text: String,
    },
    /// The result is not JSON, or larger or deeper than the bounds.
    #[error("the result is {0}")]
    Result(&'static str),
}

impl ExpressionError {
    /// What failed, in one word that may be logged and counted.
    pub fn code(&self) -> &str {
        match self {
            Self::Syntax(_) => "syntax",
            Self::TooLong => "source_too_long",
            Self::TooDeep => "source_too_deep",
            Self::Unavailable(_) => "unavailable",
            Self::Evaluation { code, .. } => code,
            Self::Result(_) => "result",
        }
    }
}
