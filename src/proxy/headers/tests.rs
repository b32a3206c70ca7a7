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
    let ours = [
        "cache-control",
        "content-security-policy",
        "x-content-type-options",
    ];
    let names_of = |mut headers: HeaderMap| {
        for name in ours {
            assert!(headers.remove(name).is_some(), "{name}");
        }
        names(&headers)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names_of(of_answer(&answer)),
        ["content-length", "etag", "link"]
    );
    assert_eq!(names_of(of_rewritten_answer(&answer)), ["link"]);
    let packed = map(&[("content-encoding", "gzip"), ("content-length", "3")]);
    assert_eq!(names_of(of_answer(&packed)), ["content-encoding"]);
}

#[test]
fn a_field_that_tells_the_secret_of_the_url_is_dropped() {
    let secret = "a b+c/ä-1";
    for echo in [
        "https://x.example/?key=a%20b%2Bc%2F%C3%A4-1&page=2",
        "https://x.example/?key=a+b%2bc%2f%c3%a4%2D1",
        "/?key=a%20b+c/%C3%A4-1",
    ] {
        let mut headers = map(&[("link", "<other>"), ("etag", "\"a\"")]);
        headers.append("link", format!("<{echo}>; rel=\"next\"").parse().unwrap());
        headers.insert("location", echo.parse().unwrap());
        drop_echoes(&mut headers, secret);
        assert_eq!(names(&headers), ["etag"], "{echo}");
    }
    let plain = [
        ("content-location", "/?key=k-123"),
        ("x-of-another", "k-12"),
        ("content-type", "text/k-123"),
    ];
    let mut headers = map(&plain);
    let raw = HeaderValue::from_bytes(b"\xff k-123").unwrap();
    headers.insert("x-raw", raw);
    drop_echoes(&mut headers, "");
    assert_eq!(headers.len(), 4, "nothing was sent");
    drop_echoes(&mut headers, "k-123");
    assert_eq!(names(&headers), ["content-type", "x-of-another"]);
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

#[test]
fn a_webhook_keeps_every_field_that_can_prove_it() {
    let sent = map(&[
        ("authorization", "b"),
        ("cf-webhook-auth", "c"),
        ("connection", "close"),
        ("content-length", "3"),
        ("x-causeway-hand-over", "forged"),
        ("x-signature", "s"),
    ]);
    assert_eq!(
        names(&of_webhook(&sent)),
        [
            "authorization",
            "cf-webhook-auth",
            "content-length",
            "x-signature"
        ]
    );
}
