//! Why a list cannot be followed further.

use serde::{Deserialize, Serialize};

use crate::expression::{ExpressionError, RenderError};

/// Why a page leads nowhere although it is not the last. It takes the next page's place in a cursor, so that the page
/// itself loses no record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadEnd {
    /// What is wrong, without values of the provider.
    pub why: String,
    /// Whether an expression of the file failed, and not the provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_files_fault: bool,
}

impl DeadEnd {
    pub(super) fn of(error: &PageError) -> Self {
        Self {
            why: error.to_string(),
            is_files_fault: matches!(
                error,
                PageError::Expression(_) | PageError::Values | PageError::Render(_)
            ),
        }
    }

    pub(super) fn repeats() -> Self {
        Self::of(&PageError::Repeats)
    }
}

/// Why a list cannot be followed further. Names places in the file, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The integration pages in another way than when the position was made.
    #[error(
        "the cursor was made for another pagination than this integration has now; start again without it"
    )]
    Foreign,
    /// The method's body is no JSON object, so cursor and limit cannot go into it.
    #[error("this list takes its cursor and limit in the body, which is not a JSON object")]
    Body,
    /// A `next` link goes to another host.
    #[error("the provider's link to the next page leads to another host")]
    LeavesHost,
    /// A `next` link is not a URL.
    #[error("the provider's link to the next page is not a URL")]
    NotALink,
    /// The bytes of a header that names the next page are not known.
    #[error("the header `{0}` of the provider's answer, which names another page, is not UTF-8")]
    NotUtf8(String),
    /// The body cannot be looked into.
    #[error("the provider's answer is not JSON, so it has no next cursor")]
    NotJson,
    /// An object or a list where a cursor should be.
    #[error("the value at `{0}` of the provider's answer is not a cursor")]
    NotACursor(String),
    /// The same page, or the same cursor, again and again.
    #[error("the provider gives the same page again and again")]
    Repeats,
    /// What names the next page is larger than that.
    #[error("what names the provider's next page is larger than {0} bytes")]
    TooLong(usize),
    /// More pages than that.
    #[error("the provider's list has not ended after {0} pages")]
    Endless(u32),
    /// A header of the pagination is not valid.
    #[error("the pagination's header `{0}` cannot be sent")]
    Header(String),
    /// A placeholder of the pagination has no usable value.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// An expression failed.
    #[error("an expression of the pagination failed: {0}")]
    Expression(#[from] ExpressionError),
    /// An expression gives something else than an object.
    #[error("the pagination values must be an object")]
    Values,
    /// The page before gave its records; its way on cannot be used.
    #[error("{}", .0.why)]
    DeadEnd(DeadEnd),
}
