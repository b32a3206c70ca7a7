use http::HeaderName;
use serde_json::json;

use super::*;

const NOW: i64 = 1_700_000_000_000;

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect()
}

fn file(value: &Value) -> RateLimit {
    serde_json::from_value(value.clone()).unwrap()
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap()
}

fn read_of(
    file: Option<&RateLimit>,
    code: u16,
    headers: &HeaderMap,
    body: Option<&Value>,
) -> Limits {
    let answer = RateLimitAnswer {
        status: status(code),
        headers,
        body,
    };
    let moment = Moment {
        now_ms: NOW,
        random: [0; 32],
    };
    read(file, &answer, Timestamp::from_millis(NOW), &moment)
}

fn seconds(wait: Option<Duration>) -> Option<u64> {
    wait.map(wait::seconds)
}

#[test]
fn without_a_file_a_429_and_the_standard_fields_are_understood() {
    let limits = read_of(None, 429, &map(&[("retry-after", "7")]), None);
    assert!(limits.is_limited);
    assert_eq!(seconds(limits.pause()), Some(7));
    let limits = read_of(None, 429, &HeaderMap::new(), None);
    assert_eq!(
        (seconds(limits.retry_after()), limits.pause()),
        (Some(30), None),
        "callers get a wait, but a guess does not pause the account"
    );
    let limits = read_of(None, 503, &map(&[("retry-after", "7")]), None);
    assert!(!limits.is_limited);
    assert_eq!(
        (seconds(limits.retry_after()), limits.pause()),
        (Some(7), None)
    );
    let fields = map(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")]);
    let limits = read_of(None, 200, &fields, None);
    assert_eq!(
        (limits.retry_after(), seconds(limits.pause())),
        (None, Some(9))
    );
    let limits = read_of(None, 429, &fields, None);
    assert_eq!(seconds(limits.wait), Some(9), "until the reset");
}

#[test]
fn the_file_says_what_is_limited_how_long_and_what_is_left() {
    let file = file(&json!({
        "is_rate_limited": "status = 420 or (status = 403 and response.code = \"quota\")",
        "retry_after_header_expression": "X-Wait",
        "rate_limit_header_expression": "{ \"limit\": 5, \"remaining\": $number(headers.left), \"reset\": response.reset }",
    }));
    let fields = map(&[("x-wait", "2023-11-14T22:13:50Z"), ("left", "0")]);
    let body = json!({ "code": "quota", "reset": 1_700_000_009 });
    for (code, body, is_limited, wait) in [
        (420, None, true, Some(30)),
        (403, Some(&body), true, Some(30)),
        (403, None, false, None),
        (429, Some(&body), false, None),
        (200, Some(&body), false, None),
    ] {
        let limits = read_of(Some(&file), code, &fields, body);
        assert_eq!(
            (limits.is_limited, seconds(limits.wait)),
            (is_limited, wait),
            "{code}"
        );
        assert_eq!(limits.quota.remaining, Some(0));
        assert_eq!(seconds(limits.quota.reset), body.map(|_| 9));
        assert!(limits.faults.is_empty());
    }
}

#[test]
fn a_wait_of_the_file_counts_only_where_it_is_limited() {
    let file = file(&json!({ "retry_after_header_expression": "10" }));
    let wait = |code| seconds(read_of(Some(&file), code, &HeaderMap::new(), None).retry_after());
    assert_eq!((wait(200), wait(503), wait(429)), (None, None, Some(10)));
}

#[test]
fn an_expression_that_fails_or_says_nothing_leaves_the_default() {
    let file = file(&json!({
        "is_rate_limited": "headers.x + 1 = 2 and response.a",
        "retry_after_header_expression": "$number(headers.absent)",
        "rate_limit_header_expression": "$number(headers.x)",
    }));
    let fields = map(&[("x", "no number"), ("retry-after", "4")]);
    let limits = read_of(Some(&file), 429, &fields, None);
    assert!(limits.is_limited);
    assert_eq!(seconds(limits.wait), Some(4));
    let failed: Vec<_> = limits.faults.iter().map(|(key, _)| *key).collect();
    assert_eq!(failed, ["is_rate_limited", "rate_limit_header_expression"]);
}

#[test]
fn what_may_pass_is_said_by_the_file_and_is_no_rate_limit() {
    let statuses = json!({ "retry_on": [409, 423] });
    let by_body = json!({ "retry_on": "status = 400 and response.code = 1014" });
    let throws = json!({ "retry_on": "$error(\"x\")" });
    let body = json!({ "code": 1014 });
    for (value, code, body, may_pass) in [
        (&statuses, 409, None, true),
        (&statuses, 423, None, true),
        (&statuses, 400, None, false),
        (&by_body, 400, Some(&body), true),
        (&by_body, 400, None, false),
        (&by_body, 500, Some(&body), false),
        (&json!({ "retry_on": "true" }), 401, None, false),
        (&json!({ "retry_on": "true" }), 429, None, false),
        (&json!({ "retry_on": "true" }), 418, None, true),
        (&json!({}), 409, None, false),
        (&throws, 409, None, false),
    ] {
        let limits = read_of(Some(&file(value)), code, &HeaderMap::new(), body);
        assert_eq!(limits.may_pass, may_pass, "{value} {code}");
        assert_eq!(limits.is_limited, code == 429, "{value} {code}");
    }
    let failed = read_of(Some(&file(&throws)), 409, &HeaderMap::new(), None);
    assert_eq!(failed.faults[0].0, "retry_on");
    for wrong in [
        json!([401]),
        json!([399]),
        json!([600]),
        json!(409),
        json!("a b"),
    ] {
        let value = json!({ "retry_on": wrong });
        assert!(
            serde_json::from_value::<RateLimit>(value).is_err(),
            "{wrong}"
        );
    }
    assert!(needs_body(Some(&file(&by_body)), status(400)));
    assert!(!needs_body(Some(&file(&by_body)), status(500)));
    assert!(!needs_body(Some(&file(&statuses)), status(409)));
}

#[test]
fn the_body_is_needed_only_where_the_status_leaves_it_open() {
    let by_message =
        json!({ "is_rate_limited": "status = 429 or (status = 403 and response.code = 1)" });
    let by_body = json!({ "is_rate_limited": "status = 429 or response.code = 1" });
    let by_fields =
        json!({ "is_rate_limited": "headers.x = \"1\"", "rate_limit_header_expression": "X-Left" });
    let wait = json!({ "retry_after_header_expression": "response.wait" });
    let left = json!({ "rate_limit_header_expression": "response.left" });
    for (value, needing) in [
        (json!({}), vec![]),
        (by_message, vec![403]),
        (by_body, vec![200, 403]),
        (by_fields, vec![]),
        (wait, vec![429]),
        (left, vec![200, 403, 429]),
    ] {
        let file = file(&value);
        let needs = [200, 403, 429]
            .into_iter()
            .filter(|code| needs_body(Some(&file), status(*code)));
        assert_eq!(needs.collect::<Vec<_>>(), needing, "{value}");
    }
    assert!(!needs_body(None, status(429)));
}

#[test]
fn callers_get_the_same_fields_from_every_provider() {
    let mut fields = map(&[
        ("x-ratelimit-limit", "100"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1700000009"),
        ("retry-after", "Tue, 14 Nov 2023 22:13:21 GMT"),
    ]);
    let limits = read_of(None, 429, &fields, None);
    write(&mut fields, &limits);
    for (name, value) in [
        ("ratelimit-limit", "100"),
        ("ratelimit-remaining", "0"),
        ("ratelimit-reset", "9"),
        ("retry-after", "1"),
        ("x-ratelimit-reset", "1700000009"),
    ] {
        assert_eq!(fields.get(name).unwrap(), value, "{name}");
    }
    let mut odd = map(&[("ratelimit-reset", "tomorrow"), ("retry-after", "soon")]);
    let limits = read_of(None, 200, &odd, None);
    write(&mut odd, &limits);
    assert!(odd.is_empty(), "what cannot be read promises nothing");
}
