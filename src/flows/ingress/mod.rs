//! A provider's webhook comes in: proved over its raw bytes, answered when it is a handshake, else read as
//! events. What an account's own URL and an install's have in common; storing is the account's object's.

pub mod decode;
pub mod install;
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
use crate::flows::base::memory::built::{built_bytes, too_many_values};
use crate::ids::EventId;
use crate::ports::{Body, Outside};
use crate::settings::{FORM_FIELDS, Settings, UNPROVED_VALUES, WEBHOOK_VALUES};
use crate::webhook::{Handshake, WebhookRequest};

/// What became of a webhook.
#[derive(Debug)]
pub enum Received {
    /// It was a handshake.
    Handshake(Box<Handshake>),
    /// It is stored: an account's own.
    Stored(Vec<EventId>),
    /// It is stored in so many accounts of an install.
    Matched(usize, Vec<EventId>),
}

/// The body of a webhook, within its own limits and those of senders who have proved nothing.
pub async fn read_body<O: Outside>(
    outside: &O,
    body: Body<O::Stream>,
    room: &Room,
) -> Result<Bytes, Failure> {
    body::read(outside, body, outside.settings().webhook_body_bytes, room).await
}

/// Before the proof a few values are looked at, and are counted first; more are not built, and where they are needed the
/// request is refused (`WebhookContext::verified`).
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
    room.take(built_bytes(values, request.body().len()))
}

/// The one answer to whatever is not proved.
pub fn bad_signature() -> Failure {
    Failure::new(Code::BadSignature, "The webhook could not be verified.")
}

/// GET is for handshakes.
pub fn refuse_event_by(method: &Method) -> Result<(), Failure> {
    if method == Method::POST {
        return Ok(());
    }
    let words = "A GET is a handshake here, and the integration has none that this is. Events come by POST.";
    Err(Failure::new(Code::MethodNotAllowed, words))
}

/// Whatever is missing to read the integration, the sender shall try again.
pub fn unreadable(outside: &impl Outside, failure: &Failure, id: &str) -> Failure {
    outside.log(&json!({ "level": "error", "event": "webhook_not_readable", "code": failure.code.as_str(), "reason": failure.message, "id": id }));
    Failure::busy("The integration cannot be read at the moment. Try again.")
}

/// The URL as the provider was told it: `PUBLIC_URL` with the path and query as they came, as far as the platform shows them.
pub fn asked_url(settings: &Settings, url: &Url, asked: Option<&str>) -> String {
    let base = settings.public_url.as_ref().unwrap_or(url);
    let origin = base.origin().ascii_serialization();
    let target = asked.unwrap_or(&url[Position::BeforePath..Position::AfterQuery]);
    format!("{origin}{target}")
}
