//! How long, as files write it: `90s`, `15m`, `6h`, `7d`; and when a sync runs.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::json::text_type;
use crate::time::Timestamp;

use super::Cron;

/// How often a sync may run.
pub const RUN_PERIODS: RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(720);

/// A length of time: a number and `s`, `m`, `h` or `d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(pub Duration);

impl FromStr for Period {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
        let read = units.iter().find_map(|(unit, seconds)| {
            let number = text.trim().strip_suffix(*unit)?;
            let is_plain = number.bytes().all(|b| b.is_ascii_digit());
            let number: u64 = number.parse().ok().filter(|_| is_plain)?;
            // 1,000 years: what is added to a time stays in the calendar.
            let total = number
                .checked_mul(*seconds)
                .filter(|all| *all <= 31_557_600_000)?;
            Some(Self(Duration::from_secs(total)))
        });
        read.ok_or("a period is a number and `s`, `m`, `h` or `d`, such as `15m`")
    }
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match seconds {
            0 => out.write_str("0s"),
            _ if seconds.is_multiple_of(86_400) => write!(out, "{}d", seconds / 86_400),
            _ if seconds.is_multiple_of(3_600) => write!(out, "{}h", seconds / 3_600),
            _ if seconds.is_multiple_of(60) => write!(out, "{}m", seconds / 60),
            _ => write!(out, "{seconds}s"),
        }
    }
}

text_type!(
    Period,
    read: |text| text.parse::<Self>(),
    show: |own| own,
    inline: false,
    schema: {"type": "string", "pattern": r"^\s*[0-9]+[smhd]\s*$"},
);

/// When a sync runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncSchedule {
    /// So long after the run before.
    Every(Period),
    /// At these times.
    Cron(Cron),
}

impl SyncSchedule {
    /// The next run behind one that was planned for `before`. `share` is a number of the account and the sync: accounts
    /// that begin together run apart. The first run that follows another is up to half a period early, and from then on
    /// the runs are a period apart. A run by `cron` is late by up to 10 minutes, and by less than half of the time to the
    /// run after it.
    pub fn next(&self, before: Timestamp, share: u32, is_first: bool) -> Option<Timestamp> {
        match self {
            Self::Every(Period(period)) => {
                let early = part(*period / 2, share);
                let wait = if is_first {
                    period.saturating_sub(early)
                } else {
                    *period
                };
                Some(before.plus(wait))
            }
            Self::Cron(cron) => {
                // The planned time is late by its share; the occurrence itself is what is left without it.
                let occurrence = cron.next(before)?;
                let gap = cron
                    .next(occurrence)
                    .map_or(LATEST, |after| after.since(occurrence) / 2);
                Some(occurrence.plus(part(LATEST.min(gap), share)))
            }
        }
    }
}

const LATEST: Duration = Duration::from_mins(10);

/// A part of `whole`, by a number.
fn part(whole: Duration, share: u32) -> Duration {
    let millis = whole.as_millis() * u128::from(share) / (u128::from(u32::MAX) + 1);
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

impl fmt::Display for SyncSchedule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(period) => write!(out, "every {period}"),
            Self::Cron(cron) => write!(out, "cron {}", cron.source()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("90s", 90),
            (" 15m ", 900),
            ("6h", 21_600),
            ("7d", 604_800),
            ("0s", 0),
        ] {
            let read: Period = text.parse().unwrap();
            assert_eq!(read.0.as_secs(), seconds, "{text}");
            assert_eq!(read.to_string().parse(), Ok(read), "{text}");
        }
        for text in [
            "",
            "m",
            "15",
            "-1m",
            "+1m",
            "1.5h",
            "15 m",
            "1w",
            "99999999999999999999d",
            "400000d",
        ] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn accounts_that_begin_together_run_apart() {
        let start = Timestamp::from_millis(1_700_000_000_000);
        let every = SyncSchedule::Every(Period(Duration::from_mins(15)));
        let first = |share| {
            every
                .next(start, share, true)
                .unwrap()
                .since(start)
                .as_secs()
        };
        assert_eq!(
            (first(0), first(u32::MAX / 2), first(u32::MAX)),
            (900, 675, 450)
        );
        let next = every.next(start, u32::MAX, false).unwrap();
        assert_eq!(next.since(start).as_secs(), 900);
        let cron = SyncSchedule::Cron("0 3 * * *".parse().unwrap());
        let late = |share| cron.next(start, share, false).unwrap();
        assert_eq!(late(u32::MAX).since(late(0)).as_secs(), 599);
        let often = SyncSchedule::Cron("* * * * *".parse().unwrap());
        let late = |share| often.next(start, share, false).unwrap();
        assert_eq!(late(u32::MAX).since(late(0)).as_secs(), 29);
        let after = often.next(late(u32::MAX), u32::MAX, false).unwrap();
        assert_eq!(
            after.since(late(u32::MAX)).as_secs(),
            60,
            "none is left out"
        );
    }
}
