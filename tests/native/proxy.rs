//! Proxied calls, from the caller's request to the exact bytes on both sides.

use std::time::Duration;

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, SendError};
use futures::executor::block_on;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::{Answer, Setting};
use crate::outside::{World, reply, streamed};

/// The example of the reference, unchanged.
fn example() -> Value {
    let file = include_str!("../cases/config/truto-example.json");
    let value: Value = serde_json::from_str(file).unwrap();
    let config = value.get("config").cloned().unwrap_or(value);
    json!({ "name": "example", "config": config })
}

fn shop() -> Value {
    json!({
        "name": "shop",
        "config": {
            "base_url": "https://{{shop}}.shop.example/v1",
            "headers": { "X-Version": "7" },
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
                { "name": "shop", "type": "text" }, { "name": "api_key", "type": "password" } ] } } },
            "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
            "resources": {
                "orders": {
                    "list": { "path": "/orders", "response_path": "data.orders" },
                    "get": { "path": "/orders/{{id}}" },
                    "create": { "method": "post", "path": "/orders" },
                    "update": { "method": "patch", "path": "/orders/{{id}}" },
                    "delete": { "method": "delete", "path": "/orders/{{id}}" },
                    "merge": { "method": "post", "path": "/orders/merge", "body": { "into": "{{body.into}}", "n": "{{body.n:any}}" } },
                },
                "receipts": { "get": { "path": "/receipts/{{id}}", "response_path": "data" } },
                "public": { "list": { "path": "/public", "no_auth": true } },
                "signed": { "list": { "path": "/signed", "authorization": { "format": "query", "config": { "name": "key", "value": "{{api_key}}" } } } },
                "checked": {
                    "get": { "path": "/checked", "error_expression": "body.ok = false ? { 'status': body.code, 'message': body.error }" },
                    "list": { "path": "/checked", "error_expression": "{{response.error}}" },
                },
                "moved": { "get": { "path": "/moved", "ignore_credentials_on_redirect": true } },
            },
        },
    })
}

fn open() -> Scene {
    let context = json!({ "shop": "berlin", "api_key": "k-secret" });
    Scene::new(World::new(), &shop(), "api_key", &context)
}

/// Sent once, with any outcome.
fn get_once(shop: &Scene, path: &str) -> Answer {
    shop.call("GET", path, &[("x-max-retries", "0")], Body::Empty)
}

#[test]
fn the_example_of_the_reference_lists_its_users() {
    let world = World::new();
    let setting = Setting::new(&world, &example());
    let id = setting.account(
        "oauth2",
        &json!({ "oauth": { "token": { "access_token": "t" } } }),
    );
    world.answers(
        200,
        &[("content-type", "application/json")],
        r#"{"data":{"users":[{"id":1},{"id":2}]}}"#,
    );
    let list = setting
        .client
        .get(&format!("/proxy/users?integrated_account_id={id}"))
        .expect(200);
    let cursor = list["next_cursor"].as_str().unwrap();
    assert_eq!(
        list,
        json!({ "result": [{ "id": 1 }, { "id": 2 }], "next_cursor": cursor, "prev_cursor": null, "result_count": 2 })
    );
    let sent = &world.sent()[0];
    assert_eq!(sent.url, "https://api.example.com/users?page=1");
    assert_eq!(sent.header("authorization"), Some("Bearer t"));
    assert_eq!(sent.header("user-agent"), Some("truto"));
}

