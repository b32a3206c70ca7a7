//! One memory budget per isolate: what strangers send stalls no other caller, and what is held is counted until it is dropped.

use std::time::Duration;

use causeway::api;
use causeway::ports::{Body, Incoming, Reply, System};
use futures::executor::block_on;
use futures::future::{Either, join_all, select};
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client};
use crate::inbound_webhooks::{ReceivingAccount, SECRET, signed};
use crate::outside::{Pieces, World, stalled, within};

const MIB: usize = 1024 * 1024;
/// How long an unproved sender may take to send a body.
const STRANGERS: Duration = Duration::from_secs(10);

/// A shop with an account, whose provider answers every list with a record.
fn scene() -> ReceivingAccount {
    let scene = ReceivingAccount::new(&json!({}));
    answering(&scene);
    scene
}

fn answering(scene: &ReceivingAccount) {
    let json = [("content-type", "application/json")];
    scene
        .world
        .provides(move |_| crate::outside::reply(200, &json, Body::from_bytes(r#"[{"id":1}]"#)));
}

/// Routes that accept a body from an unproved sender.
fn open_addresses(scene: &ReceivingAccount) -> [String; 4] {
    [
        format!("/environment-integration-webhook/{}", scene.setting.install),
        format!("/integrated-account-webhook/{}", scene.account),
        "/connect/shop".to_owned(),
        "/connect/shop/callback".to_owned(),
    ]
}

fn stranger(scene: &ReceivingAccount) -> Client {
    scene.setting.client.with_token("")
}

/// What callers and a provider get while forty strangers send to `address` and go no further.
fn beside_stalled(scene: &ReceivingAccount, address: &str, bytes: usize) -> Vec<(String, Answer)> {
    let stranger = stranger(scene);
    let open: Vec<_> = (0..40)
        .map(|_| stranger.request_async("POST", address, &[], stalled(bytes, Some(250_000))))
        .collect();
    let calls = async {
        scene.world.sleep_turn().await;
        // All of them hold what has arrived by now.
        let client = &scene.setting.client;
        let path = |path: &str| format!("{path}?integrated_account_id={}", scene.account);
        let headers = [("content-type", "application/json")];
        let (lists, custom) = (path("/proxy/orders"), path("/custom/x"));
        let list = client.request_async("GET", &lists, &[], Body::Empty).await;
        let body = Body::from_bytes(r#"{"a":1}"#);
        let post = client.request_async("POST", &custom, &headers, body).await;
        let text = r#"{"topic":"paid","shop":"one","nr":1}"#;
        let signature = signed(SECRET, text);
        let headers = [("x-signature", signature.as_str())];
        let path = format!("/integrated-account-webhook/{}", scene.account);
        let body = Body::from_bytes(text);
        let own = stranger.request_async("POST", &path, &headers, body).await;
        let path = format!("/environment-integration-webhook/{}", scene.setting.install);
        let body = Body::from_bytes(text);
        let install = stranger.request_async("POST", &path, &headers, body).await;
        let new = json!({ "tenant_id": "t" });
        let admin = client.send_async("POST", "/link-token", &new);
        let named = |name: &str, answer| (name.to_owned(), answer);
        vec![
            named("list", list),
            named("post", post),
            named("account's webhook", own),
            named("install's webhook", install),
            named("link token", admin.await),
        ]
    };
    let open = std::pin::pin!(join_all(open));
    let both = async {
        match select(open, std::pin::pin!(calls)).await {
            Either::Left(..) => panic!("a stalled body was answered before anything else"),
            Either::Right((answers, _)) => answers,
        }
    };
    block_on(scene.world.run_passing(both))
}

#[test]
fn forty_strangers_who_stall_take_no_proved_senders_room() {
    each_case(open_addresses(&scene()), |address| {
        each_case([1, 100_000, 200_000], |bytes| {
            let scene = scene();
            let own = address_of(&scene, &address);
            each_case(beside_stalled(&scene, &own, bytes), |(what, answer)| {
                let is_good = matches!(answer.status, 200 | 201);
                assert!(
                    is_good,
                    "{what} next to {bytes} bytes at {own}: {}",
                    answer.text()
                );
            });
        });
    });
}

/// The same address of another shop.
fn address_of(scene: &ReceivingAccount, address: &str) -> String {
    let own = open_addresses(scene);
    let kind = |text: &str| text.split('/').nth(1).unwrap().to_owned();
    let same = own.iter().find(|own| {
        kind(own) == kind(address) && own.ends_with("callback") == address.ends_with("callback")
    });
    same.unwrap().clone()
}

#[test]
fn a_stranger_whose_body_stalls_is_answered_after_ten_seconds_and_holds_nothing() {
    let scene = scene();
    each_case(open_addresses(&scene), |address| {
        each_case([Some(200_000), None], |length| {
            let ask = stranger(&scene);
            let asked = ask.request_async("POST", &address, &[], stalled(1_000, length));
            let began = scene.world.now();
            let answer = within(&scene.world, Duration::from_mins(1), asked);
            let took = scene.world.now().since(began);
            let answer = answer.unwrap_or_else(|| panic!("{address} is open after a minute"));
            assert_eq!(answer.status, 408, "{address}: {}", answer.text());
            assert!(
                took >= STRANGERS && took < STRANGERS * 2,
                "{address}: {took:?}"
            );
            assert_eq!(held(&scene.world), 0, "{address}");
        });
    });
}

/// The bytes that the isolate holds for proved callers, found by what is still to be had.
pub fn held(world: &World) -> usize {
    let total = causeway::settings::BUFFERED_TOTAL_BYTES;
    let is_free = |bytes: usize| world.isolate().room().take(bytes).is_ok();
    let (mut free, mut most) = (0, total);
    while free < most {
        let middle = (free + most).div_ceil(2);
        if is_free(middle) {
            free = middle;
        } else {
            most = middle - 1;
        }
    }
    total - free
}

/// The answer as the platform gets it, unread.
fn unread(scene: &ReceivingAccount, path: &str) -> Reply<Pieces> {
    let token = format!("Bearer {}", scene.setting.client.token);
    let request = Incoming {
        method: http::Method::GET,
        url: format!("https://causeway.example{path}").parse().unwrap(),
        raw_target: None,
        headers: [(http::header::AUTHORIZATION, token.parse().unwrap())]
            .into_iter()
            .collect(),
        body: Body::Empty,
    };
    let isolate = scene.world.isolate();
    let leases = scene.world.leases();
    let asked = api::handle(&scene.world, (&isolate, &leases), Ok(request));
    block_on(scene.world.run_passing(asked)).into_reply()
}

fn list_of(bytes: usize) -> String {
    format!(r#"["{}"]"#, "a".repeat(bytes - 4))
}

#[test]
fn an_answer_is_held_until_its_reader_has_it_or_is_gone() {
    let scene = scene();
    let path = format!("/proxy/orders?integrated_account_id={}", scene.account);
    scene.world.answers(200, &[], &list_of(4 * MIB));
    let reply = unread(&scene, &path);
    assert_eq!(reply.status, 200);
    assert!(held(&scene.world) >= 4 * MIB, "{}", held(&scene.world));
    drop(reply);
    assert_eq!(held(&scene.world), 0, "its reader is gone");
    scene.world.answers(200, &[], &list_of(4 * MIB));
    let reply = unread(&scene, &path);
    let read = block_on(crate::outside::collect(reply.body));
    assert!(read.len() > 4 * MIB);
    assert_eq!(held(&scene.world), 0, "it was read");
}

#[test]
fn readers_who_stop_cannot_hold_more_than_the_isolate_counts() {
    let scene = scene();
    let path = format!("/proxy/orders?integrated_account_id={}", scene.account);
    let mut statuses = Vec::new();
    let mut held = Vec::new();
    for _ in 0..16 {
        scene.world.answers(200, &[], &list_of(4 * MIB));
        let reply = unread(&scene, &path);
        statuses.push(reply.status.as_u16());
        held.push(reply);
    }
    assert!(statuses.contains(&503), "{statuses:?}");
    drop(held);
    scene.world.answers(200, &[], &list_of(4 * MIB));
    assert_eq!(unread(&scene, &path).status, 200);
}

/// Many small values: each costs many times its text.
fn dense(bytes: usize) -> String {
    format!("[{}]", vec!["[0]"; bytes / 4].join(","))
}

#[test]
fn what_is_built_of_a_body_is_counted_before_it_is_built() {
    let scene = scene();
    let client = &scene.setting.client;
    let account = format!("integrated_account_id={}", scene.account);
    let wide = dense(MIB - 1_000);
    let rows = [
        (
            "POST",
            "/integration/validate".to_owned(),
            format!(r#"{{"name":"a","config":{{"x-a":{wide}}}}}"#),
        ),
        (
            "PATCH",
            format!("/environment-integration/{}", scene.setting.install),
            format!(r#"{{"override":{{"x-a":{wide}}}}}"#),
        ),
        ("POST", format!("/proxy/_/none?{account}"), wide.clone()),
        ("POST", "/webhook".to_owned(), wide.clone()),
        ("POST", "/event/replay".to_owned(), wide.clone()),
    ];
    let json = [("content-type", "application/json")];
    each_case(rows, |(method, path, body)| {
        let answer = client.request(method, &path, &json, Body::from_bytes(body));
        assert_eq!(answer.code(413), "caller.body_too_large", "{method} {path}");
    });
}

#[test]
fn a_form_without_a_proof_has_no_more_than_a_thousand_fields() {
    let handshake =
        json!({ "handle_verification": "body.challenge", "allow_unsigned_handshake": true });
    let scene = ReceivingAccount::new(&handshake);
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-signature", ""),
    ];
    each_case(
        [(1_000, 401), (1_001, 413), (500_000, 413)],
        |(fields, status)| {
            let body = "a&".repeat(fields);
            each_case(
                [
                    scene.to_account(&form, &body),
                    scene.to_install(&form, &body),
                ],
                |answer| {
                    assert_eq!(answer.status, status, "{fields}: {}", answer.text());
                },
            );
            let mut page = crate::connect::Browser::of(&scene.world);
            if fields == 1_001 {
                let answer = page.raw("/connect/shop", &form[..1], body.clone());
                assert_eq!(answer.status, 413);
            }
            drop(page.get("/"));
        },
    );
}

#[test]
fn a_context_over_its_limit_is_refused_by_its_bytes() {
    let scene = scene();
    let issued = scene
        .setting
        .client
        .post(
            "/integrated-account/token",
            &json!({ "integrated_account_id": scene.account }),
        )
        .expect(201);
    let own = scene
        .setting
        .client
        .with_token(issued["integrated_account_token"].as_str().unwrap());
    let client = &scene.setting.client;
    let with = |context: Value| json!({ "context": context });
    let account = format!("/integrated-account/{}", scene.account);
    let imported = json!({ "tenant_id": "t", "environment_integration_id": scene.setting.install, "authentication_method": "api_key" });
    let merged = |context: Value| {
        let mut body = imported.clone();
        body["context"] = context;
        body
    };
    // As text it is over the limit, so its value is never built.
    let wide: Value = serde_json::from_str(&dense(260 * 1024)).unwrap();
    let wide = json!({ "api_key": "k", "list": wide });
    scene.world.object_messages_are_counted();
    let cases = [
        (client, "PATCH", account.clone(), with(wide.clone())),
        (
            client,
            "PATCH",
            format!("{account}/credentials"),
            with(wide.clone()),
        ),
        (
            client,
            "POST",
            "/integrated-account".to_owned(),
            merged(wide.clone()),
        ),
    ];
    each_case(cases, |(caller, method, path, body)| {
        let failure = caller.send(method, &path, &body).expect(422);
        let place = &failure["details"]["failures"][0];
        assert_eq!(place["path"], "context", "{method} {path}: {failure}");
    });
    // An account token's change has 16 KiB in all.
    let refused = own.send("PATCH", "/integrated-account/me", &with(wide));
    assert_eq!(refused.code(413), "caller.body_too_large");
    assert_eq!(
        scene.world.object_messages(),
        0,
        "an object was asked about it"
    );
}

#[test]
fn so_many_callers_wait_inside_one_object_and_the_next_is_told_to_come_again() {
    let variables = [("CALLS_WAITING", "40")];
    for (waiting, status) in [(39, 200), (40, 503)] {
        let scene = ReceivingAccount::in_world(World::with(&variables), &json!({}));
        let client = &scene.setting.client;
        let path = format!("/custom/x?integrated_account_id={}", scene.account);
        let late = scene.world.now().as_millis() + 20_000;
        for _ in 0..4 {
            scene.world.answers_at(late, 200, "{}");
        }
        answering(&scene);
        let open = (0..waiting).map(|_| client.request_async("GET", &path, &[], Body::Empty));
        let open = std::pin::pin!(join_all(open));
        let next = async {
            scene.world.sleep_turn().await;
            let webhook = format!("/integrated-account-webhook/{}", scene.account);
            let body = r#"{"topic":"paid","shop":"one","nr":1}"#;
            let signature = signed(SECRET, body);
            let headers = [("x-signature", signature.as_str())];
            let asked = stranger(&scene);
            asked
                .request_async("POST", &webhook, &headers, Body::from_bytes(body))
                .await
        };
        let both = async {
            match select(open, std::pin::pin!(next)).await {
                Either::Left(..) => panic!("they did not wait"),
                Either::Right((answer, open)) => {
                    let open = open.await;
                    assert!(open.iter().all(|answer| answer.status == 200), "{waiting}");
                    answer
                }
            }
        };
        let answer = block_on(scene.world.run_passing(both));
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("retry-after").is_some(), status == 503);
    }
}

#[test]
fn callers_who_stall_keep_no_other_out() {
    // Each brings 64 KiB: 40 of them are within 12 MiB, and 200 are not.
    let least = [
        ("BUFFERED_TOTAL_BYTES", "12582912"),
        ("BUFFERED_ANSWER_BYTES", "1000"),
    ];
    for callers in [40, 200] {
        let scene = ReceivingAccount::in_world(World::with(&least), &json!({}));
        let client = &scene.setting.client;
        let path = "/integration/validate";
        let stall = || client.request_async("POST", path, &[], stalled(64 * 1024, None));
        let stalled = join_all((0..callers).map(|_| stall()));
        let large = json!({ "name": "x".repeat(900_000) }).to_string();
        let next = async {
            scene.world.sleep_turn().await;
            client
                .request_async("POST", path, &[], Body::from_bytes(large))
                .await
        };
        let (stalled, next) = block_on(
            scene
                .world
                .run_passing(futures::future::join(stalled, next)),
        );
        assert_eq!(next.status, 200, "next to {callers}: {}", next.text());
        let ended = |answer: &Answer| matches!(answer.status, 408 | 503);
        assert!(stalled.iter().all(ended));
    }
}

#[test]
fn a_webhooks_copies_for_many_accounts_are_counted() {
    let transform = r#"[1..6].{ "event_type": "e", "context_lookup_field_value": "s" & $string($), "payload": $$.body.text & $string($) }"#;
    let scene = ReceivingAccount::new(&json!({ "payload_transform": transform }));
    for number in 1..=6 {
        scene.another(&format!("s{number}"));
    }
    let body = json!({ "shop": "one", "text": "x".repeat(900_000) }).to_string();
    let total = causeway::settings::BUFFERED_TOTAL_BYTES;
    let others = scene.world.isolate().room();
    others.take(total - 2 * MIB).unwrap();
    assert_eq!(scene.to_install(&[], &body).code(503), "internal.busy");
    drop(others);
    let stored = scene.to_install(&[], &body).expect(200);
    assert_eq!(stored["matched"], 6);
}

#[test]
fn an_account_has_a_hundred_thousand_idempotency_keys_at_a_time() {
    let scene = scene();
    let path = format!("/custom/x?integrated_account_id={}", scene.account);
    let write = |key: &str| {
        let headers = [("idempotency-key", key)];
        scene
            .setting
            .client
            .request("POST", &path, &headers, Body::from_bytes("{}"))
    };
    assert_eq!(write("first").status, 200);
    let id: causeway::ids::AccountId = scene.account.parse().unwrap();
    let object = causeway::ports::ObjectName::Account(id);
    let more = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 99998) \
                INSERT INTO kept_answer SELECT 'p' || i, 'b', 1700000000000, 200, NULL FROM n";
    scene.world.select(object, more);
    scene.world.restart();
    assert_eq!(write("second").status, 200);
    let over = write("third");
    assert!(over.header("retry-after").is_some());
    assert_eq!(over.code(429), "caller.rate_limited");
    assert_eq!(write("second").status, 200, "a known one is answered");
    scene.world.pass(Duration::from_hours(25));
    scene.world.settle();
    assert_eq!(write("third").status, 200);
}

#[test]
fn a_body_with_an_account_token_is_one_of_an_unproved_sender() {
    let scene = scene();
    let own = scene.setting.customer(&scene.account);
    let headers = [("content-type", "application/json")];
    let path = "/integrated-account/me";
    let asked = own.request_async("PATCH", path, &headers, stalled(10_000, None));
    let began = scene.world.now();
    let answer = within(&scene.world, Duration::from_mins(1), asked).unwrap();
    let took = scene.world.now().since(began);
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert!(took >= STRANGERS && took < STRANGERS * 2, "{took:?}");
}
