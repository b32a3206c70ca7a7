//! Times of runs in five fields, in UTC: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). A
//! field is `*`, numbers, ranges and lists, each with a step: `*/15`, `1-5`, `0,30`. As in cron, a time counts by the day
//! of the month or the day of the week where both are given.

use std::str::FromStr;

use crate::json::text_type;
use crate::time::Timestamp;

/// Times of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    source: String,
    /// The allowed numbers of each field, as bits.
    fields: [u64; 5],
    /// Whether the day of the month, and of the week, is `*`.
    is_any_day: [bool; 2],
}

/// The first and the last number of each field.
const RANGES: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
const DAY: i64 = 86_400_000;
/// The 29th of February comes every eight years at the latest.
const DAYS: i64 = 366 * 8 + 1;
const WRONG: &str = "a schedule is five fields of numbers, `*`, `,`, `-` and `/`: minute, hour, day, month, day of the week";

impl Cron {
    /// The text of the file.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The first time after `time`; `None` where there is none.
    pub fn next(&self, time: Timestamp) -> Option<Timestamp> {
        let minute = time.as_millis().div_euclid(60_000) + 1;
        let today = (minute * 60_000).div_euclid(DAY);
        let days = (today..today + DAYS).filter(|day| self.has_day(*day));
        let [minutes, hours, ..] = self.fields;
        for day in days.take(2) {
            let from = (minute - day * 1_440).max(0);
            let mut times = from..1_440;
            let is_time = |at: &i64| has(hours, at / 60) && has(minutes, at % 60);
            if let Some(at) = times.find(is_time) {
                return Some(Timestamp::from_millis(day * DAY + at * 60_000));
            }
        }
        None
    }

    fn has_day(&self, day: i64) -> bool {
        let [_, _, days, months, weekdays] = self.fields;
        let date = Timestamp::from_millis(day * DAY).to_string();
        let number = |from: usize| date.get(from..from + 2).and_then(|text| text.parse().ok());
        let (Some(month), Some(of_month)) = (number(5), number(8)) else {
            return false;
        };
        // The 1st of January 1970 was a Thursday.
        let of_week = (day + 4).rem_euclid(7);
        let (by_month, by_week) = (has(days, of_month), has(weekdays, of_week));
        has(months, month)
            && match self.is_any_day {
                [false, false] => by_month || by_week,
                _ => by_month && by_week,
            }
    }
}

fn has(bits: u64, number: i64) -> bool {
    bits >> number & 1 == 1
}

fn field(text: &str, (first, last): (u32, u32)) -> Option<u64> {
    let number = |text: &str| {
        let is_plain = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u32>()
            .ok()
            .filter(|n| is_plain && (first..=last).contains(n))
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, last),
            None => (number(range)?, number(range)?),
        };
        let step = usize::try_from(step).ok()?;
        bits |= (from..=to)
            .step_by(step)
            .fold(0, |bits, n| bits | 1_u64 << n);
    }
    (bits > 0).then_some(bits)
}

impl FromStr for Cron {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let [_, _, day, _, weekday] = words[..] else {
            return Err(WRONG);
        };
        let mut fields = [0; 5];
        for ((bits, word), range) in fields.iter_mut().zip(&words).zip(RANGES) {
            *bits = field(word, range).ok_or(WRONG)?;
        }
        let [.., weekdays] = &mut fields;
        *weekdays |= *weekdays >> 7;
        let cron = Self {
            source: words.join(" "),
            fields,
            is_any_day: [day, weekday].map(|word| word.starts_with('*')),
        };
        match cron.next(Timestamp::of_year_2000()) {
            Some(_) => Ok(cron),
            None => Err("there is no such day"),
        }
    }
}

text_type!(
    Cron,
    read: |text| text.parse::<Self>(),
    show: |own| own.source(),
    inline: false,
    schema: {"type": "string", "pattern": r"^\s*[0-9*,/-]+(\s+[0-9*,/-]+){4}\s*$"},
);

#[cfg(test)]
mod tests {
    use super::Cron;
    use crate::time::Timestamp;

    #[test]
    fn the_next_time_is_the_first_that_fits() {
        for (source, after, next) in [
            ("* * * * *", "2026-01-31T23:59:30Z", "2026-02-01T00:00:00Z"),
            (
                "*/15 * * * *",
                "2026-01-31T12:00:00Z",
                "2026-01-31T12:15:00Z",
            ),
            ("0 3 * * *", "2026-01-31T03:00:00Z", "2026-02-01T03:00:00Z"),
            ("30 6 1 * *", "2026-01-31T12:00:00Z", "2026-02-01T06:30:00Z"),
            ("0 0 29 2 *", "2026-01-31T12:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
            (
                "5,50 8-17/3 * * 1-5",
                "2026-01-31T12:00:00Z",
                "2026-02-02T08:05:00Z",
            ),
            (
                "5,50 8-17/3 * * 1-5",
                "2026-02-02T08:05:00Z",
                "2026-02-02T08:50:00Z",
            ),
            (
                "5,50 8-17/3 * * 1-5",
                "2026-02-02T17:50:00Z",
                "2026-02-03T08:05:00Z",
            ),
            ("0 0 * * 7", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
            ("0 0 * * 0", "2026-01-31T12:00:00Z", "2026-02-01T00:00:00Z"),
            ("0 0 15 * 1", "2026-01-31T12:00:00Z", "2026-02-02T00:00:00Z"),
            ("0 0 15 * 1", "2026-02-09T12:00:00Z", "2026-02-15T00:00:00Z"),
            (
                "40/10 0 * 6 *",
                "2026-01-31T12:00:00Z",
                "2026-06-01T00:40:00Z",
            ),
        ] {
            let cron: Cron = source.parse().unwrap();
            let found = cron.next(Timestamp::parse(after).unwrap());
            assert_eq!(found, Timestamp::parse(next), "{source} {after}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        for source in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "a * * * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "1- * * * *",
            "-1 * * * *",
            "1,,2 * * * *",
            "0 0 30 2 *",
            "0 0 31 4,6,9,11 *",
            "+1 * * * *",
            "* * * * MON",
        ] {
            assert!(source.parse::<Cron>().is_err(), "{source}");
        }
    }
}
