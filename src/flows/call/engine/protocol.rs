//! What the driver tells the engine, and what the engine says to the driver.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::Failure;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::account::renewal::Renewed;
use crate::flows::base::memory::Room;
use crate::flows::call::engine_response::EngineResponse;
use crate::ports::{Outgoing, Reply, SendError};
use crate::time::Timestamp;

/// In the place of a stream, which the driver holds.
#[derive(Debug)]
pub(in crate::flows) struct Streamed;

/// A provider's answer.
pub(in crate::flows) type Answer = Reply<Streamed>;

/// What happened.
pub(in crate::flows) enum Input {
    Begin,
    /// Of [`Step::Reserve`].
    Reserved(Result<(), Failure>),
    /// Of [`Step::Connect`]: the account as it is now.
    Connected(Result<Rc<LoadedAccount>, Failure>),
    /// Of [`Step::Send`].
    Answered(Result<Answer, SendError>),
    /// Of [`Step::ReadBody`], with the memory that it takes.
    BodyRead(Result<(Bytes, Room), Failure>),
    /// Of [`Step::ReadSmallBody`]; `None` where it is larger, or did not come.
    SmallBodyRead(Option<Bytes>),
    /// Of [`Step::Renew`].
    Renewed(Result<Renewed, Failure>),
    /// Of [`Step::ConfirmRefusal`]: whether the account needs its customer from now on.
    RefusalConfirmed(Result<bool, Failure>),
}

/// What to do next.
pub(in crate::flows) enum Step {
    /// Reserve a time of the account for one request, so long from now at the earliest.
    Reserve { after: Duration },
    /// Wait for the reserved time and for a connection, and read the account again.
    Connect,
    /// Send a request. The connection is kept until another step comes.
    Send(Outgoing<Streamed>),
    /// Read the answer's body.
    ReadBody,
    /// Read it if it is small.
    ReadSmallBody,
    /// Get another credential.
    Renew(Renewal),
    /// Find out whether the refusal of the credential is final.
    ConfirmRefusal,
    /// The call has ended.
    Respond(Result<EngineResponse<Streamed>, Failure>),
}

/// What another credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::flows) enum Renewal {
    /// The call that was refused, which is sent once more.
    ThisCall,
    /// The next one: this call cannot be sent again.
    NextCall,
}

/// The time and the retries of a call, counted over all that it sends.
pub(in crate::flows) struct Limit {
    pub(in crate::flows) deadline: Timestamp,
    /// As many as the caller allows, or as the method does.
    pub(in crate::flows) max_retries: Option<u32>,
}
