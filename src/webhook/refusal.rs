//! Why a webhook is refused: for the log. The sender learns none of it.

use crate::expression::RenderError;

/// Why a webhook is refused. Names places and settings; no secret, no signature and nothing computed from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The file has no `signature_verification`.
    #[error(
        "the file has no `signature_verification`; to take webhooks without a proof, write `\"format\": \"none\"`"
    )]
    NotConfigured,
    /// The request is not what the scheme's `when` names.
    #[error("it is not of the scheme: what `when` names is missing or another")]
    OtherScheme,
    /// A setting without which the scheme cannot work.
    #[error("`signature_verification` has no `{0}`")]
    NoSetting(&'static str),
    /// A setting that cannot be used.
    #[error("`{0}` of `signature_verification` cannot be used: {1}")]
    BadSetting(&'static str, &'static str),
    /// A placeholder has no usable value.
    #[error("`{0}` of `signature_verification`: {1}")]
    Render(&'static str, RenderError),
    /// No key was handed in, and none is in the file; or none of its kind.
    #[error("there is no public key of the kind the scheme needs")]
    NoKey,
    /// What was fetched holds no key.
    #[error("what was fetched holds no public key that can be read")]
    UnreadableKeys,
    /// The request names a key where none may come from.
    #[error("the request names a key at an address that `public_key_url_pattern` does not fit")]
    KeyAddress,
    /// Something that is signed or compared is not there.
    #[error("{0} is missing")]
    Missing(String),
    /// Something single is there more than once.
    #[error("{0} is there more than once")]
    Twice(String),
    /// Something is there and cannot be read.
    #[error("{0} cannot be read")]
    Malformed(String),
    /// More signatures than any provider sends.
    #[error("there are too many signatures")]
    TooMany,
    /// No signature is one of the secret or key over what was sent.
    #[error("no signature fits")]
    Mismatch,
    /// The token, or user name and password, are others.
    #[error("the token or password is another")]
    WrongToken,
    /// The hash of the body is another.
    #[error("the body is not the one whose hash was signed")]
    BodyHash,
    /// Nothing that was signed covers the body.
    #[error("the body is neither a form nor covered by `body_hash`")]
    BodyNotCovered,
    /// Signed too long ago.
    #[error("it was signed {0} s ago, longer than the tolerance")]
    TooOld(i64),
    /// Signed in the future.
    #[error("it was signed {0} s in the future, longer than the tolerance")]
    TooNew(i64),
    /// A token signed by an algorithm that the scheme does not have.
    #[error("the token is signed by another algorithm")]
    Algorithm,
    /// A token with a claim that is missing or another.
    #[error("the token's `{0}` is missing or another")]
    Claim(String),
}

impl Refusal {
    /// Whether another refusal of the same request says more: what a request does not carry says least.
    pub fn tells_less_than(&self, other: &Self) -> bool {
        let rank = |refusal: &Self| match refusal {
            Self::NotConfigured => 0,
            Self::OtherScheme => 1,
            Self::Missing(_) => 2,
            Self::Render(_, error) if error.withheld().is_some() => 4,
            _ => 3,
        };
        rank(self) < rank(other)
    }

    /// One word, to be counted.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured => "not_configured",
            Self::OtherScheme => "other_scheme",
            Self::NoSetting(_) => "no_setting",
            Self::BadSetting(..) => "bad_setting",
            Self::Render(..) => "no_value",
            Self::NoKey => "no_key",
            Self::UnreadableKeys => "unreadable_keys",
            Self::KeyAddress => "key_address",
            Self::Missing(_) => "missing",
            Self::Twice(_) => "twice",
            Self::Malformed(_) => "malformed",
            Self::TooMany => "too_many",
            Self::Mismatch => "mismatch",
            Self::WrongToken => "wrong_token",
            Self::BodyHash => "body_hash",
            Self::BodyNotCovered => "body_not_covered",
            Self::TooOld(_) => "too_old",
            Self::TooNew(_) => "too_new",
            Self::Algorithm => "algorithm",
            Self::Claim(_) => "claim",
        }
    }
}
