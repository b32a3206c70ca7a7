//! `tools/call`: arguments are checked, the method is called as `/proxy` would call it, and the answer becomes a result.

use std::rc::Rc;

use serde_json::{Value, json};

use crate::crypto;
use crate::error::Failure;
use crate::flows::agents::agent_call::{AgentCall, read_answer};
use crate::flows::agents::dry_run::dry_run;
use crate::flows::agents::mcp::McpRequest;
use crate::flows::agents::tool_result::{of_document, of_failure, of_page};
use crate::flows::call::CallResponse;
use crate::flows::call::account::CallAccount;
use crate::flows::call::log::logged_call;
use crate::flows::config::resolved_config::ResolvedConfig;
use crate::json::{Exact, exact, quoted};
use crate::mcp::answer::{RpcCode, RpcError, ToolOutcome, tool_result};
use crate::mcp::page::RecordPlace;
use crate::ports::{Outside, Pages, Storage};
use crate::proxy::multipart;
use crate::tools::arguments::ToolArguments;
use crate::tools::check::Misfit;
use crate::tools::input::ConfirmationPolicy;
use crate::tools::{ToolInput, ToolMethod};

/// Runs a tool.
pub(super) async fn call_tool<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    params: &Value,
) -> Result<String, RpcError> {
    let name = params.get("name").and_then(exact::as_text);
    let name = name.ok_or_else(|| invalid("name", "is required"))?;
    let resolved = mcp.resolved().await?;
    let tool = find(mcp, &resolved, name)?;
    let input = ToolInput::of(&tool, mcp.confirmation_policy());
    let given = params.get("arguments").cloned().unwrap_or_default();
    let given = Exact::of_inside(given);
    let read = input.read(&given).map_err(|own| misfit(&own))?;
    let run = run(mcp, (&resolved, &tool), read, given);
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
    read: ToolArguments,
    given: Exact,
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
    let (calls, most) = (mcp.calls, mcp.most_bytes());
    let is_list = tool.method_name == "list";
    let of_file = (&resolved.compiled.config, tool.method);
    let call = asked.into_call(&**calls, of_file, (mcp.budget()?, Pages::One), None)?;
    if mcp.confirmation_policy() == ConfirmationPolicy::OfDestructive && tool.is_destructive() {
        let shown = dry_run(calls, &mcp.hand_over.visibility, &call).await?;
        let digest = digest(mcp, tool, given, &shown);
        let now = calls.system().now();
        match &read.confirmation {
            None => return Ok(to_confirm(mcp, &shown, digest)),
            Some(own) if mcp.server.confirmations.take(own, &digest, now) => {}
            Some(_) => return Err(not_confirmed()),
        }
    }
    let trace = Rc::clone(&call.trace);
    let CallResponse::Single(reply) = logged_call(calls, mcp.hand_over, call).await? else {
        return Err(Failure::invalid("name", "lists pages one by one"));
    };
    let room = calls.room();
    // A page is in memory already; `of_page` cuts it.
    let whole = calls.system().settings().buffers.total_bytes;
    let read_most = if is_list { whole } else { most };
    let read = read_answer(&**calls, reply, &room, (read_most, mcp.deadline)).await;
    let result = read.and_then(|bytes| {
        if is_list {
            of_page(&bytes, &place, most)
        } else {
            of_document(&bytes, most)
        }
    });
    result.map_err(|failure| trace.behind_write(failure))
}

/// The request that would be sent, and the confirmation that sends it.
fn to_confirm<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    request: &Value,
    digest: String,
) -> String {
    let (confirmation, until) = mcp.server.confirmations.issue(mcp.calls.system(), digest);
    let document = json!({ "confirmation": confirmation, "expires_at": until, "request": request });
    let document = document.to_string();
    let text = format!(
        "Nothing was sent. To send this request, call the tool again with the same arguments and `confirmation`. {document}"
    );
    tool_result(&document, &text, ToolOutcome::Done)
}

/// What a confirmation is for: the token, the tool and its arguments, in any order, and the request as it was shown.
fn digest<O: Outside, S: Storage>(
    mcp: &McpRequest<'_, O, S>,
    tool: &ToolMethod<'_>,
    given: Exact,
    request: &Value,
) -> String {
    let mut given = given;
    if let Some(entries) = given.inside_mut().as_object_mut() {
        entries.shift_remove("confirmation");
    }
    given.inside_mut().sort_all_objects();
    let request = request.to_string();
    let request = multipart::without_boundary(&request);
    let text = format!("{}\0{}\0{given}\0{request}", mcp.token.id, tool.name);
    crypto::sha256_hex(text.as_bytes())
}

fn not_confirmed() -> Failure {
    let message = "is unknown, was used, has expired, or was given for other arguments or another request; leave it out to get another";
    Failure::invalid("confirmation", message)
}

fn misfit(misfit: &Misfit) -> RpcError {
    invalid(&misfit.path, &misfit.message)
}

/// −32602 with the place.
fn invalid(path: &str, message: &str) -> RpcError {
    RpcError {
        code: RpcCode::Params,
        message: format!("{path} {message}"),
        data: Some(json!({ "path": path, "message": message })),
    }
}
