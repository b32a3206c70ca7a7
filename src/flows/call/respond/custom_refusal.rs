//! A refusal on `/custom`. It is passed on without the account's secrets, so it is buffered if it is small. A body that
//! cannot be read cannot be searched and is left out. A success answer is not searched.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::call::account::CallAccount;
use crate::flows::call::engine::Head;
use crate::flows::call::engine::protocol::{Answer, Streamed};
use crate::flows::call::respond::{Look, Responder};
use crate::header_text;
use crate::media::charset::{self, Charset};
use crate::media::coding;
use crate::ports::{Body, Reply};
use crate::proxy::headers;
use crate::proxy::reply;

/// The reasons why a refusal's body is left out.
const COMPRESSED: &str = "it is compressed in a way that this gateway does not undo";
const LONG: &str = "it is longer than 256 KiB, or came too late";
const UNREADABLE: &str = "it is no text that this gateway can read";
const NO_ROOM: &str = "there is no memory to undo its compression now";

/// The body of a refusal after the search.
enum SearchedBody {
    /// No secret was found; the bytes are passed on unchanged.
    Same,
    /// The text without the secrets, in UTF-8.
    Changed(String),
    /// The body cannot be searched and is left out.
    Unreadable,
}

/// Looks at a refusal whose body has to be searched.
pub(in crate::flows) fn look<'a>(reply: Answer) -> Look<'a> {
    if matches!(reply.body, Body::Empty) {
        return Look::reply(reply);
    }
    if coding::of_answer(&reply.headers).is_err() {
        return Look::reply(left_out(reply.status, &reply.headers, COMPRESSED));
    }
    Look::ReadSmall(reply)
}

impl<A: CallAccount> Responder<'_, '_, A> {
    /// The refusal without the secrets that it repeats.
    pub(in crate::flows) fn without_secrets(
        &self,
        head: Head,
        bytes: Option<Bytes>,
    ) -> Reply<Streamed> {
        let Head {
            status,
            mut headers,
        } = head;
        let Some(bytes) = bytes else {
            return left_out(status, &headers, LONG);
        };
        let body = Body::from_bytes(bytes.clone());
        let room = self.account.room();
        let bytes = match body::decoded(&headers, bytes, room.answer_bytes(), &room) {
            Ok(bytes) => bytes,
            Err(failure) => return left_out(status, &headers, why_encoded(&failure)),
        };
        let body = match self.search(&headers, &bytes) {
            SearchedBody::Same => body,
            SearchedBody::Changed(text) => {
                let kind = headers.get(CONTENT_TYPE).cloned();
                headers = headers::of_rewritten_answer(&headers);
                headers.extend(kind.map(|kind| (CONTENT_TYPE, kind)));
                say_utf8(&mut headers);
                Body::from_bytes(text)
            }
            SearchedBody::Unreadable => return left_out(status, &headers, UNREADABLE),
        };
        Reply {
            status,
            headers,
            body,
        }
    }

    /// Searches a body for secrets. Its declared encoding may be wrong, so it is also read in the encoding that most
    /// clients would assume.
    fn search(&self, headers: &HeaderMap, bytes: &[u8]) -> SearchedBody {
        let kind = reply::kind(headers, None);
        let Some(text) = text_of(headers, kind, bytes) else {
            return SearchedBody::Unreadable;
        };
        let redactor = self.redactor();
        let plain = String::from_utf8_lossy(bytes);
        let shown = redactor.answer(text.clone());
        if shown != text {
            SearchedBody::Changed(shown)
        } else if redactor.text(&plain) == plain {
            SearchedBody::Same
        } else {
            SearchedBody::Unreadable
        }
    }
}

/// Why a body was not decoded although its coding is supported.
fn why_encoded(failure: &Failure) -> &'static str {
    match failure.code {
        Code::AnswerTooLarge => LONG,
        Code::UnexpectedAnswer => UNREADABLE,
        _ => NO_ROOM,
    }
}

/// The text in its encoding. Without a declared encoding, bytes that are not UTF-8 are read as Latin-1, where every
/// byte is a character.
fn text_of(headers: &HeaderMap, kind: reply::MediaKind, bytes: &[u8]) -> Option<String> {
    let charset = charset::of(headers, kind, bytes).ok()?;
    let text = match (charset.decode(bytes), charset) {
        (Ok(text), _) => text,
        (Err(_), Charset::Utf8) => Charset::Latin1.decode(bytes).ok()?,
        (Err(_), _) => return None,
    };
    let is_text = |c: char| !c.is_control() || c.is_ascii_whitespace() || c >= '\u{80}';
    text.chars().all(is_text).then(|| text.into_owned())
}

/// Declares UTF-8 for a rewritten body.
fn say_utf8(headers: &mut HeaderMap) {
    let Some(said) = headers.get(CONTENT_TYPE) else {
        return;
    };
    let said = header_text::text(said);
    let Some((kind, parameters)) = said.split_once(';') else {
        return;
    };
    if !parameters.to_ascii_lowercase().contains("charset") {
        return;
    }
    let kind = header_text::value_of(&format!("{}; charset=utf-8", kind.trim()));
    match kind {
        Some(kind) => drop(headers.insert(CONTENT_TYPE, kind)),
        None => drop(headers.remove(CONTENT_TYPE)),
    }
}

/// A refusal without its body. Its status and header fields stay.
fn left_out(status: StatusCode, headers: &HeaderMap, why: &str) -> Reply<Streamed> {
    let message = format!(
        "The provider refused the request. Its words are left out: {why}, so that it cannot be searched for the account's secrets."
    );
    let mut headers = headers::of_rewritten_answer(headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Reply {
        status,
        headers,
        body: Body::from_bytes(json!({ "message": message }).to_string()),
    }
}