#[test]
fn each_method_becomes_the_providers_request() {
    let shop = open();
    let cases = [
        (
            "GET",
            "/proxy/orders/7",
            "",
            "GET https://berlin.shop.example/v1/orders/7",
        ),
        (
            "POST",
            "/proxy/orders",
            "a body",
            "POST https://berlin.shop.example/v1/orders",
        ),
        (
            "PATCH",
            "/proxy/orders/a%2Fb",
            "x",
            "PATCH https://berlin.shop.example/v1/orders/a%2Fb",
        ),
        (
            "PUT",
            "/proxy/orders/7",
            "x",
            "PATCH https://berlin.shop.example/v1/orders/7",
        ),
        (
            "DELETE",
            "/proxy/orders/7",
            "",
            "DELETE https://berlin.shop.example/v1/orders/7",
        ),
        (
            "POST",
            "/proxy/orders/merge",
            r#"{"into":"a","n":18446744073709551615}"#,
            "POST https://berlin.shop.example/v1/orders/merge",
        ),
        (
            "GET",
            "/custom/any//path?x=%20",
            "",
            "GET https://berlin.shop.example/v1/any//path?x=%20",
        ),
        (
            "PURGE",
            "/custom/cache",
            "x",
            "PURGE https://berlin.shop.example/v1/cache",
        ),
    ];
    each_case(cases, |(method, path, body, expected)| {
        shop.world.answers(
            200,
            &[("content-type", "text/plain"), ("x-provider", "p")],
            "the answer",
        );
        let answer = shop.call(method, path, &[], Body::from_bytes(body.to_owned()));
        assert_eq!(
            (answer.status, answer.text(), answer.header("x-provider")),
            (200, "the answer", Some("p")),
            "{method} {path}"
        );
        let sent = &shop.world.sent()[0];
        assert_eq!(format!("{} {}", sent.method, sent.url), expected);
        assert_eq!(
            (sent.header("x-key"), sent.header("x-version")),
            (Some("k-secret"), Some("7"))
        );
        let expected_body = if path.ends_with("merge") {
            r#"{"into":"a","n":18446744073709551615}"#
        } else {
            body
        };
        assert_eq!(
            String::from_utf8_lossy(&sent.body),
            expected_body,
            "byte for byte"
        );
    });
}

#[test]
fn an_unknown_resource_is_404_an_undefined_method_405() {
    let shop = open();
    assert_eq!(shop.get("/proxy/nothing").code(404), "caller.not_found");
    let answer = shop.call("DELETE", "/proxy/receipts/1", &[], Body::Empty);
    assert!(answer.text().contains("has: get"), "{}", answer.text());
    assert_eq!(answer.code(405), "caller.method_not_allowed");
    assert_eq!(
        shop.setting.client.get("/proxy/orders").code(422),
        "caller.invalid"
    );
    assert_eq!(
        shop.get(&format!(
            "/proxy/orders?integrated_account_id={}",
            shop.account
        ))
        .code(400),
        "caller.malformed"
    );
    assert!(shop.world.sent().is_empty());
}

#[test]
fn the_callers_query_and_headers_go_along_but_not_what_is_ours() {
    let shop = open();
    shop.world.answers(200, &[], "{}");
    let headers = [
        ("x-forward-x-trace", "t"),
        ("if-none-match", "\"e\""),
        ("cookie", "c=1"),
        ("x-forward-authorization", "Basic x"),
        ("x-forward-x-key", "mine"),
        ("x-causeway-hand-over", "forged"),
    ];
    shop.call(
        "GET",
        "/proxy/orders?limit=5&status=a%2Cb&tag=1&tag=2",
        &headers,
        Body::Empty,
    );
    let sent = &shop.world.sent()[0];
    assert_eq!(
        sent.url,
        "https://berlin.shop.example/v1/orders?status=a%2Cb&tag=1&tag=2"
    );
    assert_eq!(
        (
            sent.header("x-trace"),
            sent.header("if-none-match"),
            sent.header("x-key")
        ),
        (Some("t"), Some("\"e\""), Some("k-secret"))
    );
    let cases = [
        "cookie",
        "authorization",
        "x-causeway-hand-over",
        "x-request-id",
    ];
    each_case(cases, |name| {
        assert_eq!(sent.header(name), None, "{name}");
    });
    shop.world.answers(200, &[], "{}");
    shop.get("/proxy/orders/1?limit=5&next_cursor=abc");
    assert_eq!(
        shop.world.sent()[0].url,
        "https://berlin.shop.example/v1/orders/1?limit=5&next_cursor=abc",
        "ours on a list only"
    );
}

