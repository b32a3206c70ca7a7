//! The table of cases.

use super::AttemptOutcome::{Answered, Limited, Passing, TimedOut, Unreachable};
use super::*;

const LONG: Duration = Duration::from_secs(30);

/// A read that may be repeated, the first time, with no chance in it.
fn read() -> SentAttempt<'static> {
    SentAttempt {
        method: &Method::GET,
        body: BodyReuse::Repeatable,
        retries: 0,
        allowed: None,
        left: LONG,
        random: [0; 4],
    }
}

fn status(code: u16) -> AttemptOutcome {
    Answered(StatusCode::from_u16(code).unwrap(), None)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn again(millis: u64) -> RetryDecision {
    RetryDecision::Again(Duration::from_millis(millis))
}

#[test]
fn only_failures_that_may_pass_are_tried_again() {
    for (outcome, next) in [
        (Unreachable, again(500)),
        (TimedOut, again(500)),
        (status(502), again(500)),
        (status(503), again(500)),
        (status(504), again(500)),
        (Limited(Some(seconds(2))), again(2_000)),
        (Passing(None), again(500)),
        (Passing(Some(seconds(2))), again(2_000)),
        (status(200), RetryDecision::Settle),
        (status(304), RetryDecision::Settle),
        (status(400), RetryDecision::Settle),
        (status(401), RetryDecision::Settle),
        (status(403), RetryDecision::Settle),
        (status(404), RetryDecision::Settle),
        (status(408), RetryDecision::Settle),
        (status(409), RetryDecision::Settle),
        // One that the integration does not take for a rate limit.
        (status(429), RetryDecision::Settle),
        (status(500), RetryDecision::Settle),
        (status(501), RetryDecision::Settle),
        (status(505), RetryDecision::Settle),
        (status(599), RetryDecision::Settle),
    ] {
        assert_eq!(decide(&read(), outcome), next, "{outcome:?}");
    }
}

#[test]
fn only_what_may_be_repeated_and_can_be_is() {
    for (method, body, allowed, next) in [
        ("GET", BodyReuse::Repeatable, None, again(500)),
        ("HEAD", BodyReuse::Repeatable, None, again(500)),
        ("OPTIONS", BodyReuse::Repeatable, None, again(500)),
        ("GET", BodyReuse::Repeatable, Some(0), RetryDecision::Settle),
        ("GET", BodyReuse::Once, Some(5), RetryDecision::Settle),
        ("PUT", BodyReuse::Repeatable, None, RetryDecision::Settle),
        ("PUT", BodyReuse::Repeatable, Some(1), again(500)),
        ("PUT", BodyReuse::Once, Some(1), RetryDecision::Settle),
        ("DELETE", BodyReuse::Repeatable, None, RetryDecision::Settle),
        ("DELETE", BodyReuse::Repeatable, Some(1), again(500)),
        ("POST", BodyReuse::Repeatable, None, RetryDecision::Settle),
        (
            "POST",
            BodyReuse::Repeatable,
            Some(5),
            RetryDecision::Settle,
        ),
        (
            "PATCH",
            BodyReuse::Repeatable,
            Some(5),
            RetryDecision::Settle,
        ),
        (
            "PURGE",
            BodyReuse::Repeatable,
            Some(5),
            RetryDecision::Settle,
        ),
    ] {
        let method: Method = method.parse().unwrap();
        let tried = SentAttempt {
            method: &method,
            body,
            allowed,
            ..read()
        };
        for outcome in [Unreachable, status(503)] {
            assert_eq!(
                decide(&tried, outcome),
                next,
                "{method} {body:?} {allowed:?}"
            );
        }
    }
}

#[test]
fn two_retries_of_a_read_and_never_more_than_the_most() {
    for (allowed, retries, is_tried) in [
        (None, 1, true),
        (None, 2, false),
        (Some(1), 1, false),
        (Some(5), 4, true),
        (Some(5), 5, false),
        (Some(99), 5, false),
        (Some(u32::MAX), u32::MAX, false),
    ] {
        let tried = SentAttempt {
            retries,
            allowed,
            ..read()
        };
        let next = decide(&tried, status(503));
        assert_eq!(
            next != RetryDecision::Settle,
            is_tried,
            "{allowed:?} {retries}"
        );
    }
}

#[test]
fn each_retry_waits_twice_as_long_and_chance_takes_up_to_half() {
    for (retries, least, most) in [
        (0, 250, 500),
        (1, 500, 1_000),
        (2, 1_000, 2_000),
        (3, 2_000, 4_000),
        (4, 4_000, 8_000),
    ] {
        for (random, millis) in [([0; 4], most), ([0xff; 4], least)] {
            let tried = SentAttempt {
                allowed: Some(5),
                retries,
                random,
                ..read()
            };
            assert_eq!(decide(&tried, Unreachable), again(millis), "{retries}");
        }
    }
    assert_eq!(backoff(u32::MAX, [0; 4]), LONGEST_BACKOFF);
}

#[test]
fn a_wait_that_was_asked_for_is_kept_where_it_fits_the_budget() {
    let unavailable = |wait| Answered(StatusCode::SERVICE_UNAVAILABLE, Some(wait));
    for (outcome, left, next) in [
        (unavailable(seconds(3)), LONG, again(3_000)),
        (unavailable(Duration::ZERO), LONG, again(500)),
        (unavailable(seconds(60)), LONG, RetryDecision::Settle),
        (Limited(Some(seconds(29))), LONG, again(29_000)),
        (Limited(Some(seconds(30))), LONG, RetryDecision::Settle),
        (Limited(Some(seconds(30))), seconds(31), again(30_000)),
        (Limited(Some(Duration::MAX)), LONG, RetryDecision::Settle),
        // No wait is given: callers get the default.
        (Limited(None), LONG, RetryDecision::Settle),
        (Limited(None), seconds(100), again(30_000)),
        (Unreachable, Duration::from_millis(750), again(500)),
        (
            Unreachable,
            Duration::from_millis(749),
            RetryDecision::Settle,
        ),
        (TimedOut, Duration::ZERO, RetryDecision::Settle),
    ] {
        let tried = SentAttempt { left, ..read() };
        assert_eq!(decide(&tried, outcome), next, "{outcome:?} {left:?}");
    }
}
