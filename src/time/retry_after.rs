//! How long a provider asks the gateway to wait.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use super::Timestamp;

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or the time until a date in any form that providers write, rounded up to
/// seconds.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let wait = Timestamp::parse_any(text, now)?.since(now);
    let seconds = u64::try_from(wait.as_millis().div_ceil(1_000)).ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let now = Timestamp::from_millis(1_700_000_000_001);
        for (text, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Tue, 14 Nov 2023 22:13:50 GMT", Some(30)),
            ("Tuesday, 14-Nov-23 22:13:50 GMT", Some(30)),
            ("Tue Nov 14 22:13:50 2023", Some(30)),
            ("2023-11-14T22:13:50Z", Some(30)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("", None),
            ("+1", None),
            ("-1", None),
            ("soon", None),
            ("99999999999999999999", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            let asked = retry_after(&headers, now).map(|wait| wait.as_secs());
            assert_eq!(asked, seconds, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