#[test]
fn a_method_may_sign_in_its_own_way_or_not_at_all() {
    let shop = open();
    shop.world.answers(200, &[], "[]");
    shop.get("/proxy/public").expect(200);
    assert_eq!(shop.world.sent()[0].header("x-key"), None);
    shop.world.answers(200, &[], "[]");
    shop.get("/proxy/signed?key=mine").expect(200);
    let sent = &shop.world.sent()[0];
    assert_eq!(
        (sent.url.as_str(), sent.header("x-key")),
        ("https://berlin.shop.example/v1/signed?key=k-secret", None)
    );
}

#[test]
fn what_is_cut_out_is_cut_as_text() {
    let shop = open();
    let odd = r#"{"data":{"id":12345678901234567890123,"x":1e400,"u":"\ud800","d":1,"d":2}}"#;
    shop.world.answers(
        200,
        &[
            ("content-type", "application/json"),
            ("content-length", "999"),
            ("etag", "\"x\""),
        ],
        odd,
    );
    let answer = shop.get("/proxy/receipts/1");
    assert_eq!(
        answer.text(),
        r#"{"id":12345678901234567890123,"x":1e400,"u":"\ud800","d":1,"d":2}"#
    );
    assert_eq!(
        (answer.header("content-length"), answer.header("etag")),
        (None, None),
        "they describe another body"
    );
    shop.world.answers(
        200,
        &[("content-type", "application/json")],
        r#"{"other":1}"#,
    );
    assert_eq!(
        shop.get("/proxy/receipts/1").code(502),
        "provider.unexpected_answer"
    );
}

