//! Inbound webhooks: the gateway verifies a request over its raw bytes, then answers it as a URL verification or reads
//! events from it. The webhook URLs of accounts and of installs share this folder. It uses `account`, `config` and
//! `events`; the account's object stores the events.

mod assign;
pub(in crate::flows) mod dead_letters;
pub mod decode;
pub mod install;
pub(in crate::flows) mod receive;
pub(in crate::flows) mod replay;
pub mod reply;
pub mod verify;
pub mod webhook_context;

use bytes::Bytes;
use http::Method;
use serde_json::json;
use url::{Position, Url};

use crate::error::{Code, Failure};
use crate::flows::base::body;
use crate::flows::base::memory::Room;
use crate::flows::base::memory::values::{bytes_of_values, too_many_values};
use crate::ids::EventId;
use crate::ports::{Body, Outside};
use crate::settings::{FORM_FIELDS, Settings, UNPROVED_VALUES, WEBHOOK_VALUES};
use crate::webhook::{Handshake, WebhookRequest};

/// How a webhook was handled.
#[derive(Debug)]
pub enum Received {
    /// A URL verification.
    Handshake(Box<Handshake>),
    /// Stored, for the account whose URL was called.
    Stored(Vec<EventId>),
    /// Stored in so many accounts of an install.
    Matched(usize, Vec<EventId>),
}

/// Reads the body of a webhook within its own limits and those of unproved senders.
pub async fn read_body<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    room: &Room,
) -> Result<Bytes, Failure> {
    body::read(outside, body, outside.settings().webhook_body_bytes, room).await
}

/// Counts the values of a body before they are built. An unproved request may have only a few: with more it is not
/// parsed, and it is refused where its values are needed (`WebhookContext::verified`).
pub fn limit_values(request: &WebhookRequest<'_>, room: &Room) -> Result<(), Failure> {
    let (values, most) = if let Some(fields) = request.fields() {
        (fields, FORM_FIELDS)
    } else {
        room.take(request.text_bytes())?;
        (request.values(), WEBHOOK_VALUES)
    };
    if values > most {
        return Err(too_many_values("The body", most));
    }
    if values > UNPROVED_VALUES {
        request.withhold();
        return Ok(());
    }
    room.take(bytes_of_values(values, request.body().len()))
}

/// The one response to every request that cannot be verified.
pub fn bad_signature() -> Failure {
    Failure::new(Code::BadSignature, "The webhook could not be verified.")
}

/// GET and HEAD are for URL verifications only.
pub fn refuse_event_by(method: &Method) -> Result<(), Failure> {
    if method == Method::POST {
        return Ok(());
    }
    let message = "GET and HEAD are only for a URL verification (handshake), and this request is none that the integration defines. Send events by POST.";
    Err(Failure::new(Code::MethodNotAllowed, message))
}

/// Asks the sender to try again while the integration cannot be loaded.
pub fn unreadable(outside: &impl Outside, failure: &Failure, id: &str) -> Failure {
    outside.log(&json!({ "level": "error", "event": "webhook_not_readable", "code": failure.code.as_str(), "reason": failure.message, "id": id }));
    Failure::busy("The integration cannot be loaded. Try again.")
}

/// The URL as it was registered at the provider: `PUBLIC_URL` with the path and query as they were sent, as far as the
/// platform shows them.
pub fn registered_url(settings: &Settings, url: &Url, raw_target: Option<&str>) -> String {
    let base = settings.public_url.as_ref().unwrap_or(url);
    let origin = base.origin().ascii_serialization();
    let target = raw_target.unwrap_or(&url[Position::BeforePath..Position::AfterQuery]);
    format!("{origin}{target}")
}
