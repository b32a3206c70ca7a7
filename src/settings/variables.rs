//! The operator's variables as they are read. One that is set and cannot be read is noted by its name and counts as
//! absent: its value may be a secret that was put into the wrong place.

use std::cell::RefCell;
use std::ops::RangeInclusive;
use std::time::Duration;

use url::Url;

use super::{
    BUFFERED_ANSWER_BYTES_MAX, BUFFERED_TOTAL_BYTES_MAX, BUFFERED_TOTAL_BYTES_MIN, Buffers,
    HostKind, LogCalls, PrivateUpstreams, UNPROVED_BYTES_MAX, UNPROVED_VALUES, VALUE_BYTES,
};

/// The variables, and what was wrong with those that were read.
pub(super) struct EnvVariables<G> {
    get: G,
    unreadable: RefCell<Vec<String>>,
}

impl<G: Fn(&str) -> Option<String>> EnvVariables<G> {
    pub(super) fn new(get: G) -> Self {
        Self {
            get,
            unreadable: RefCell::default(),
        }
    }

    /// What could not be read so far.
    pub(super) fn unreadable(&self) -> Vec<String> {
        self.unreadable.take()
    }

    /// A text; an empty one is absent.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = (self.get)(name)?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// A text of so many characters at least; a shorter one is absent.
    pub(super) fn long_text(&self, name: &str, least: usize) -> Option<String> {
        let text = self.text(name)?;
        if text.chars().count() < least {
            self.note(name, &format!("is shorter than {least} characters"));
            return None;
        }
        Some(text)
    }

    /// A whole number. More than the most is the most.
    pub(super) fn number(&self, name: &str, default: u64, range: RangeInclusive<u64>) -> u64 {
        let (least, most) = range.into_inner();
        let Some(text) = self.text(name) else {
            return default;
        };
        match text.parse::<u64>() {
            Ok(number) if number >= least => number.min(most),
            _ => {
                self.note(name, &format!("is not a whole number from {least} on"));
                default
            }
        }
    }

    /// The same, of bytes or pieces.
    pub(super) fn size(&self, name: &str, default: usize, range: RangeInclusive<usize>) -> usize {
        let (least, most) = range.into_inner();
        let number = self.number(name, default as u64, least as u64..=most as u64);
        usize::try_from(number).unwrap_or(most)
    }

    /// The same, of pages.
    pub(super) fn pages(&self, name: &str, default: u32) -> u32 {
        let number = self.number(name, default.into(), 1..=u32::MAX.into());
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// The same, of milliseconds.
    pub(super) fn millis(&self, name: &str, default: Duration, most: Duration) -> Duration {
        let of = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.number(name, of(default), 1..=of(most)))
    }

    /// One of two words, each with what it means; the first when it is absent.
    pub(super) fn either<T>(&self, name: &str, first: (&str, T), second: (&str, T)) -> T {
        match self.text(name) {
            Some(text) if text == second.0 => second.1,
            Some(text) if text != first.0 => {
                let words = format!("is neither `{}` nor `{}`", first.0, second.0);
                self.note(name, &words);
                first.1
            }
            _ => first.1,
        }
    }

    /// `failed`, `all`, or the share of the calls that did not fail.
    pub(super) fn log_calls(&self, name: &str, default: LogCalls) -> LogCalls {
        let Some(text) = self.text(name) else {
            return default;
        };
        match (text.as_str(), text.parse::<f64>()) {
            ("failed", _) => LogCalls::Failed,
            ("all", _) | (_, Ok(1.0)) => LogCalls::All,
            (_, Ok(share)) if share > 0.0 && share < 1.0 => LogCalls::Share(share),
            _ => {
                let words = "is neither `failed` nor `all` nor a number above 0 and up to 1";
                self.note(name, words);
                default
            }
        }
    }

    /// Where we are.
    pub(super) fn origin(&self, name: &str) -> Option<Url> {
        let text = self.text(name)?;
        let url = Url::parse(&text).ok();
        let is_safe = |url: &Url| match url.scheme() {
            "https" => url.has_host(),
            "http" => HostKind::of(url) == HostKind::Loopback,
            _ => false,
        };
        let url = url.filter(is_safe);
        if url.is_none() {
            self.note(name, "is not an https URL (http only on loopback)");
        }
        url
    }

    /// Origins with commas between them, as browsers write them.
    pub(super) fn origins(&self, name: &str) -> Vec<String> {
        let text = self.text(name).unwrap_or_default();
        let all = text.split(',').map(str::trim);
        let all = all.filter(|own| !own.is_empty());
        let read: Option<Vec<String>> = all.map(origin_of).collect();
        read.unwrap_or_else(|| {
            self.note(name, "has what is no origin, such as https://app.example");
            Vec::new()
        })
    }

    /// Private addresses are for a gateway on a developer's machine: one that the world knows does not call them.
    pub(super) fn private_upstreams(&self, public_url: Option<&Url>) -> PrivateUpstreams {
        let name = "ALLOW_PRIVATE_UPSTREAMS";
        let set = self.either(
            name,
            ("false", PrivateUpstreams::Refused),
            ("true", PrivateUpstreams::Allowed),
        );
        let is_known = public_url.is_some_and(|url| HostKind::of(url) != HostKind::Loopback);
        if set == PrivateUpstreams::Allowed && is_known {
            self.note(name, "counts on loopback only, and PUBLIC_URL is elsewhere");
            return PrivateUpstreams::Refused;
        }
        set
    }

    /// A call for all pages has half of the total: less than one answer would never let that one in. The unproved part has to take the
    /// largest webhook and what is looked at of it.
    pub(super) fn buffers(&self, webhook_body_bytes: usize) -> Buffers {
        let (answer, total, unproved) = (
            "BUFFERED_ANSWER_BYTES",
            "BUFFERED_TOTAL_BYTES",
            "UNPROVED_BYTES",
        );
        let default = Buffers::default();
        let answer_bytes = self.size(answer, default.answer_bytes, 1..=BUFFERED_ANSWER_BYTES_MAX);
        let totals = BUFFERED_TOTAL_BYTES_MIN..=BUFFERED_TOTAL_BYTES_MAX;
        let total_bytes = self.size(total, default.total_bytes, totals);
        let unproved_bytes = self.size(unproved, default.unproved_bytes, 1..=UNPROVED_BYTES_MAX);
        let least = answer_bytes * 2;
        if total_bytes < least {
            self.note(total, &format!("is less than twice {answer}"));
        }
        let webhook = 2 * webhook_body_bytes + UNPROVED_VALUES * VALUE_BYTES;
        if unproved_bytes < webhook && self.text(unproved).is_some() {
            self.note(
                unproved,
                &format!("is less than {webhook}, which WEBHOOK_BODY_BYTES needs"),
            );
        }
        Buffers {
            answer_bytes,
            total_bytes: total_bytes.max(least),
            unproved_bytes: unproved_bytes.max(webhook),
        }
    }

    fn note(&self, name: &str, what: &str) {
        self.unreadable.borrow_mut().push(format!("{name} {what}"));
    }
}

/// An origin as browsers write it; a small or a capital letter is the same.
fn origin_of(text: &str) -> Option<String> {
    let origin = Url::parse(text).ok()?.origin();
    let written = origin.ascii_serialization();
    (origin.is_tuple() && written == text.to_ascii_lowercase()).then_some(written)
}
