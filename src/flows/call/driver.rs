//! Executes the steps of a call's engine. It decides nothing, and it alone waits for the provider.

use std::rc::Rc;

use crate::error::Failure;
use crate::flows::base::body;
use crate::flows::base::sftp::{self, SftpError};
use crate::flows::base::within::within;
use crate::flows::call::account::{LiveAccount, StreamOf};
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::{Answer, Input, Step, Streamed};
use crate::flows::call::engine_response::{EngineResponse, with_stream};
use crate::flows::call::reserve::{Connection, Reservations};
use crate::flows::call::small_body;
use crate::flows::call::ways::Way;
use crate::ports::{Body, HttpClient, Outgoing, Reply, SendError, SftpRequest, System};

/// The streams and the connection, which the engine does not have.
struct Link<'w, A: LiveAccount, W> {
    way: &'w W,
    reservations: Reservations<'w, A>,
    connection: Option<Connection<'w>>,
    /// The caller's body, until it is sent.
    callers: Option<StreamOf<A>>,
    /// The body of the last answer, until it is read.
    answer: Option<StreamOf<A>>,
}

/// Runs a call to its end.
pub(in crate::flows) async fn run<A: LiveAccount, W: Way<A>>(
    way: &W,
    mut engine: Engine<'_, A>,
    callers: Option<StreamOf<A>>,
) -> Result<EngineResponse<StreamOf<A>>, Failure> {
    let mut link = Link {
        way,
        reservations: Reservations::new(way.account(), &engine),
        connection: None,
        callers,
        answer: None,
    };
    let mut step = engine.advance(Input::Begin);
    loop {
        if !matches!(step, Step::Send(_) | Step::Transfer(_)) {
            link.connection = None;
        }
        let input = match step {
            Step::Respond(outcome) => {
                return outcome.map(|outcome| outcome.with_stream(link.answer));
            }
            step => link.carry_out(&engine, step).await,
        };
        step = engine.advance(input);
    }
}

impl<A: LiveAccount, W: Way<A>> Link<'_, A, W> {
    async fn carry_out(&mut self, engine: &Engine<'_, A>, step: Step) -> Input {
        let (loaded, deadline) = (engine.loaded(), engine.deadline());
        match step {
            Step::Reserve { after } => Input::Reserved(self.reservations.reserve(after)),
            Step::Connect => {
                self.answer = None;
                let connection = self.reservations.connect(self.way, loaded).await;
                Input::Connected(connection.map(|connection| {
                    let loaded = Rc::clone(&connection.loaded);
                    self.connection = Some(connection);
                    loaded
                }))
            }
            Step::Send(request) => match self.way.account().check_send().await {
                Ok(()) => Input::Answered(self.send(request).await),
                Err(failure) => Input::NotSent(failure),
            },
            Step::Transfer(request) => match self.way.account().check_send().await {
                Ok(()) => Input::Transferred(self.transfer(request).await),
                Err(failure) => Input::NotSent(failure),
            },
            Step::ReadBody => self.read(engine).await,
            Step::ReadSmallBody => Input::SmallBodyRead(match self.answer.take() {
                Some(stream) => {
                    let read = small_body::read(self.way.account(), stream, deadline);
                    read.await.ok()
                }
                None => None,
            }),
            Step::Renew(renewal) => Input::Renewed(self.way.renew(loaded, renewal, deadline).await),
            Step::ConfirmRefusal => {
                Input::RefusalConfirmed(self.way.confirm_refusal(loaded, deadline).await)
            }
            Step::Respond(_) => Input::Begin,
        }
    }

    async fn send(&mut self, request: Outgoing<Streamed>) -> Result<Answer, SendError> {
        self.answer = None;
        let callers = match request.body {
            Body::Stream(Streamed) => self.callers.take(),
            Body::Empty | Body::Bytes(_) => None,
        };
        let request = Outgoing {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: with_stream(request.body, callers),
            timeout: request.timeout,
        };
        let outside = self.way.account().system();
        let reply = outside.send(request).await?;
        Ok(self.keep(reply))
    }

    async fn transfer(&mut self, request: SftpRequest<Streamed>) -> Result<Answer, SftpError> {
        self.answer = None;
        let callers = match request.body {
            Body::Stream(Streamed) => self.callers.take(),
            Body::Empty | Body::Bytes(_) => None,
        };
        let request = SftpRequest {
            operation: request.operation,
            head: request.head,
            body: with_stream(request.body, callers),
            timeout: request.timeout,
        };
        let reply = sftp::ask(self.way.account().system(), request).await?;
        Ok(self.keep(reply))
    }

    /// Keeps the stream of an answer until it is read.
    fn keep(&mut self, reply: Reply<StreamOf<A>>) -> Answer {
        let body = match reply.body {
            Body::Empty => Body::Empty,
            Body::Bytes(bytes) => Body::Bytes(bytes),
            Body::Stream(stream) => {
                self.answer = Some(stream);
                Body::Stream(Streamed)
            }
        };
        Answer {
            status: reply.status,
            headers: reply.headers,
            body,
        }
    }

    async fn read(&mut self, engine: &Engine<'_, A>) -> Input {
        let account = self.way.account();
        let room = account.room();
        let body = self.answer.take().map_or(Body::Empty, Body::Stream);
        let wait = engine.deadline().since(account.system().now());
        let read = within(account.system(), wait, body::read_encoded(body, &room)).await;
        let read = read.unwrap_or_else(|| Err(SendError::Timeout.into()));
        Input::BodyRead(read.map(|bytes| (bytes, room)))
    }
}
