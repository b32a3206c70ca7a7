//! One attempt of a call of `files`: the request to the SFTP Worker, and what its answer means for the call.

use bytes::Bytes;
use http::header::{CONTENT_RANGE, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::config::files::FileOperation;
use crate::error::{AnsweredBy, Code, Failure};
use crate::files::{ByteRange, ReadHead, arguments_in, read_head};
use crate::flows::base::sftp::SftpError;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine::Engine;
use crate::flows::call::engine::protocol::{Answer, Step, Streamed};
use crate::flows::call::engine::request::{Followed, Hop};
use crate::flows::call::engine::state::EngineState;
use crate::ports::{Body, SendError, SftpRequest, System};
use crate::proxy::redirect::Forward;
use crate::proxy::request::Draft;

impl<A: CallAccount> Engine<'_, A> {
    /// Sends the request with the account's login as it is now.
    pub(in crate::flows) fn transfer(
        &mut self,
        operation: FileOperation,
        draft: Draft,
        body: Body<Streamed>,
    ) -> Step {
        let again = body.again();
        let request = match self.file_request(operation, &draft, body) {
            Ok(request) => request,
            Err(failure) => return self.attempt_failed(failure),
        };
        self.trace.sends(&draft.url);
        self.state = EngineState::Sending(Box::new(Hop {
            draft,
            credentials: Forward::Keep,
            followed: Followed::default(),
            again,
            sent_at: self.account.system().now(),
        }));
        Step::Transfer(request)
    }

    fn file_request(
        &self,
        operation: FileOperation,
        draft: &Draft,
        body: Body<Streamed>,
    ) -> Result<SftpRequest<Streamed>, Failure> {
        let system = self.account.system();
        let login = self.prepared.login(&self.current, system.settings())?;
        let timeout = self.limit.deadline.since(system.now());
        if timeout.is_zero() {
            return Err(SendError::Timeout.into());
        }
        Ok(SftpRequest {
            operation: operation.name(),
            head: login.head(arguments_in(&draft.url, operation), timeout),
            body,
            timeout,
        })
    }

    /// The Worker answered, or refused.
    pub(in crate::flows) fn transferred(
        &mut self,
        hop: &Hop,
        outcome: Result<Answer, SftpError>,
    ) -> Step {
        let outcome = self.answer_of(hop, outcome);
        let status = outcome.as_ref().ok().map(|answer| answer.status);
        let now = self.account.system().now();
        self.trace.received(status, hop.sent_at, now);
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => return self.attempt_failed(failure),
        };
        self.exchange.answered_by = AnsweredBy::Provider;
        let writes = self.prepared.subject().purpose.writes(&hop.draft.method);
        if writes && answer.status.as_u16() < 400 {
            self.trace.was_accepted(answer.status);
        }
        self.arrived(answer, Forward::Keep)
    }

    /// As a provider's answer. What the server itself refuses is one, too.
    fn answer_of(&self, hop: &Hop, outcome: Result<Answer, SftpError>) -> Result<Answer, Failure> {
        let operation = self.prepared.subject().operation();
        match outcome {
            Ok(answer) if operation == Some(FileOperation::Read) => of_read(hop, answer),
            Ok(answer) => Ok(Answer {
                headers: of_json(),
                ..answer
            }),
            Err(SftpError::Refused(refusal)) => match refusal.kind.answered() {
                Some(status) => Ok(refused(status, &refusal.raw_response().to_string())),
                None => Err(SftpError::Refused(refusal).into()),
            },
            Err(error) => Err(error.into()),
        }
    }
}

fn of_json() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

fn refused(status: StatusCode, document: &str) -> Answer {
    Answer {
        status,
        headers: of_json(),
        body: Body::Bytes(Bytes::from(document.to_owned())),
    }
}

fn of_read(hop: &Hop, answer: Answer) -> Result<Answer, Failure> {
    let head = read_head(range(hop), &answer.headers).ok_or_else(|| {
        let message = "The SFTP Worker did not say how long the file is.";
        Failure::new(Code::UnexpectedAnswer, message)
    })?;
    Ok(match head {
        ReadHead::Content(status, headers) => Answer {
            status,
            headers,
            body: answer.body,
        },
        ReadHead::NotSatisfiable(own) => {
            let message = "The range begins after the end of the file.";
            let document = json!({ "kind": "range_not_satisfiable", "message": message });
            let mut refused = refused(StatusCode::RANGE_NOT_SATISFIABLE, &document.to_string());
            let whole = own.get(CONTENT_RANGE).cloned();
            refused
                .headers
                .extend(whole.map(|whole| (CONTENT_RANGE, whole)));
            refused
        }
    })
}

/// The range that was asked for.
fn range(hop: &Hop) -> Option<ByteRange> {
    let arguments = arguments_in(&hop.draft.url, FileOperation::Read);
    let number = |name: &str| arguments.get(name).and_then(serde_json::Value::as_u64);
    Some(ByteRange {
        first: number("offset")?,
        length: number("length"),
    })
}
