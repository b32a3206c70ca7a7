//! Reports in an error whether a write was made. Without this, callers would repeat a write that was made.

use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::{AnsweredBy, Failure, Remote};

/// Statuses without a body (RFC 9110 §6.4.1), which could not carry the message.
const WITHOUT_BODY: [u16; 3] = [204, 205, 304];

impl Failure {
    /// The provider made the write and responded with `status`; a later step failed. The response has that status,
    /// `details.write` is `done`, and it has no `retry-after`.
    #[must_use]
    pub fn of_made_write(self, status: u16) -> Self {
        if self.write_made().is_some() {
            return self;
        }
        let mut failure = self.with_write("done", status);
        failure.message = format!(
            "The write was made: the provider answered {status}. {}",
            failure.message
        );
        failure.retry_after = None;
        let remote = failure.remote.get_or_insert_with(|| {
            Box::new(Remote {
                status,
                raw_response: String::new(),
                headers: HeaderMap::new(),
                answered_by: AnsweredBy::Other,
            })
        });
        remote.status = if WITHOUT_BODY.contains(&status) {
            StatusCode::OK.as_u16()
        } else {
            status
        };
        remote.headers.remove(RETRY_AFTER);
        remote.headers.remove(LOCATION);
        failure
    }

    /// The write was not made: the provider answered it with a redirect that requires the same request elsewhere.
    #[must_use]
    pub fn of_write_not_made(self, status: u16) -> Self {
        self.with_write("not_done", status)
    }

    /// Adds the text of the response, unless the failure has a provider's response already.
    #[must_use]
    pub fn with_raw_response(mut self, status: u16, words: String) -> Self {
        self.remote.get_or_insert_with(|| {
            Box::new(Remote {
                status,
                raw_response: words,
                headers: HeaderMap::new(),
                answered_by: AnsweredBy::Other,
            })
        });
        self
    }

    /// Removes the text of the provider.
    #[must_use]
    pub fn without_raw_response(mut self) -> Self {
        if let Some(remote) = &mut self.remote {
            remote.raw_response = String::new();
        }
        self
    }

    /// Adds the target of a redirect that was not followed.
    #[must_use]
    pub fn with_location(self, location: &str) -> Self {
        self.with_detail("location", json!(location))
    }

    /// Notes that an earlier step of an action wrote before this one failed.
    #[must_use]
    pub fn after_write(self) -> Self {
        self.with_detail("write", json!("done"))
    }

    /// The status of the provider's response to a write that was made.
    pub fn write_made(&self) -> Option<u16> {
        let details = self.details.as_ref()?;
        let is_made = details.get("write").and_then(Value::as_str) == Some("done");
        let status = details.get("status").and_then(Value::as_u64);
        let status = status.filter(|_| is_made)?;
        u16::try_from(status).ok()
    }

    fn with_write(self, write: &str, status: u16) -> Self {
        self.with_detail("write", json!(write))
            .with_detail("status", json!(status))
    }

    fn with_detail(mut self, key: &str, value: Value) -> Self {
        let details = self
            .details
            .get_or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(details) = details {
            details.insert(key.to_owned(), value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn a_made_write_keeps_the_status_of_its_response_and_is_not_to_be_retried() {
        for (status, answered) in [(201, 201), (303, 303), (204, 200), (205, 200)] {
            let busy = Failure::busy("No memory.").of_made_write(status);
            assert_eq!(busy.status(), answered);
            assert_eq!(busy.retry_after, None);
            assert_eq!(busy.write_made(), Some(status));
            assert_eq!(busy.code, Code::Busy);
            let twice = busy.clone().of_made_write(500);
            assert_eq!(twice, busy, "the first report counts");
        }
    }

    #[test]
    fn existing_details_stay() {
        let failure = Failure::body_too_large(7).of_write_not_made(307);
        let details = json!({ "limit_bytes": 7, "write": "not_done", "status": 307 });
        assert_eq!(failure.details, Some(details));
        assert_eq!((failure.status(), failure.write_made()), (413, None));
    }
}
