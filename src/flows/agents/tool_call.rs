//! `tools/call`: arguments are checked, the method is called as `/proxy` would call it, and the answer becomes a result.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::crypto;
use crate::error::Failure;
use crate::flows::agents::agent_call::{AgentCall, read_answer};
use crate::flows::agents::dry_run::{dry_run, too_long};
use crate::flows::agents::mcp::McpRequest;
use crate::flows::agents::tool_result::{of_document, of_failure, of_page};
use crate::flows::base::memory::Room;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine::request::not_confirmed;
use crate::flows::call::log::logged_call;
use crate::flows::call::{Call, CallResponse};
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::{Exact, exact, quoted};
use crate::mcp::answer::{RpcCode, RpcError, ToolOutcome, tool_result};
use crate::mcp::page::RecordPlace;
use crate::ports::{Outside, Pages, Storage};
use crate::tools::arguments::ToolArguments;
use crate::tools::check::Misfit;
use crate::tools::input::ConfirmationPolicy;
use crate::tools::{ToolInput, ToolMethod};

/// How often `MCP_RESULT_BYTES` an answer takes while it is written: a document, and the same as a text, in which each
/// quote takes two bytes; and all of it once more.
const RESULT_TIMES: usize = 6;

/// Runs a tool. The room holds its result.
pub(super) async fn call_tool<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    params: &Value,
    room: &Room,
) -> Result<String, RpcError> {
    let name = params.get("name").and_then(exact::as_text);
    let name = name.ok_or_else(|| invalid("name", "is required"))?;
    let resolved = mcp.resolved().await?;
    let tool = find(mcp, &resolved, name)?;
    let input = ToolInput::of(&tool, mcp.confirmation_policy());
    let given = params.get("arguments").cloned().unwrap_or_default();
    let given = Exact::of_inside(given);
    let read = match input.read(&given) {
        Ok(read) => read,
        Err(Misfit { path, message }) if mcp.misfits_are_results => {
            return Ok(of_failure(&Failure::invalid(&path, message)));
        }
        Err(misfit) => return Err(invalid(&misfit.path, &misfit.message)),
    };
    let run = run(mcp, (&resolved, &tool), (read, given), room);
    Ok(run.await.unwrap_or_else(|failure| of_failure(&failure)))
}

fn find<'c, O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    resolved: &'c ResolvedConfig,
    name: &str,
) -> Result<ToolMethod<'c>, RpcError> {
    let mut offered = mcp.offered(resolved).into_iter();
    offered.find(|tool| tool.name == name).ok_or_else(|| {
        let message = format!("There is no tool {}.", quoted(name));
        RpcError::new(RpcCode::Params, message)
    })
}

async fn run<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    (resolved, tool): (&ResolvedConfig, &ToolMethod<'_>),
    (read, given): (ToolArguments, Exact),
    room: &Room,
) -> Result<String, Failure> {
    let unknown_cursor = || Failure::invalid("next_cursor", "is not one of this list");
    let place = RecordPlace::read(read.next_cursor, read.limit).ok_or_else(unknown_cursor)?;
    let mut asked = AgentCall {
        resource: tool.resource.to_owned(),
        method: tool.method_name.to_owned(),
        id: read.id,
        query: read.query,
        body: read.body,
    };
    for (name, value) in [
        ("limit", place.limit.as_deref()),
        ("next_cursor", Some(&*place.cursor)),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            asked.add_parameter(name, value);
        }
    }
    let calls = mcp.calls;
    let of_file = (&resolved.compiled.config, tool.method);
    let mut call = asked.into_call(&**calls, of_file, (mcp.budget()?, Pages::One), None)?;
    if mcp.confirmation_policy() == ConfirmationPolicy::OfDestructive && tool.is_destructive() {
        let digest = digest(mcp, tool, given);
        let Some(own) = &read.confirmation else {
            return to_confirm(mcp, &call, digest).await;
        };
        let now = calls.system().now();
        let shown = mcp.server.confirmations.take(own, &digest, now);
        call.confirmed = Some(shown.ok_or_else(not_confirmed)?);
    }
    send(mcp, tool, (call, place), room).await
}

async fn send<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    tool: &ToolMethod<'_>,
    (call, place): (Call<O::Stream>, RecordPlace),
    room: &Room,
) -> Result<String, Failure> {
    let (calls, most) = (mcp.calls, mcp.most_bytes());
    let (is_read, is_list) = (tool.is_read(), tool.method_name == "list");
    // A write that was made is not answered with `internal.busy`, after which agents would make it again.
    if !is_read {
        room.take(RESULT_TIMES * most)?;
    }
    let trace = Rc::clone(&call.trace);
    let CallResponse::Single(reply) = logged_call(calls, mcp.hand_over, call).await? else {
        return Err(Failure::invalid("name", "lists pages one by one"));
    };
    let answer_room = calls.room();
    // A page is in memory already; `of_page` cuts it.
    let whole = calls.system().settings().buffers.total_bytes;
    let read_most = if is_list { whole } else { most };
    let read = read_answer(&**calls, reply, &answer_room, (read_most, mcp.deadline)).await;
    let result = read.and_then(|bytes| {
        if is_read {
            room.take(RESULT_TIMES * bytes.len().min(most))?;
        }
        if is_list {
            of_page(&bytes, &place, most)
        } else {
            of_document(&bytes, most)
        }
    });
    result.map_err(|failure| trace.behind_write(failure))
}

/// The request that would be sent, and the confirmation that sends it.
async fn to_confirm<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    call: &Call<O::Stream>,
    digest: String,
) -> Result<String, Failure> {
    let most = mcp.most_bytes();
    let unsent = dry_run(mcp.calls, &mcp.hand_over.visibility, call, most).await?;
    let (system, confirmations) = (mcp.calls.system(), &mcp.server.confirmations);
    let (confirmation, until) = confirmations.issue(system, (digest, unsent.digest));
    let document =
        json!({ "confirmation": confirmation, "expires_at": until, "request": unsent.shown });
    let document = document.to_string();
    if document.len() > most {
        return Err(too_long(most));
    }
    let text = format!(
        "Nothing was sent. To send this request, call the tool again with the same arguments and `confirmation`. {document}"
    );
    Ok(tool_result(&document, &text, ToolOutcome::Done))
}

/// What a confirmation is for: the token, the tool and its arguments, in any order.
fn digest<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    tool: &ToolMethod<'_>,
    given: Exact,
) -> String {
    let mut given = given;
    if let Some(entries) = given.inside_mut().as_object_mut() {
        entries.shift_remove("confirmation");
    }
    given.inside_mut().sort_all_objects();
    let text = format!("{}\0{}\0{given}", mcp.token.id, tool.name);
    crypto::sha256_hex(text.as_bytes())
}

/// −32602 with the place.
fn invalid(path: &str, message: &str) -> RpcError {
    RpcError {
        code: RpcCode::Params,
        message: format!("{path} {message}"),
        data: Some(json!({ "path": path, "message": message })),
    }
}
