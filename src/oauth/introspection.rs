//! What an introspection endpoint says of a token (RFC 7662 §2.2): for providers whose tokens do not say
//! when they expire.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::account::freshness;
use crate::time::Timestamp;

use super::failure::{TokenFailure, accepted, unreadable};
use super::reply::{is_credible, set_expiry};

/// What is known of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Introspection {
    /// Whether it can be used.
    pub active: bool,
    /// Seconds it has left; negative when it has expired, `None` when the provider does not say.
    pub expires_in: Option<i64>,
}

impl Introspection {
    /// Writes the expiry into what is at `oauth.token`. Without a usable one nothing changes; what an
    /// inactive token means is the caller's to say.
    pub fn apply(&self, token: &mut Value, now: Timestamp) {
        let left = self.expires_in.and_then(|left| u64::try_from(left).ok());
        if let (true, Some(left), Value::Object(fields)) =
            (self.active, left.filter(|left| is_credible(*left)), token)
        {
            set_expiry(fields, Some(left), now);
        }
    }
}

/// Reads the answer to an introspection request.
pub fn read_introspection(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Introspection, TokenFailure> {
    let reply = accepted(status, headers, (body, "access_token"), now)?;
    let active = match reply.get("active") {
        Some(Value::Bool(active)) => Some(*active),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let active = active.ok_or_else(|| unreadable("it does not say whether the token is active"))?;
    let expires_at = reply.get("exp").and_then(freshness::moment);
    // Some write 0 for a token that does not expire.
    let expires_at = expires_at.filter(|moment| moment.as_millis() > 0);
    let left = |moment: Timestamp| (moment.as_millis() - now.as_millis()).div_euclid(1000);
    Ok(Introspection {
        active,
        expires_in: expires_at.filter(|_| active).map(left),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    fn read(status: u16, body: &str) -> Result<Introspection, TokenFailure> {
        let status = StatusCode::from_u16(status).unwrap();
        let now = Timestamp::from_millis(NOW);
        read_introspection(status, &HeaderMap::new(), body.as_bytes(), now)
    }

    #[test]
    fn a_token_is_active_until_its_exp() {
        let table = [
            (
                r#"{"active":true,"exp":1700007200,"scope":"a"}"#,
                true,
                Some(7200),
            ),
            (r#"{"active":true,"exp":"1700007200"}"#, true, Some(7200)),
            (r#"{"active":"true","exp":1700000000}"#, true, Some(0)),
            (r#"{"active":true,"exp":1699999990}"#, true, Some(-10)),
            (r#"{"active":true,"exp":0}"#, true, None),
            (r#"{"active":true,"exp":1e300}"#, true, None),
            (r#"{"active":true}"#, true, None),
            (r#"{"active":false,"exp":1700007200}"#, false, None),
        ];
        for (body, active, expires_in) in table {
            let expected = Introspection { active, expires_in };
            assert_eq!(read(200, body), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_does_not_answer_the_question_is_a_failure() {
        assert!(matches!(read(200, "{}"), Err(TokenFailure::Unreadable(_))));
        assert!(matches!(
            read(200, "<html>"),
            Err(TokenFailure::Unreadable(_))
        ));
        assert!(matches!(read(404, ""), Err(TokenFailure::Unreadable(_))));
        assert!(matches!(read(503, ""), Err(TokenFailure::Transient { .. })));
        let refused = read(401, r#"{"error":"invalid_client"}"#).unwrap_err();
        assert!(!refused.needs_reauth());
    }

    #[test]
    fn an_expiry_is_written_into_the_token_and_a_past_one_is_not() {
        let stored = json!({ "access_token": "t", "expires_in": 10, "expires_at": "old" });
        let now = Timestamp::from_millis(NOW);
        let mut token = stored.clone();
        read(200, r#"{"active":true,"exp":1700007200}"#)
            .unwrap()
            .apply(&mut token, now);
        let expected = json!({ "access_token": "t", "expires_in": 7200, "expires_at": "2023-11-15T00:13:20.000Z" });
        assert_eq!(token, expected);
        for body in [
            r#"{"active":true}"#,
            r#"{"active":true,"exp":1699999990}"#,
            r#"{"active":false,"exp":1700007200}"#,
            r#"{"active":true,"exp":99999999999}"#,
        ] {
            let mut token = stored.clone();
            read(200, body).unwrap().apply(&mut token, now);
            assert_eq!(token, stored, "{body}");
        }
    }
}
