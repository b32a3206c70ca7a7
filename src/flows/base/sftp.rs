//! Asks the SFTP Worker, and reads its refusal.

use bytes::Bytes;
use serde_json::json;

use crate::error::{Code, Failure};
use crate::files::{Refusal, RefusalKind, refusal};
use crate::flows::base::body::read_uncounted;
use crate::flows::base::within::within;
use crate::ports::{Body, ByteStream, Outside, Reply, SendError, SftpFault, SftpRequest};

/// The most bytes of an error document.
const REFUSAL_BYTES: usize = 16 * 1024;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::flows) enum SftpError {
    Fault(SftpFault),
    Refused(Box<Refusal>),
    /// The Worker answered with something else.
    Unreadable,
}

/// Sends a request. The body of a good answer is unread.
pub(in crate::flows) async fn ask<O: Outside>(
    outside: &O,
    request: SftpRequest<O::Stream>,
) -> Result<Reply<O::Stream>, SftpError> {
    let timeout = request.timeout;
    let reply = outside.ask_sftp(request).await.map_err(SftpError::Fault)?;
    if reply.status.is_success() {
        return Ok(reply);
    }
    let document = within(outside, timeout, small(reply.body)).await;
    let document = document.ok_or(SftpError::Fault(SftpFault::Timeout))?;
    let refusal = document.and_then(|document| refusal(&document));
    Err(refusal.map_or(SftpError::Unreadable, |refusal| {
        SftpError::Refused(Box::new(refusal))
    }))
}

/// All bytes of a small body.
pub(in crate::flows) async fn small<S: ByteStream>(body: Body<S>) -> Option<Bytes> {
    match body {
        Body::Empty => Some(Bytes::new()),
        Body::Bytes(bytes) => Some(bytes),
        Body::Stream(stream) => read_uncounted(stream.in_pieces(), REFUSAL_BYTES).await,
    }
}

/// The one place where a refusal becomes an error of the gateway. What the server itself answered is a provider's answer
/// in a call (`RefusalKind::answered`), and words for the customer here.
impl From<SftpError> for Failure {
    fn from(error: SftpError) -> Self {
        let refusal = match error {
            SftpError::Fault(fault) => return fault.into(),
            SftpError::Unreadable => {
                let message = "The SFTP Worker answered with something that is not its own.";
                return Self::new(Code::UnexpectedAnswer, message);
            }
            SftpError::Refused(refusal) => refusal,
        };
        let code = match refusal.kind {
            RefusalKind::Unreachable | RefusalKind::ConnectionLost => Code::Unreachable,
            RefusalKind::Timeout => Code::Timeout,
            RefusalKind::Busy => {
                return Self::busy("Too many transfers of files are under way. Try again.");
            }
            RefusalKind::BadRequest => Code::Internal,
            RefusalKind::BadPrivateKey | RefusalKind::BadHostKey => Code::ContextValue,
            RefusalKind::HostKeyMismatch => Code::ServerKeyMismatch,
            RefusalKind::Unknown => Code::UnexpectedAnswer,
            RefusalKind::WrongCredentials
            | RefusalKind::NotFound
            | RefusalKind::PermissionDenied
            | RefusalKind::OutsideRoot
            | RefusalKind::Exists
            | RefusalKind::Unsupported
            | RefusalKind::Failure => Code::ConnectionError,
        };
        let failure = Self::new(code, words(&refusal));
        match (&refusal.host_key, &refusal.fingerprint) {
            (None, None) => failure,
            (key, fingerprint) => {
                failure.with_details(json!({ "host_key": key, "fingerprint": fingerprint }))
            }
        }
    }
}

impl From<SftpFault> for Failure {
    fn from(fault: SftpFault) -> Self {
        match fault {
            SftpFault::Unbound => Self::new(
                Code::SftpMissing,
                "This gateway was deployed without the Worker for SFTP: its operator deploys that, too (docs/operations.md, The SFTP Worker).",
            ),
            SftpFault::Broken => SendError::Unreachable.into(),
            SftpFault::Timeout => SendError::Timeout.into(),
        }
    }
}

/// What happened and what to change, for a person.
fn words(refusal: &Refusal) -> String {
    let text = match refusal.kind {
        RefusalKind::Unreachable => {
            "The server could not be reached. Check its host and port, and that it accepts connections from the internet."
        }
        RefusalKind::ConnectionLost => "The connection to the server broke. Try again.",
        RefusalKind::Timeout => "The server did not answer in time.",
        RefusalKind::BadPrivateKey => {
            "The private key cannot be read. It has to be whole, from -----BEGIN to -----END, and the passphrase has to be that of the key."
        }
        RefusalKind::BadHostKey => {
            "A pinned host key cannot be read: it has to be a public key line, <algorithm> <base64>."
        }
        RefusalKind::WrongCredentials => {
            "The server does not accept the user name with this password or private key."
        }
        RefusalKind::NotFound => "The folder does not exist on the server.",
        RefusalKind::PermissionDenied => "The user may not open the folder on the server.",
        RefusalKind::OutsideRoot => "The folder leads out of the root of this account.",
        RefusalKind::Unsupported => "The server does not support this.",
        RefusalKind::HostKeyMismatch => return mismatch(refusal),
        RefusalKind::BadRequest
        | RefusalKind::Busy
        | RefusalKind::Exists
        | RefusalKind::Failure
        | RefusalKind::Unknown => {
            return format!("The server could not do this: {}", refusal.message);
        }
    };
    text.to_owned()
}

fn mismatch(refusal: &Refusal) -> String {
    let fingerprint = refusal.fingerprint.as_deref().unwrap_or("unknown");
    format!(
        "The server presented another host key than the one that is set, so no credential was sent to it. The fingerprint of the key that it presented is {fingerprint}. Where the server's operator confirms that key, set its line as the host key."
    )
}
