//! The engine's inputs from the driver, and its steps for the driver.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::base::memory::Room;
use crate::flows::base::sftp::SftpError;
use crate::flows::call::engine_response::EngineResponse;
use crate::ports::{Outgoing, Reply, SendError, SftpRequest};
use crate::time::Timestamp;

/// The marker for a stream that the driver has.
#[derive(Debug)]
pub(in crate::flows) struct Streamed;

/// A provider's answer.
pub(in crate::flows) type Answer = Reply<Streamed>;

/// The result of a step.
pub(in crate::flows) enum Input {
    Begin,
    /// Of [`Step::Reserve`].
    Reserved(Result<(), Failure>),
    /// Of [`Step::Connect`]: the account as it is now.
    Connected(Result<Rc<LoadedAccount>, Failure>),
    /// Of [`Step::Send`].
    Answered(Result<Answer, SendError>),
    /// Of [`Step::Transfer`].
    Transferred(Result<Answer, SftpError>),
    /// Of [`Step::Send`] and [`Step::Transfer`]: the request may no longer be sent.
    NotSent(Failure),
    /// Of [`Step::ReadBody`], with the memory that it takes.
    BodyRead(Result<(Bytes, Room), Failure>),
    /// Of [`Step::ReadSmallBody`]; `None` where it is larger, or did not come.
    SmallBodyRead(Option<Bytes>),
    /// Of [`Step::Renew`].
    Renewed(Result<Renewed, Failure>),
    /// Of [`Step::ConfirmRefusal`]: whether the account needs its customer from now on.
    RefusalConfirmed(Result<bool, Failure>),
}

/// The next step of a call.
pub(in crate::flows) enum Step {
    /// Reserve a time of the account for one request, so long from now at the earliest.
    Reserve { after: Duration },
    /// Wait for the reserved time and for a connection, and read the account again.
    Connect,
    /// Send a request. The connection is kept until another step comes.
    Send(Outgoing<Streamed>),
    /// The same for a request to a server of files.
    Transfer(SftpRequest<Streamed>),
    /// Read the answer's body.
    ReadBody,
    /// Read it if it is small.
    ReadSmallBody,
    /// Renew the credential.
    Renew(Renewal),
    /// Check whether the refusal of the credential is final.
    ConfirmRefusal,
    /// The call has ended.
    Respond(Result<EngineResponse<Streamed>, Failure>),
}

/// Which call uses the renewed credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Renewal {
    /// The refused call, which is sent once more.
    ThisCall,
    /// The next call, since this one cannot be sent again.
    NextCall,
}

/// The limits of a call over all its requests.
pub(in crate::flows) struct Limit {
    pub(in crate::flows) deadline: Timestamp,
    /// The caller's limit. `None` leaves it to the HTTP method.
    pub(in crate::flows) max_retries: Option<u32>,
    /// The digest of the only request that may be sent, where one was confirmed.
    pub(in crate::flows) confirmed: Option<String>,
}
