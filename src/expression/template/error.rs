//! Why a template has no value.

/// Why a template has no value. Names paths, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No alternative is defined and there is no fallback.
    #[error("`{path}` has no value (in `{source_text}`)")]
    Missing {
        /// The path or paths that were tried.
        path: String,
        /// The template it stood in.
        source_text: String,
    },
    /// A secret that was given for something else.
    #[error("`{secret}` was given for another use")]
    Withheld {
        /// The secret, as it is called where it is written.
        secret: String,
    },
    /// The value is not of the kind its cast names.
    #[error("`{path}` cannot be read as `{cast}`")]
    Cast {
        /// The path whose value it is.
        path: String,
        /// The cast that failed.
        cast: &'static str,
    },
    /// A header value with a line break, another control character, or one
    /// that has no width.
    #[error(
        "`{source_text}` has a character in its value that a header cannot carry: a control character, or one that has no width"
    )]
    NotAHeaderValue {
        /// The template it stood in.
        source_text: String,
    },
    /// The place is full.
    #[error("`{source_text}` makes the {place} larger than {bytes} bytes")]
    TooLarge {
        /// The template that was being filled, or its beginning.
        source_text: String,
        /// What it is a part of.
        place: &'static str,
        /// What that may have in all.
        bytes: usize,
    },
    /// An error inside a `TemplateTree`, with its place.
    #[error("at {at}: {cause}")]
    Within {
        /// The JSON path inside the tree.
        at: String,
        /// What is wrong there.
        cause: Box<RenderError>,
    },
}

impl RenderError {
    /// The secret that was given for something else, when that is the reason.
    pub fn withheld(&self) -> Option<&str> {
        match self {
            Self::Withheld { secret } => Some(secret),
            Self::Within { cause, .. } => cause.withheld(),
            _ => None,
        }
    }

    /// Whether a value was missing, as opposed to unusable.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Missing { .. } => true,
            Self::Within { cause, .. } => cause.is_missing(),
            Self::Withheld { .. }
            | Self::Cast { .. }
            | Self::NotAHeaderValue { .. }
            | Self::TooLarge { .. } => false,
        }
    }
}
