//! The SFTP Worker, a second Worker that the gateway asks by a service binding.

use std::time::Duration;

use super::{Body, HttpClient, Reply};
use crate::secret::Secret;

/// A request to the SFTP Worker.
#[derive(Debug)]
pub struct SftpRequest<S> {
    /// The operation.
    pub operation: &'static str,
    /// The head, a JSON text with the login.
    pub head: Secret,
    /// The content after the head.
    pub body: Body<S>,
    /// The time limit until the head of the response.
    pub timeout: Duration,
}

impl<S> SftpRequest<S> {
    /// The beginning of the body: the length of the head in four bytes, big-endian, and the head. The content follows.
    pub fn framed_head(&self) -> Vec<u8> {
        let head = self.head.expose().as_bytes();
        let length = u32::try_from(head.len()).unwrap_or(u32::MAX);
        [length.to_be_bytes().as_slice(), head].concat()
    }
}

/// Why the SFTP Worker did not respond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SftpFault {
    /// The gateway has no such Worker.
    #[error("the gateway has no service binding SFTP")]
    Unbound,
    /// It failed, or the connection to it broke.
    #[error("the SFTP Worker did not respond")]
    Broken,
    /// The time limit passed.
    #[error("the server did not answer in time")]
    Timeout,
}

/// Requests to the SFTP Worker, which speaks to servers of files.
pub trait Sftp: HttpClient {
    /// Sends one request. Its body is the framed head and the content, as one stream.
    async fn ask_sftp(
        &self,
        request: SftpRequest<Self::Stream>,
    ) -> Result<Reply<Self::Stream>, SftpFault>;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Body, SftpRequest};
    use crate::secret::Secret;

    #[test]
    fn the_length_of_the_head_in_bytes_is_before_it() {
        let framed = |head: String| {
            let request: SftpRequest<()> = SftpRequest {
                operation: "check",
                head: Secret::new(head),
                body: Body::Empty,
                timeout: Duration::ZERO,
            };
            request.framed_head()
        };
        assert_eq!(framed("{é}".to_owned()), b"\x00\x00\x00\x04{\xc3\xa9}");
        let long = framed("x".repeat(65_536));
        assert_eq!(long.get(..5), Some(&b"\x00\x01\x00\x00x"[..]));
        assert_eq!(long.len(), 65_540);
    }
}
