use super::*;

fn map(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect()
}

fn names(headers: &HeaderMap) -> Vec<&str> {
    let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn only_listed_fields_go_to_the_provider() {
    let caller = map(&[
        ("accept", "application/json"),
        ("content-type", "text/plain"),
        ("if-match", "\"a\""),
        ("range", "bytes=0-1"),
        ("idempotency-key", "k"),
        ("accept-language", "de"),
        ("authorization", "Bearer ours"),
        ("cookie", "a=b"),
        ("user-agent", "curl"),
        ("cf-ray", "x"),
        ("x-other", "y"),
    ]);
    assert_eq!(
        names(&from_caller(&caller)),
        [
            "accept",
            "accept-language",
            "content-type",
            "idempotency-key",
            "if-match",
            "range"
        ]
    );
}

#[test]
fn x_forward_carries_any_name_but_the_forbidden_ones() {
    let forbidden = [
        "authorization",
        "cookie",
        "host",
        "content-length",
        "connection",
        "transfer-encoding",
        "te",
        "cf-ray",
        "x-causeway-ask",
        "upgrade",
        "proxy-authorization",
    ];
    for name in forbidden {
        let caller = map(&[(&format!("x-forward-{name}"), "v")]);
        assert!(from_caller(&caller).is_empty(), "{name}");
    }
    assert_eq!(
        from_caller(&map(&[("x-forward-x-trace", "v")])),
        map(&[("x-trace", "v")])
    );
    assert_eq!(
        from_caller(&map(&[("x-forward-user-agent", "me")])),
        map(&[("user-agent", "me")])
    );
}

#[test]
fn an_accept_that_says_nothing_does_not_hide_the_configured_one() {
    assert!(from_caller(&map(&[("accept", "*/*"), ("accept-language", "*")])).is_empty());
}

#[test]
fn the_answer_keeps_all_but_hop_by_hop_and_cookies() {
    let answer = map(&[
        ("link", "<x>"),
        ("etag", "\"a\""),
        ("set-cookie", "s=1"),
        ("connection", "close"),
        ("transfer-encoding", "chunked"),
        ("content-length", "3"),
    ]);
    assert_eq!(
        names(&of_answer(&answer)),
        ["content-length", "etag", "link"]
    );
    assert_eq!(names(&of_rewritten_answer(&answer)), ["link"]);
    let packed = map(&[("content-encoding", "gzip"), ("content-length", "3")]);
    assert_eq!(names(&of_answer(&packed)), ["content-encoding"]);
}

#[test]
fn only_what_the_runtime_decodes_can_be_looked_into() {
    for (encoding, expected) in [
        ("gzip", true),
        ("br", true),
        ("identity", true),
        ("deflate", false),
        ("zstd", false),
        ("gzip, br", false),
        ("GZIP", false),
    ] {
        let headers = map(&[("content-encoding", encoding)]);
        assert_eq!(is_decoded(&headers), expected, "{encoding}");
    }
    assert!(is_decoded(&map(&[])));
}

#[test]
fn nothing_that_signs_in_follows_to_a_stranger() {
    let sent = map(&[
        ("accept", "a"),
        ("authorization", "b"),
        ("x-api-key", "c"),
        ("private-token", "d"),
        ("user-agent", "e"),
    ]);
    assert_eq!(names(&without_credentials(&sent)), ["accept", "user-agent"]);
}

#[test]
fn the_hand_over_is_built_anew() {
    let caller = map(&[
        ("authorization", "b"),
        ("x-causeway-hand-over", "forged"),
        ("content-length", "3"),
        ("x-forward-a", "1"),
        ("x-timeout-ms", "5"),
    ]);
    assert_eq!(
        names(&for_hand_over(&caller)),
        ["content-length", "x-forward-a", "x-timeout-ms"]
    );
}
