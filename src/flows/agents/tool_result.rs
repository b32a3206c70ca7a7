//! What a call of a tool gave, as an agent reads it.

use bytes::Bytes;
use serde_json::json;

use crate::error::{Code, Failure};
use crate::json::{self, quoted};
use crate::mcp::answer::{ToolOutcome, tool_result};
use crate::mcp::page::{RecordPlace, document};
use crate::settings::MCP_ERROR_BYTES;

/// A page of a list.
pub(super) fn of_page(bytes: &Bytes, place: &RecordPlace, most: usize) -> Result<String, Failure> {
    let text = str::from_utf8(bytes).unwrap_or_default();
    match document(text, place, most) {
        Some(document) => Ok(tool_result(&document, &document, ToolOutcome::Done)),
        None => of_document(bytes, most),
    }
}

/// Any other answer: JSON as it came, anything else as text.
pub(super) fn of_document(bytes: &Bytes, most: usize) -> Result<String, Failure> {
    if bytes.len() > most {
        return Err(too_large(most));
    }
    if bytes.is_empty() {
        let document = r#"{"result":null}"#;
        return Ok(tool_result(document, document, ToolOutcome::Done));
    }
    let text = str::from_utf8(bytes).map_err(|_| {
        let message = "The provider's answer is not text, so no tool can show it. GET /proxy gives it as it is.";
        Failure::new(Code::UnexpectedAnswer, message)
    })?;
    let text = text.trim();
    let is_json = json::count_values(text.as_bytes()).is_ok();
    let document = match text.as_bytes().first() {
        Some(b'{') if is_json => text.to_owned(),
        _ if is_json => format!(r#"{{"result":{text}}}"#),
        _ => format!(r#"{{"result":{}}}"#, quoted(text)),
    };
    // What is no JSON is longer as JSON.
    if document.len() > most {
        return Err(too_large(most));
    }
    Ok(tool_result(&document, text, ToolOutcome::Done))
}

fn too_large(most: usize) -> Failure {
    let message = format!(
        "The answer is too long, and the result of a tool has at most {most} bytes (MCP_RESULT_BYTES). Ask for less of it, or fetch it by GET /proxy."
    );
    Failure::new(Code::AnswerTooLarge, message)
}

/// An error of the provider or of the gateway: its message, its code and what to do.
pub(super) fn of_failure(failure: &Failure) -> String {
    let code = failure.code.as_str();
    let meaning = failure.code.meaning();
    let mut text = format!(
        "{} ({code}, status {}): {meaning}",
        failure.message,
        failure.status()
    );
    if let Some(seconds) = failure.retry_after {
        text = format!("{text} Try again in {seconds} s.");
    }
    let raw = failure.remote.as_ref().map(|own| own.raw_response.as_str());
    let raw = raw.map(|raw| beginning(raw, MCP_ERROR_BYTES));
    if let Some(raw) = raw {
        text = format!("{text} The provider's answer: {raw}");
    }
    let document = json!({ "error": {
        "message": failure.message, "code": code, "statusCode": failure.status(), "what_to_do": meaning,
        "is_remote_error": failure.remote.is_some(), "raw_response": raw, "details": failure.details,
        "retry_after": failure.retry_after,
    } });
    tool_result(&document.to_string(), &text, ToolOutcome::Failed)
}

/// At most so many bytes, whole characters.
fn beginning(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}