#[test]
fn the_providers_error_keeps_its_status_and_its_words() {
    let shop = open();
    shop.world.answers(
        404,
        &[
            ("content-type", "application/json"),
            ("x-limit", "5"),
            ("set-cookie", "a=b"),
        ],
        r#"{"id":12345678901234567890123}"#,
    );
    let answer = shop.get("/proxy/orders/7");
    assert_eq!(
        (answer.header("x-limit"), answer.header("set-cookie")),
        (Some("5"), None)
    );
    assert!(
        answer
            .text()
            .contains(r#""raw_response":{"id":12345678901234567890123}"#),
        "{}",
        answer.text()
    );
    let body = answer.expect(404);
    assert_eq!(
        (
            body["is_remote_error"].as_bool(),
            body["code"].as_str(),
            body["error"].as_str()
        ),
        (Some(true), Some("provider.rejected"), Some("Not Found"))
    );
    shop.world.answers(503, &[], "<html>down</html>");
    let body = get_once(&shop, "/proxy/orders").expect(503);
    assert_eq!(
        (&body["raw_response"], body["code"].as_str()),
        (&json!("<html>down</html>"), Some("provider.failed"))
    );
    each_case(
        [(vec![("retry-after", "7")], "7"), (vec![], "30")],
        |(headers, wait)| {
            shop.world.answers(429, &headers, "");
            let answer = get_once(&shop, "/proxy/orders");
            assert_eq!(
                answer.header("retry-after"),
                Some(wait),
                "a 429 always says how long"
            );
            shop.world.pass(Duration::from_secs(7));
            assert_eq!(answer.code(429), "provider.rate_limited");
        },
    );
    shop.world
        .answers(418, &[("content-type", "text/plain")], "teapot");
    let answer = shop.get("/custom/tea");
    assert_eq!(
        (answer.status, answer.text()),
        (418, "teapot"),
        "a custom call is passed on as it is"
    );
}

#[test]
fn an_error_in_a_good_answer_is_found() {
    let shop = open();
    let json = [("content-type", "application/json")];
    shop.world
        .answers(200, &json, r#"{"ok":false,"code":403,"error":"no"}"#);
    let body = shop.get("/proxy/checked/1").expect(403);
    assert_eq!(
        (body["message"].as_str(), body["is_remote_error"].as_bool()),
        (Some("no"), Some(true))
    );
    shop.world.answers(200, &json, r#"{"error":"broken"}"#);
    assert_eq!(
        shop.get("/proxy/checked").code(502),
        "provider.error_in_body"
    );
    shop.world
        .answers(200, &json, r#"{"ok":true,"n":12345678901234567890123}"#);
    assert_eq!(
        shop.get("/proxy/checked/1").text(),
        r#"{"ok":true,"n":12345678901234567890123}"#
    );
    shop.world
        .answers(200, &[("content-type", "image/png")], "binary");
    assert_eq!(
        shop.get("/proxy/checked/1").text(),
        "binary",
        "what is no text is not looked into"
    );
}

#[test]
fn bodies_stream_through_unread() {
    let shop = open();
    shop.world.answers_with(reply(
        206,
        &[
            ("content-type", "application/gzip"),
            ("content-length", "6"),
            ("content-range", "bytes 0-5/9"),
            ("accept-ranges", "bytes"),
        ],
        streamed(&[b"\x1f\x8b\x00", b"\xff\xfe\xfd"], Some(6)),
    ));
    let answer = shop.call(
        "GET",
        "/proxy/orders/7",
        &[("range", "bytes=0-5")],
        Body::Empty,
    );
    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (206, b"\x1f\x8b\x00\xff\xfe\xfd".as_slice())
    );
    assert_eq!(
        (
            answer.header("content-length"),
            answer.header("content-range")
        ),
        (Some("6"), Some("bytes 0-5/9"))
    );
    shop.world.answers(201, &[], "");
    shop.call(
        "POST",
        "/proxy/orders",
        &[("content-type", "application/x-raw")],
        streamed(&[b"\x00\x01", b"\xff"], None),
    );
    let sent = &shop.world.sent()[1];
    assert_eq!(
        (sent.body.as_slice(), sent.header("content-type")),
        (b"\x00\x01\xff".as_slice(), Some("application/x-raw"))
    );
}

#[test]
fn an_answer_of_eight_mebibytes_is_looked_into_one_byte_more_is_not() {
    let shop = open();
    let limit = 8 * 1024 * 1024;
    let list = |bytes: usize| format!(r#"{{"data":{{"orders":["{}"]}}}}"#, "a".repeat(bytes - 24));
    each_case([(limit, 200), (limit + 1, 502)], |(bytes, status)| {
        let text: &'static [u8] = Box::leak(list(bytes).into_boxed_str()).as_bytes();
        assert_eq!(text.len(), bytes);
        each_case([Some(bytes as u64), None], |length| {
            shop.world
                .answers_with(reply(200, &[], streamed(&[&text[..9], &text[9..]], length)));
            let answer = shop.get("/proxy/orders");
            assert_eq!(answer.status, status, "{bytes} {length:?}");
        });
    });
    let too_large: &'static [u8] = Box::leak(list(limit + 1).into_boxed_str()).as_bytes();
    shop.world
        .answers_with(reply(200, &[], streamed(&[too_large], None)));
    assert_eq!(
        shop.get("/proxy/orders").code(502),
        "provider.answer_too_large"
    );
    shop.world
        .answers_with(reply(200, &[], streamed(&[too_large], None)));
    assert_eq!(
        shop.get("/proxy/orders/1").body.len(),
        too_large.len(),
        "unread it goes through"
    );
}

#[test]
fn redirects_keep_credentials_with_their_origin() {
    let shop = open();
    shop.world
        .answers(302, &[("location", "/v1/elsewhere")], "");
    shop.world
        .answers(302, &[("location", "https://files.example/x")], "");
    shop.world.answers(200, &[], "file");
    assert_eq!(
        shop.call(
            "GET",
            "/proxy/orders/7",
            &[("x-forward-x-own", "o")],
            Body::Empty
        )
        .text(),
        "file"
    );
    let sent = shop.world.sent();
    assert_eq!(
        sent.iter().map(|one| one.url.as_str()).collect::<Vec<_>>(),
        [
            "https://berlin.shop.example/v1/orders/7",
            "https://berlin.shop.example/v1/elsewhere",
            "https://files.example/x"
        ]
    );
    assert_eq!(
        sent.iter()
            .map(|one| one.header("x-key"))
            .collect::<Vec<_>>(),
        [Some("k-secret"), Some("k-secret"), None]
    );
    assert_eq!(
        (sent[2].header("x-version"), sent[2].header("x-own")),
        (None, None),
        "a stranger gets nothing of ours"
    );
    shop.world.answers(302, &[("location", "/v1/b")], "");
    shop.world.answers(200, &[], "file");
    shop.get("/proxy/moved/1");
    assert_eq!(
        shop.world.sent()[1].header("x-key"),
        None,
        "ignore_credentials_on_redirect"
    );
}

#[test]
fn a_list_that_is_answered_with_3xx_is_none_but_for_304() {
    let shop = open();
    each_case([300, 302, 305, 307], |status| {
        shop.world.answers(status, &[], "[]");
        let answer = shop.call("GET", "/proxy/orders", &[], Body::Empty);
        assert_eq!(answer.code(502), "provider.unexpected_answer", "{status}");
        shop.world.answers(status, &[], "[]");
        let one = shop.call("GET", "/proxy/orders/7", &[], Body::Empty);
        assert_eq!(one.status, status, "a record is the provider's own");
    });
    shop.world.answers(304, &[], "");
    let answer = shop.call("GET", "/proxy/orders", &[], Body::Empty);
    assert_eq!((answer.status, answer.text()), (304, ""));
}

#[test]
fn a_redirect_that_needs_a_streamed_body_again_is_refused() {
    let shop = open();
    shop.world.answers(307, &[("location", "/v1/b")], "");
    shop.world.answers(200, &[], "ok");
    assert_eq!(
        shop.call("POST", "/proxy/orders", &[], Body::from_bytes("small"))
            .status,
        200
    );
    assert_eq!(shop.world.sent()[1].body, b"small");
    each_case(
        [(Some(5), 200), (Some(64 * 1024 + 1), 502), (None, 502)],
        |(length, status)| {
            shop.world.answers(307, &[("location", "/v1/b")], "");
            if status == 200 {
                shop.world.answers(200, &[], "ok");
            }
            assert_eq!(
                shop.call("POST", "/proxy/orders", &[], streamed(&[b"large"], length))
                    .status,
                status,
                "{length:?}"
            );
        },
    );
    shop.world
        .answers(302, &[("location", "https://other.example/")], "");
    assert_eq!(
        shop.call("PATCH", "/proxy/orders/1", &[], Body::from_bytes("x"))
            .code(502),
        "provider.redirect_refused"
    );
    shop.world
        .answers(302, &[("location", "http://berlin.shop.example/")], "");
    assert_eq!(
        shop.get("/proxy/orders/1").code(502),
        "provider.redirect_refused"
    );
    shop.world
        .answers(302, &[("location", "https://127.0.0.1/")], "");
    assert_eq!(
        shop.get("/proxy/orders/1").code(422),
        "integration.upstream_refused"
    );
}

#[test]
fn a_proxied_call_writes_nothing_before_its_answer() {
    let shop = open();
    let id: AccountId = shop.account.parse().unwrap();
    let environment = ObjectName::Environment(shop.setting.environment.parse().unwrap());
    let count = || {
        [ObjectName::Account(id), ObjectName::Root, environment].map(|name| shop.world.writes(name))
    };
    shop.world.restart();
    let before = count();
    for _ in 0..3 {
        shop.world.answers(200, &[], r#"{"data":{"orders":[]}}"#);
        shop.get("/proxy/orders").expect(200);
        shop.world.answers(404, &[], "");
        shop.get("/proxy/orders/1").expect(404);
    }
    assert_eq!(count(), before);
}

#[test]
fn an_unreachable_or_slow_provider_is_told_apart() {
    let shop = open();
    shop.fails(SendError::Unreachable);
    assert_eq!(
        get_once(&shop, "/proxy/orders").code(502),
        "provider.unreachable"
    );
    let world = shop.world.clone();
    world.answers_with_at(1_700_000_600_000, reply(200, &[], Body::Empty));
    let path = shop.path("/proxy/orders/1");
    let call =
        shop.setting
            .client
            .request_async("GET", &path, &[("x-timeout-ms", "500")], Body::Empty);
    let clock = async { world.pass(Duration::from_millis(500)) };
    assert_eq!(
        block_on(futures::future::join(call, clock)).0.code(504),
        "provider.timeout"
    );
    each_case(["0", "-1", "soon"], |wrong| {
        assert_eq!(
            shop.call(
                "GET",
                "/proxy/orders",
                &[("x-timeout-ms", wrong)],
                Body::Empty
            )
            .code(400),
            "caller.malformed"
        );
    });
}

#[test]
fn four_calls_of_an_account_wait_at_a_time_the_fifth_has_its_turn_or_503() {
    let shop = open();
    let start = shop.world.isolate();
    drop(start);
    let now = 1_700_000_000_000;
    for _ in 0..4 {
        shop.world
            .answers_with_at(now + 10_000, reply(200, &[], Body::from_bytes("late")));
    }
    shop.world.answers(200, &[], "sixth");
    let path = shop.path("/proxy/orders/1");
    let client = &shop.setting.client;
    let patient = (0..4).map(|_| client.request_async("GET", &path, &[], Body::Empty));
    let hasty = client.request_async("GET", &path, &[("x-timeout-ms", "1000")], Body::Empty);
    let waiting = client.request_async("GET", &path, &[("x-timeout-ms", "20000")], Body::Empty);
    let clock = async {
        assert_eq!(shop.world.0.sent.borrow().len(), 4, "four are out");
        shop.world.pass(Duration::from_secs(1));
        futures::pending!();
    };
    let rest = async {
        let hasty = hasty.await;
        shop.world.pass(Duration::from_secs(9));
        hasty
    };
    let all = futures::future::join3(join_all(patient), rest, waiting);
    let (four, hasty, waiting) = block_on(async {
        let mut all = Box::pin(all);
        assert!(futures::poll!(&mut all).is_pending());
        let mut clock = Box::pin(clock);
        assert!(futures::poll!(&mut clock).is_pending());
        all.await
    });
    assert!(four.iter().all(|answer| answer.status == 200));
    assert_eq!(hasty.header("retry-after"), Some("1"));
    assert_eq!(hasty.code(503), "internal.busy");
    assert_eq!(waiting.text(), "sixth");
}

#[test]
fn a_call_whose_object_was_restarted_is_handed_over_once_more_if_it_may_be() {
    let shop = open();
    shop.world.answers(200, &[], "ok");
    shop.world.0.call_faults.set(1);
    assert_eq!(shop.get("/proxy/orders/1").text(), "ok");
    shop.world.0.call_faults.set(2);
    assert_eq!(shop.get("/proxy/orders/1").code(503), "internal.storage");
    shop.world.0.call_faults.set(1);
    let answer = shop.call("POST", "/proxy/orders", &[], Body::from_bytes("x"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.code(503), "internal.storage");
    shop.world.0.call_faults.set(1);
    assert_eq!(
        shop.call("PUT", "/proxy/orders/1", &[], streamed(&[b"x"], None))
            .code(503),
        "internal.storage"
    );
}

#[test]
fn a_customers_subdomain_never_moves_the_credential() {
    let world = World::new();
    let setting = Setting::new(&world, &shop());
    let cases = [
        "evil.com/",
        "a@evil.com",
        "evil.com#",
        "x.y",
        "",
        "a\\",
        "a:1",
        "ａ",
        "%2e",
        " ",
    ];
    each_case(cases, |evil| {
        let id = setting.account("api_key", &json!({ "shop": evil, "api_key": "k" }));
        assert_eq!(
            setting
                .client
                .get(&format!("/proxy/orders?integrated_account_id={id}"))
                .code(422),
            "account.context_value",
            "{evil}"
        );
    });
    assert!(world.sent().is_empty());
}

#[test]
fn private_upstreams_are_refused_unless_the_operator_allows_them() {
    each_case([("", 422), ("true", 200)], |(word, status)| {
        let world = World::with(&[("ALLOW_PRIVATE_UPSTREAMS", word)]);
        let mut file = shop();
        file["config"]["base_url"] = json!("{{origin}}");
        file["config"]["allowed_hosts"] = json!(["*"]);
        file["config"]["credentials"]["api_key"]["config"]["fields"][0]["name"] = json!("origin");
        let setting = Setting::new(&world, &file);
        let cases = [
            "https://127.0.0.1",
            "https://localhost:8443",
            "http://api.example.com",
            "https://[::1]",
        ];
        each_case(cases, |origin| {
            let id = setting.account("api_key", &json!({ "origin": origin, "api_key": "k" }));
            if status == 200 {
                world.answers(200, &[], "{}");
            }
            assert_eq!(
                setting
                    .client
                    .get(&format!("/proxy/orders/1?integrated_account_id={id}"))
                    .status,
                status,
                "{origin}"
            );
        });
    });
}

#[test]
fn a_missing_value_names_whose_it_is_to_give() {
    let shop = open();
    assert_eq!(
        shop.call("POST", "/proxy/orders/merge", &[], Body::from_bytes("{}"))
            .code(422),
        "caller.missing_value"
    );
    assert_eq!(
        shop.call(
            "POST",
            "/proxy/orders/merge",
            &[],
            Body::from_bytes("no json")
        )
        .code(400),
        "caller.malformed"
    );
    let bare = shop
        .setting
        .account("api_key", &json!({ "shop": "berlin" }));
    let answer = shop
        .setting
        .client
        .get(&format!("/proxy/orders?integrated_account_id={bare}"));
    assert!(answer.text().contains("api_key"));
    assert_eq!(answer.code(422), "account.context_value");
    assert!(shop.world.sent().is_empty());
}

#[test]
fn a_disabled_install_and_a_sandbox_refuse() {
    let world = World::new();
    let setting = Setting::new(&world, &shop());
    let body = json!({ "tenant_id": "a", "environment_integration_id": setting.install, "authentication_method": "api_key", "context": { "shop": "b", "api_key": "k" }, "is_sandbox": true });
    let id = crate::client::id_of(
        &setting
            .client
            .post("/integrated-account", &body)
            .expect(201),
    );
    let path = |path: &str| format!("{path}?integrated_account_id={id}");
    assert_eq!(
        setting
            .client
            .post(&path("/proxy/orders"), &json!({}))
            .code(405),
        "caller.method_not_allowed"
    );
    assert_eq!(
        setting.client.delete(&path("/custom/x")).code(405),
        "caller.method_not_allowed"
    );
    world.answers(200, &[], "[]");
    assert_eq!(setting.client.get(&path("/proxy/public")).status, 200);
    let environment = setting.admin.environment("other");
    let client = setting.admin.token_of(&environment, None);
    let install = client
        .post(
            "/environment-integration",
            &json!({ "integration_name": "shop", "is_enabled": false }),
        )
        .expect(201);
    let mut body = body;
    body["environment_integration_id"] = install["id"].clone();
    assert_eq!(
        client.post("/integrated-account", &body).code(409),
        "account.install_disabled"
    );
}

#[test]
fn an_answer_with_too_many_values_is_not_built_for_an_expression() {
    let shop = open();
    let json = [("content-type", "application/json")];
    let zeros = |count: usize| format!("[{}]", vec!["0"; count - 1].join(","));
    shop.world.answers(200, &json, &zeros(200_000));
    assert_eq!(shop.get("/proxy/checked/1").status, 200);
    shop.world.answers(200, &json, &zeros(200_001));
    assert_eq!(
        shop.get("/proxy/checked/1").code(502),
        "provider.answer_too_large"
    );
}

#[test]
fn text_in_another_encoding_is_passed_on_when_it_need_not_be_cut() {
    let shop = open();
    let latin = streamed(&[b"caf\xe9"], Some(4));
    shop.world.answers_with(reply(
        200,
        &[("content-type", "text/csv; charset=iso-8859-1")],
        latin,
    ));
    assert_eq!(shop.get("/proxy/checked/1").body, b"caf\xe9");
    shop.world.answers_with(reply(
        200,
        &[("content-type", "application/json")],
        streamed(&[b"\xff"], None),
    ));
    assert_eq!(
        shop.get("/proxy/receipts/1").code(502),
        "provider.unexpected_answer"
    );
    shop.world.answers(
        200,
        &[("content-type", "application/json")],
        "\u{feff}{\"error\":\"seen\"}",
    );
    assert_eq!(
        shop.get("/proxy/checked").code(502),
        "provider.error_in_body"
    );
}

#[test]
fn a_retry_after_date_becomes_seconds() {
    let shop = open();
    shop.world
        .answers(429, &[("retry-after", "Tue, 14 Nov 2023 22:13:41 GMT")], "");
    let answer = get_once(&shop, "/proxy/orders");
    assert_eq!(answer.header("retry-after"), Some("21"));
}

#[test]
fn the_platforms_own_statuses_say_that_the_provider_was_not_reached() {
    let shop = open();
    let cases = [
        (522, 502, "provider.unreachable"),
        (530, 502, "provider.unreachable"),
        (524, 504, "provider.timeout"),
        (999, 502, "provider.unexpected_answer"),
    ];
    each_case(cases, |(status, ours, code)| {
        each_case(["/proxy/orders/1", "/custom/x"], |path| {
            shop.world.answers(status, &[], "error code: 1016");
            assert_eq!(get_once(&shop, path).code(ours), code, "{status} {path}");
        });
    });
}

#[test]
fn a_get_with_a_body_is_refused_with_the_reason() {
    let shop = open();
    each_case(["GET", "HEAD"], |method| {
        assert_eq!(
            shop.call(method, "/custom/_search", &[], Body::from_bytes("{}"))
                .code(400),
            "caller.malformed"
        );
    });
    assert!(shop.world.sent().is_empty());
}

#[test]
fn a_call_that_waited_for_its_turn_is_not_sent_once_its_account_is_deleted() {
    let shop = open();
    let now = 1_700_000_000_000;
    for _ in 0..4 {
        shop.world
            .answers_with_at(now + 5_000, reply(200, &[], Body::Empty));
    }
    let path = shop.path("/proxy/orders/1");
    let client = &shop.setting.client;
    let (before, waiting) = block_on(async {
        let mut before = Box::pin(join_all(
            (0..4).map(|_| client.request_async("GET", &path, &[], Body::Empty)),
        ));
        let mut waiting = Box::pin(client.request_async("GET", &path, &[], Body::Empty));
        assert!(
            futures::poll!(&mut before).is_pending() && futures::poll!(&mut waiting).is_pending()
        );
        let deletion = format!("/integrated-account/{}", shop.account);
        assert_eq!(
            client
                .request_async("DELETE", &deletion, &[], Body::Empty)
                .await
                .status,
            200
        );
        shop.world.pass(Duration::from_secs(5));
        (before.await, waiting.await)
    });
    assert!(before.iter().all(|answer| answer.status == 200));
    assert_eq!(waiting.code(404), "caller.not_found");
    assert_eq!(shop.world.sent().len(), 4);
}
