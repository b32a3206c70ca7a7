//! One call of a batch; of a list, all of its pages.

use std::rc::Rc;

use crate::error::{Code, Failure};
use crate::flows::agents::agent_call::{AgentCall, read_answer};
use crate::flows::base::within::within;
use crate::flows::call::CallResponse;
use crate::flows::call::account::CallAccount;
use crate::flows::call::account_calls::AccountCalls;
use crate::flows::call::list::all_pages::{AllPages, Piece};
use crate::flows::call::log::logged_call;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::{self, quoted};
use crate::ports::{Budget, HandOver, Outside, Pages, Storage};
use crate::settings::BATCH_RECORDS;
use crate::time::Timestamp;

/// A call that is ready.
pub(super) struct NodeCall {
    pub(super) call: AgentCall,
    /// The most bytes that its answer may have.
    pub(super) most_bytes: usize,
}

/// What a call gave: records as JSON lines, and why there are no more of them.
pub(super) struct NodeCallResult {
    pub(super) lines: Vec<u8>,
    pub(super) failure: Option<Failure>,
}

/// Makes the call within the time of the batch.
pub(super) async fn run_call<O: Outside, S: Storage>(
    calls: &Rc<AccountCalls<O, S>>,
    hand_over: &HandOver,
    resolved: &ResolvedConfig,
    call: NodeCall,
    (deadline, max_retries): (Timestamp, Option<u32>),
) -> NodeCallResult {
    let mut result = NodeCallResult {
        lines: Vec::new(),
        failure: None,
    };
    let left = deadline.since(calls.system().now());
    let budget = Budget {
        timeout: left,
        max_retries,
    };
    let work = try_call(
        calls,
        hand_over,
        resolved,
        call,
        (budget, deadline),
        &mut result,
    );
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
    resolved: &ResolvedConfig,
    NodeCall { call, most_bytes }: NodeCall,
    (budget, deadline): (Budget, Timestamp),
    result: &mut NodeCallResult,
) -> Result<(), Failure> {
    let config = &resolved.compiled.config;
    let method = config.method(&call.resource, &call.method);
    let method = method.ok_or_else(|| Failure::not_found("method"))?;
    let token = hand_over.token.clone();
    let call = call.into_call(&**calls, (config, method), (budget, Pages::All), token)?;
    match logged_call(calls, hand_over, call).await? {
        CallResponse::Pages(pages) => read_pages(*pages, most_bytes, result).await,
        CallResponse::Single(reply) => {
            let room = calls.room();
            let bytes = read_answer(&**calls, reply, &room, (most_bytes, deadline)).await?;
            let text = str::from_utf8(&bytes).map_err(|_| {
                let message = "The provider's answer is not text, so no batch can have it.";
                Failure::new(Code::UnexpectedAnswer, message)
            })?;
            let line = match text.trim() {
                "" => "null".to_owned(),
                text if json::count_values(text.as_bytes()).is_ok() => json::on_one_line(text),
                text => quoted(text),
            };
            result.lines = format!("{line}\n").into_bytes();
            Ok(())
        }
    }
}

async fn read_pages<O: Outside, S: Storage>(
    mut pages: AllPages<AccountCalls<O, S>>,
    most_bytes: usize,
    result: &mut NodeCallResult,
) -> Result<(), Failure> {
    let mut count = 0;
    while let Some(piece) = pages.next().await {
        let lines = match piece {
            Piece::Lines(lines) => lines,
            Piece::Broken { failure, .. } => return Err(failure),
        };
        if result.lines.len() + lines.len() > most_bytes {
            return Err(too_large());
        }
        // A piece may end within a character.
        result.lines.extend_from_slice(&lines);
        count += lines.split(|byte| *byte == b'\n').count() - 1;
        if count > BATCH_RECORDS {
            let message = format!("A node reads at most {BATCH_RECORDS} records.");
            return Err(Failure::new(Code::AnswerTooLarge, message));
        }
    }
    Ok(())
}

pub(super) fn too_large() -> Failure {
    let message = "The results of the batch are too large together.";
    Failure::new(Code::AnswerTooLarge, message)
}
