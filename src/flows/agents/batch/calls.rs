//! One call of a batch; of a list, all of its pages.

use std::rc::Rc;

use serde_json::json;
use serde_json::value::RawValue;

use crate::error::{Code, Failure};
use crate::flows::agents::agent_call::read_answer;
use crate::flows::base::memory::Room;
use crate::flows::base::reply::raw;
use crate::flows::base::token_rate;
use crate::flows::base::within::within;
use crate::flows::call::account::{CallAccount, StreamOf};
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::list::all_pages::{AllPages, Piece};
use crate::flows::call::log::logged_call;
use crate::flows::call::{Call, CallResponse};
use crate::json::{self, quoted};
use crate::ports::{HandOver, Outside, Storage};
use crate::settings::BATCH_RECORDS;
use crate::time::Timestamp;

/// A call that is ready.
pub(super) struct NodeCall<O: Outside, S: Storage> {
    pub(super) call: Call<StreamOf<AccountCalls<O, S>>>,
    /// The most bytes and records that its answer may have.
    pub(super) most: (usize, usize),
    /// Holds its body.
    pub(super) room: Room,
    /// Whether the token is charged for it: the first call of a batch is the batch's own request.
    pub(super) is_charged: bool,
}

/// What a call gave: records as JSON lines, and why there are no more of them.
pub(super) struct NodeCallResult {
    pub(super) lines: Vec<u8>,
    pub(super) failure: Option<Failure>,
    /// Holds the lines twice: they are written once more, into the answer or to be read by another node.
    room: Room,
}

impl NodeCallResult {
    fn add(&mut self, lines: &[u8], most_bytes: usize) -> Result<(), Failure> {
        if self.lines.len() + lines.len() > most_bytes {
            return Err(too_large());
        }
        self.room.take(lines.len().saturating_mul(2))?;
        self.lines.extend_from_slice(lines);
        Ok(())
    }

    /// Leaves out a record that has not come to its end, and those after the first `most`. Returns how many there were.
    pub(super) fn cut_to(&mut self, most: usize) -> usize {
        let ends = self.lines.iter().enumerate();
        let ends = ends.filter(|(_, byte)| **byte == b'\n');
        let (mut count, mut length) = (0, 0);
        for (end, _) in ends {
            count += 1;
            if count <= most {
                length = end + 1;
            }
        }
        self.lines.truncate(length);
        count
    }
}

/// Makes the call within the time of the batch.
pub(super) async fn run_call<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    hand_over: &HandOver,
    call: NodeCall<O, S>,
    deadline: Timestamp,
) -> NodeCallResult {
    let mut result = NodeCallResult {
        lines: Vec::new(),
        failure: None,
        room: calls.room(),
    };
    let left = deadline.since(calls.system().now());
    let work = try_call(calls, hand_over, call, deadline, &mut result);
    let ended = within(calls.system(), left, work).await;
    let ended = ended.unwrap_or_else(|| {
        let message = "The call did not end in the time of the batch: x-timeout-ms.";
        Err(Failure::new(Code::Timeout, message))
    });
    result.failure = ended.err();
    result
}

async fn try_call<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    hand_over: &HandOver,
    made: NodeCall<O, S>,
    deadline: Timestamp,
    result: &mut NodeCallResult,
) -> Result<(), Failure> {
    if made.is_charged {
        token_rate::count(calls.system(), hand_over.token_key()).await?;
    }
    let (most, trace) = (made.most, Rc::clone(&made.call.trace));
    // The state of a call is large, and the futures around it are moved.
    let response = Box::pin(logged_call(calls, hand_over, made.call)).await?;
    drop(made.room);
    match response {
        CallResponse::Pages(pages) => Box::pin(read_pages(*pages, most, result)).await,
        CallResponse::Single(reply) => {
            let (room, (most_bytes, _)) = (calls.room(), most);
            let read = read_answer(&**calls, reply, &room, (most_bytes, deadline)).await;
            let added = read.and_then(|bytes| add_answer(&bytes, most_bytes, result));
            added.map_err(|failure| trace.behind_write(failure))
        }
    }
}

/// An answer as a line.
fn add_answer(bytes: &[u8], most_bytes: usize, result: &mut NodeCallResult) -> Result<(), Failure> {
    let text = str::from_utf8(bytes).map_err(|_| {
        let message = "The provider's answer is not text, so no batch can have it.";
        Failure::new(Code::UnexpectedAnswer, message)
    })?;
    let line = match text.trim() {
        "" => "null".to_owned(),
        text if json::count_values(text.as_bytes()).is_ok() => json::on_one_line(text),
        text => quoted(text),
    };
    result.add(line.as_bytes(), most_bytes)?;
    result.add(b"\n", most_bytes)
}

async fn read_pages<O: Outside, S: Storage>(
    mut pages: AllPages<AccountCalls<O, S>>,
    (most_bytes, most_records): (usize, usize),
    result: &mut NodeCallResult,
) -> Result<(), Failure> {
    let mut count = 0;
    while let Some(piece) = pages.next().await {
        let lines = match piece {
            Piece::Lines(lines) => lines,
            Piece::Broken { failure, .. } => return Err(failure),
        };
        result.add(&lines, most_bytes)?;
        count += lines.split(|byte| *byte == b'\n').count() - 1;
        if count > most_records {
            return Err(too_many());
        }
    }
    Ok(())
}

pub(super) fn too_many() -> Failure {
    let message = format!("A node reads at most {BATCH_RECORDS} records.");
    Failure::new(Code::AnswerTooLarge, message)
}

pub(super) fn too_large() -> Failure {
    let message = "The results of the batch are too large together.";
    Failure::new(Code::AnswerTooLarge, message)
}

/// The parts of the error envelope that say what failed.
pub(super) fn error_text(failure: &Failure) -> String {
    let error = json!({
        "statusCode": failure.status(), "code": failure.code.as_str(), "message": failure.message,
        "is_remote_error": failure.remote.is_some(), "details": failure.details, "retry_after": failure.retry_after,
    });
    let raw = failure.remote.as_ref().map(|own| raw(&own.raw_response));
    let raw = raw.as_deref().map_or("null", RawValue::get);
    let error = error.to_string();
    let open = error.strip_suffix('}').unwrap_or_default();
    format!(r#"{open},"raw_response":{raw}}}"#)
}
