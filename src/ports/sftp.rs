//! The SFTP Worker, a second Worker that the gateway asks by a service binding.

use std::time::Duration;

use super::{Body, HttpClient, Reply};
use crate::secret::Secret;

/// A request to the SFTP Worker.
#[derive(Debug)]
pub struct SftpRequest<S> {
    /// The operation.
    pub operation: &'static str,
    /// The head, a JSON text with the login. Its length goes in front of it, in four bytes, big-endian.
    pub head: Secret,
    /// The content behind the head.
    pub body: Body<S>,
    /// The time limit until the head of the response.
    pub timeout: Duration,
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
    /// Sends one request. Head and content go on as one stream.
    async fn ask_sftp(
        &self,
        request: SftpRequest<Self::Stream>,
    ) -> Result<Reply<Self::Stream>, SftpFault>;
}
