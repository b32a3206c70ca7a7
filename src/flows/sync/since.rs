//! Times of changes as providers write them: ISO 8601, seconds or milliseconds, as numbers or as texts.

use std::time::Duration;

use serde_json::Value;

use crate::time::Timestamp;

/// Whole seconds up to the year 5138; a larger number is of milliseconds.
const MOST_SECONDS: i64 = 99_999_999_999;

/// How a time is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Iso,
    Seconds,
    Millis,
}

fn read(value: &Value) -> Option<(Timestamp, Form)> {
    let of_number = |number: f64| {
        #[allow(clippy::cast_possible_truncation)] // a time has less than 53 bits
        let whole = number as i64;
        if whole > MOST_SECONDS {
            (Timestamp::from_millis(whole), Form::Millis)
        } else {
            #[allow(clippy::cast_possible_truncation)] // a time has less than 53 bits
            let millis = (number * 1_000.0) as i64;
            (Timestamp::from_millis(millis), Form::Seconds)
        }
    };
    match value {
        Value::Number(number) => number.as_f64().map(of_number),
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Some(of_number(number)),
            _ => {
                let time = Timestamp::parse_any(text, Timestamp::from_millis(0));
                time.map(|time| (time, Form::Iso))
            }
        },
        _ => None,
    }
}

/// The later of two times. What is no time is none.
pub(super) fn later(one: Option<Value>, other: Option<&Value>) -> Option<Value> {
    let Some((time, _)) = other.and_then(read) else {
        return one;
    };
    match one.as_ref().and_then(read) {
        Some((before, _)) if before >= time => one,
        _ => other.cloned(),
    }
}

/// A time so much earlier, in its own form.
pub(super) fn earlier(value: &Value, by: Duration) -> Value {
    match read(value) {
        Some((time, form)) => written(time.minus(by), form, value),
        None => value.clone(),
    }
}

/// The earlier of a time and `most`, in the form of the first.
pub(super) fn at_most(value: Value, most: Timestamp) -> Value {
    match read(&value) {
        Some((time, form)) if time > most => written(most, form, &value),
        _ => value,
    }
}

fn written(time: Timestamp, form: Form, value: &Value) -> Value {
    let number = match form {
        Form::Iso => {
            let (time, text) = (time.to_string(), value.as_str().unwrap_or_default());
            // Some providers read no fractions.
            let whole = time.get(..19).filter(|_| !text.contains('.'));
            return Value::String(whole.map_or_else(|| time.clone(), |whole| format!("{whole}Z")));
        }
        Form::Seconds => time.as_millis().div_euclid(1_000),
        Form::Millis => time.as_millis(),
    };
    match value {
        Value::String(_) => Value::String(number.to_string()),
        _ => Value::from(number),
    }
}

#[cfg(test)]
mod tests {
    use super::{at_most, earlier, later};
    use crate::time::Timestamp;
    use serde_json::{Value, json};
    use std::time::Duration;

    #[test]
    fn a_time_is_set_back_in_its_own_form() {
        for (value, expected) in [
            (json!("2026-01-31T12:00:30Z"), json!("2026-01-31T11:59:30Z")),
            (
                json!("2026-01-31T13:00:30.5+01:00"),
                json!("2026-01-31T11:59:30.500Z"),
            ),
            (
                json!("2026-01-31T13:00:30.000+0100"),
                json!("2026-01-31T11:59:30.000Z"),
            ),
            (json!(1_700_000_060), json!(1_700_000_000)),
            (json!("1700000060"), json!("1700000000")),
            (json!(1_700_000_060_500_i64), json!(1_700_000_000_500_i64)),
            (json!("soon"), json!("soon")),
        ] {
            assert_eq!(earlier(&value, Duration::from_mins(1)), expected, "{value}");
        }
    }

    #[test]
    fn a_time_is_cut_at_another_in_its_own_form() {
        let most = Timestamp::from_millis(1_700_000_000_000);
        for (value, expected) in [
            (json!(1_700_000_000), json!(1_700_000_000)),
            (json!(1_700_000_001), json!(1_700_000_000)),
            (json!("1700000000001"), json!("1700000000000")),
            (
                json!("2023-11-14T22:13:20+00:00"),
                json!("2023-11-14T22:13:20+00:00"),
            ),
            (json!("2023-11-14T22:13:21Z"), json!("2023-11-14T22:13:20Z")),
            (json!("later"), json!("later")),
        ] {
            assert_eq!(at_most(value.clone(), most), expected, "{value}");
        }
    }

    #[test]
    fn the_later_time_counts_and_what_is_none_does_not() {
        let max = |values: &[Value]| {
            values
                .iter()
                .fold(None, |one, other| later(one, Some(other)))
        };
        let (old, new) = (
            json!("2026-01-31T12:00:00Z"),
            json!("2026-01-31T12:30:00+00:00"),
        );
        assert_eq!(
            max(&[old.clone(), new.clone(), json!(null), json!("x")]),
            Some(new.clone())
        );
        assert_eq!(max(&[new.clone(), old]), Some(new));
        assert_eq!(max(&[json!(7), json!("9"), json!({})]), Some(json!("9")));
        assert_eq!(max(&[json!(null), json!("never")]), None);
        assert_eq!(later(Some(json!(7)), None), Some(json!(7)));
    }
}
