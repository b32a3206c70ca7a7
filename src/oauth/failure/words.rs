//! The provider's words in a failure.

use super::{LONGEST_CODE, LONGEST_DESCRIPTION, TokenFailure};
use crate::oauth::shown_text::cleaned;

impl TokenFailure {
    /// The same, fit to be shown, with these words where the provider's answer has no description.
    #[must_use]
    pub fn described(self, words: Option<&str>) -> Self {
        match self {
            Self::Refused {
                error,
                description,
                blame,
            } => {
                let words = description.as_deref().or(words);
                Self::Refused {
                    error: cleaned(&error, LONGEST_CODE).unwrap_or_default(),
                    description: words.and_then(|words| cleaned(words, LONGEST_DESCRIPTION)),
                    blame,
                }
            }
            other => other,
        }
    }

    /// The same without these texts.
    #[must_use]
    pub fn without(self, secrets: &[String]) -> Self {
        let clean = |text: String| {
            let replaced = secrets.iter().filter(|secret| !secret.is_empty());
            replaced.fold(text, |text, secret| text.replace(secret, "[redacted]"))
        };
        match self {
            Self::Refused {
                error,
                description,
                blame,
            } => Self::Refused {
                error: clean(error),
                description: description.map(clean),
                blame,
            },
            Self::Unreadable(why) => Self::Unreadable(clean(why)),
            Self::Transient { .. } => self,
        }
    }

    /// Whether the provider answered, and gave no token.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Transient { .. })
    }
}
