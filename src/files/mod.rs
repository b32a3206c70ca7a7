//! The steps of a call of the resource `files`: its paths and its range, the login, what the SFTP Worker is asked, and
//! what its answers mean. The interface of that Worker is in docs/sftp.md.

mod answer;
mod arguments;
mod login;
mod path;
mod range;

pub use answer::{
    PresentedKey, ReadHead, Refusal, RefusalKind, message_in, presented_key, read_head, refusal,
};
pub use arguments::{CallerInput, announced, arguments, arguments_in, with_arguments};
pub use login::{ServerLogin, address, head_of_server};
pub use path::{NAME_BYTES, PART, PATH_BYTES, PathError, normalised};
pub use range::{ByteRange, wanted};

use crate::expression::{RenderError, UrlError};

/// Why a call of `files` cannot be made. Names places, never values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilesError {
    /// A path of the caller.
    #[error("`{place}` {why}")]
    Path {
        /// Where in the request it is.
        place: &'static str,
        /// What is wrong.
        why: PathError,
    },
    /// A parameter that the method does not have.
    #[error("there is no parameter `{name}` here; there is: {known}")]
    Unknown {
        /// Its name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// A body that is not the object that the method needs.
    #[error("the body has to be a JSON object with: {0}")]
    Body(&'static str),
    /// A condition that nothing checks, on a write.
    #[error(
        "`{0}` is not supported for files: without a check the write would not be what was asked for"
    )]
    Condition(String),
    /// A part of a file.
    #[error("`content-range` is not supported for files: a file is written as a whole")]
    Part,
    /// An upload of unknown length.
    #[error("an upload needs a `content-length`: one that ended early would pass for a whole file")]
    NoLength,
    /// The account has a credential of another format.
    #[error("this account is not connected by `sftp`, so it has no files")]
    OtherCredential,
    /// Host and port could not be read.
    #[error("the integration has no address of the server")]
    NoAddress,
    /// A placeholder has no usable value.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The host is not valid, or not allowed.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Nothing proves the user.
    #[error("the account has neither a password nor a private key")]
    NoSecret,
    /// A line of `host_keys`.
    #[error("a line of `host_keys` is no public key line: it has to be `<algorithm> <base64>`")]
    HostKey,
    /// The folder that callers cannot leave.
    #[error("`root` {0}")]
    Root(PathError),
    /// Nothing proves the server.
    #[error("no host key is pinned for this server")]
    NotPinned,
}
