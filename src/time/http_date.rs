//! HTTP dates (RFC 9110 §5.6.7). A recipient accepts all three forms.

use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::Timestamp;

/// `Sunday, 06-Nov-94 08:49:37 GMT`
const RFC_850: &str = "%A, %d-%b-%y %H:%M:%S GMT";
/// `Sun Nov  6 08:49:37 1994`
const ASCTIME: &str = "%a %b %e %H:%M:%S %Y";
/// A year of two digits that would be further ahead than this is of the century before.
const YEARS_AHEAD: i16 = 50;

/// Reads one of the three forms.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(moment) = DateTimeParser::new().parse_timestamp(text) {
        return Some(Timestamp(moment.as_millisecond()));
    }
    let civil = |form| strtime::parse(form, text).and_then(|parts| parts.to_datetime());
    let moment = match civil(RFC_850) {
        Ok(date) => in_century(date, now)?,
        Err(_) => civil(ASCTIME).ok()?,
    };
    let moment = moment.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp(moment.as_millisecond()))
}

fn in_century(date: DateTime, now: Timestamp) -> Option<DateTime> {
    let now = jiff::Timestamp::from_millisecond(now.0).ok()?;
    let latest = now.to_zoned(TimeZone::UTC).year() + YEARS_AHEAD;
    let year = latest - (latest - date.year()).rem_euclid(100);
    date.with().year(year).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        let now = Timestamp::parse("1994-11-01T00:00:00Z").unwrap();
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun Nov 06 08:49:37 1994",
        ] {
            let read = parse(text, now).map(|moment| moment.to_string());
            assert_eq!(read.as_deref(), Some("1994-11-06T08:49:37.000Z"), "{text}");
        }
        for text in [
            "",
            "120",
            "Sunday",
            "Sun Nov 6",
            "Sunday, 06-Nov-94 08:49:37 PST",
        ] {
            assert_eq!(parse(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_year_of_two_digits_is_at_most_fifty_years_ahead() {
        let now = Timestamp::parse("2026-11-28T12:00:00Z").unwrap();
        for (digits, year) in [
            ("26", "2026"),
            ("76", "2076"),
            ("77", "1977"),
            ("94", "1994"),
            ("00", "2000"),
        ] {
            let dates = [
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday",
            ]
            .map(|day| parse(&format!("{day}, 03-Mar-{digits} 00:00:00 GMT"), now));
            let read: Vec<String> = dates.iter().flatten().map(ToString::to_string).collect();
            assert!(
                !read.is_empty() && read.iter().all(|text| text.starts_with(year)),
                "{digits}: {read:?}"
            );
        }
    }
}
