//! Moments, as the rest of the crate speaks of them. It reads no clock: `now` is an argument.

mod http_date;
mod retry_after;

use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use retry_after::retry_after;

/// A moment in milliseconds since 1970-01-01T00:00:00Z, written as ISO 8601 UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch; out of the calendar's range becomes the epoch.
    pub fn from_millis(millis: i64) -> Self {
        match jiff::Timestamp::from_millisecond(millis) {
            Ok(_) => Self(millis),
            Err(_) => Self(0),
        }
    }

    /// 2000-01-01T00:00:00Z.
    pub const fn of_year_2000() -> Self {
        Self(946_684_800_000)
    }

    /// Milliseconds since the epoch.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Reads an ISO 8601 / RFC 3339 date and time with an offset; `None` when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let moment: jiff::Timestamp = text.trim().parse().ok()?;
        Some(Self(moment.as_millisecond()))
    }

    /// Reads what providers write for a moment: ISO 8601 with an offset, or without one as UTC, or an HTTP date.
    pub fn parse_any(text: &str, now: Self) -> Option<Self> {
        let in_utc = || {
            let civil: jiff::civil::DateTime = text.trim().parse().ok()?;
            let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            text.contains(':')
                .then(|| Self(zoned.timestamp().as_millisecond()))
        };
        Self::parse(text)
            .or_else(in_utc)
            .or_else(|| Self::parse_http_date(text, now))
    }

    /// Reads an HTTP date in any of the three forms of RFC 9110 §5.6.7; `None` when it is not one. `now` decides the
    /// century of a year of two digits.
    pub fn parse_http_date(text: &str, now: Self) -> Option<Self> {
        http_date::parse(text.trim(), now)
    }

    /// The moment `wait` later; stays at the end of time rather than wrap.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_add(millis))
    }

    /// The moment `wait` earlier; stays at the epoch rather than wrap.
    #[must_use]
    pub fn minus(self, wait: Duration) -> Self {
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        Self::from_millis(self.0.saturating_sub(millis).max(0))
    }

    /// How long from `earlier` to here; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment =
            jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        write!(f, "{moment:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom("not a date and time such as 2026-01-31T12:00:00.000Z")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_milliseconds_in_utc() {
        assert_eq!(
            Timestamp::from_millis(1_700_000_000_000).to_string(),
            "2023-11-14T22:13:20.000Z"
        );
        assert_eq!(
            Timestamp::from_millis(7).to_string(),
            "1970-01-01T00:00:00.007Z"
        );
    }

    #[test]
    fn reads_what_it_writes_and_other_offsets() {
        let moment = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(Timestamp::parse(&moment.to_string()), Some(moment));
        assert_eq!(
            Timestamp::parse("1970-01-01T01:00:00+01:00"),
            Some(Timestamp::from_millis(0))
        );
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn a_moment_without_an_offset_is_utc() {
        let now = Timestamp::from_millis(0);
        for text in [
            "2023-11-14T22:13:20Z",
            "2023-11-14T23:13:20+01:00",
            "2023-11-14T22:13:20",
            "2023-11-14 22:13:20",
            "2023-11-14 22:13:20Z",
            "2023-11-14T22:13:20.000",
            "Tue, 14 Nov 2023 22:13:20 GMT",
            "Tue Nov 14 22:13:20 2023",
        ] {
            let read = Timestamp::parse_any(text, now).map(Timestamp::as_millis);
            assert_eq!(read, Some(1_700_000_000_000), "{text}");
        }
        for text in ["", "1700000000", "22:13:20", "soon"] {
            assert_eq!(Timestamp::parse_any(text, now), None, "{text}");
        }
    }

    #[test]
    fn never_wraps() {
        let late = Timestamp::from_millis(i64::MAX);
        assert_eq!(late.as_millis(), 0);
        let end = Timestamp::from_millis(253_402_207_200_000).plus(Duration::from_secs(u64::MAX));
        assert!(!end.to_string().is_empty());
        assert_eq!(
            Timestamp::from_millis(1).since(Timestamp::from_millis(5)),
            Duration::ZERO
        );
    }
}
