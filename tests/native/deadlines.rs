//! Every deadline includes the body: a peer that answers a byte at a time is cut off on time.

use std::time::Duration;

use causeway::ports::{Body, System};
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Client, Setting};
use crate::files;
use crate::inbound_webhooks::ReceivingAccount;
use crate::outside::{Pieces, World, dripping, reply, within};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// The provider sends a good head at once, then a byte a second for an hour.
fn drips(world: &World) {
    let own = world.clone();
    world.provides(move |_| {
        let body: Body<Pieces> = dripping(&own, &" ".repeat(3_600), Duration::from_secs(1));
        reply(200, &JSON, body)
    });
}

/// The status, and how many seconds it took.
fn timed(
    world: &World,
    client: &Client,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body<Pieces>,
) -> (u16, u64) {
    let began = world.now();
    let asked = client.request_async(method, path, headers, body);
    let answer = within(world, Duration::from_mins(10), asked);
    let answer = answer.unwrap_or_else(|| panic!("{method} {path} never ends"));
    (answer.status, world.now().since(began).as_secs())
}

#[test]
fn published_keys_that_drip_are_given_up_after_ten_seconds() {
    let cases = [
        json!({ "jwks_url": "https://keys.shop.example/jwks" }),
        json!({ "public_key_url": "{{body.cert}}", "public_key_url_pattern": "https://keys\\.shop\\.example/.*" }),
    ];
    each_case(cases, |config| {
        let mut scheme =
            json!({ "signature_verification": { "format": "rsa", "config": { "secret": null } } });
        causeway::json::merge(
            &mut scheme,
            &json!({ "signature_verification": { "config": config } }),
        );
        let scene = ReceivingAccount::new(&scheme);
        drips(&scene.world);
        let body = json!({ "cert": "https://keys.shop.example/a.pem" }).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("x-signature", "AAAA"),
        ];
        let stranger = scene.setting.client.with_token("");
        let cases = [
            format!("/integrated-account-webhook/{}", scene.account),
            format!("/environment-integration-webhook/{}", scene.setting.install),
        ];
        each_case(cases, |path| {
            scene.world.restart();
            let body = Body::from_bytes(body.clone());
            let (status, seconds) = timed(&scene.world, &stranger, "POST", &path, &headers, body);
            assert!(matches!(status, 401 | 503), "{path}: {status}");
            assert!(seconds <= 11, "{path}: {seconds} s, {config}");
        });
    });
}

#[test]
fn unknown_key_names_of_one_account_use_up_no_others() {
    let scheme: Value = json!({ "signature_verification": { "format": "rsa", "config": {
        "secret": null, "public_key_url": "{{body.cert}}", "public_key_url_pattern": "https://keys\\.shop\\.example/.*" } } });
    let scene = ReceivingAccount::new(&scheme);
    let other = scene.another("two");
    scene.world.provides(|_| reply(404, &[], Body::Empty));
    let ask = |account: &str, name: usize| {
        let body = json!({ "cert": format!("https://keys.shop.example/{name}.pem") }).to_string();
        let headers = [
            ("content-type", "application/json"),
            ("x-signature", "AAAA"),
        ];
        let path = format!("/integrated-account-webhook/{account}");
        scene
            .setting
            .client
            .with_token("")
            .request("POST", &path, &headers, Body::from_bytes(body))
            .status
    };
    let own: Vec<u16> = (0..25).map(|name| ask(&scene.account, name)).collect();
    assert!(
        own.contains(&503),
        "so many names of one account are too many: {own:?}"
    );
    assert_eq!(ask(&other, 1_000), 401, "another account's are not");
}

/// A file whose every way asks its provider.
fn asking_file() -> Value {
    files::with_oauth(
        "slow",
        &json!({
            "credentials": { "oauth2": { "config": { "auth": { "revokePath": "/revoke" } } } },
            "error_expression": "response.failed",
            "resources": { "carts": {
                "list": { "path": "/carts" },
                "get": { "path": "/carts/{{id}}", "response_path": "data" },
                "create": { "method": "post", "path": "/carts" },
            } },
            "actions": {
                "ask": { "steps": [{ "type": "request", "config": { "path": "/me" } }] },
                "validation": { "type": "request", "config": { "path": "/me" } },
            },
        }),
    )
}

/// One way to ask a provider or receiver, and the most it may take.
struct Way {
    name: &'static str,
    seconds: u64,
    run: fn(&World, &Setting, &str) -> u16,
}

crate::cases::shown_by_name!(Way);

fn call(
    world: &World,
    setting: &Setting,
    account: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> u16 {
    let path = format!("{path}?integrated_account_id={account}");
    let body = if method == "GET" {
        Body::Empty
    } else {
        Body::from_bytes("{}")
    };
    timed(world, &setting.client, method, &path, headers, body).0
}

const WAYS: &[Way] = &[
    Way {
        name: "a list",
        seconds: 31,
        run: |w, s, a| call(w, s, a, "GET", "/proxy/carts", &[]),
    },
    Way {
        name: "a get that is cut",
        seconds: 31,
        run: |w, s, a| call(w, s, a, "GET", "/proxy/carts/1", &[]),
    },
    Way {
        name: "a short time-out",
        seconds: 3,
        run: |w, s, a| call(w, s, a, "GET", "/proxy/carts", &[("x-timeout-ms", "2000")]),
    },
    Way {
        name: "all pages",
        seconds: 31,
        run: |w, s, a| call(w, s, a, "GET", "/proxy/carts", &[("x-all-pages", "true")]),
    },
    Way {
        name: "a keyed write",
        seconds: 31,
        run: |w, s, a| {
            call(
                w,
                s,
                a,
                "POST",
                "/proxy/carts",
                &[("idempotency-key", "k"), ("x-timeout-ms", "20000")],
            )
        },
    },
    Way {
        name: "an action",
        seconds: 31,
        run: |w, s, a| call(w, s, a, "POST", "/proxy/_/ask", &[]),
    },
    Way {
        name: "a refresh",
        seconds: 66,
        run: |w, s, a| {
            let body = Body::from_bytes(json!({ "id": a }).to_string());
            timed(
                w,
                &s.client,
                "POST",
                "/integrated-account/refresh-credentials",
                &JSON,
                body,
            )
            .0
        },
    },
    Way {
        name: "a webhook's test",
        seconds: 16,
        run: |w, s, _| {
            let made = s
                .client
                .post(
                    "/webhook",
                    &json!({ "target_url": "https://company.example/hook" }),
                )
                .expect(201);
            let body = Body::from_bytes(json!({ "id": made["id"] }).to_string());
            timed(w, &s.client, "POST", "/webhook/test", &JSON, body).0
        },
    },
    Way {
        name: "a revocation",
        seconds: 25,
        run: |w, s, a| {
            timed(
                w,
                &s.client,
                "DELETE",
                &format!("/integrated-account/{a}"),
                &[],
                Body::Empty,
            )
            .0
        },
    },
];

#[test]
fn whoever_is_asked_and_answers_a_byte_a_second_is_given_up_when_the_time_is_over() {
    each_case(WAYS, |way| {
        let world = World::new();
        let setting = Setting::new(&world, &asking_file());
        let token = json!({ "oauth": { "token": { "access_token": "t", "refresh_token": "r" } } });
        let account = setting.account("oauth2", &token);
        world.provides(|_| reply(200, &JSON, Body::from_bytes("{}")));
        futures::executor::block_on(world.run_passing(world.sleep(Duration::from_secs(2))));
        drips(&world);
        let began = world.now();
        let status = (way.run)(&world, &setting, &account);
        let seconds = world.now().since(began).as_secs();
        assert!(
            seconds <= way.seconds,
            "{}: {seconds} s, {status}",
            way.name
        );
    });
}

#[test]
fn a_delivery_that_drips_is_over_after_fifteen_seconds() {
    let world = World::new();
    let setting = Setting::new(&world, &asking_file());
    setting
        .client
        .post(
            "/webhook",
            &json!({ "target_url": "https://company.example/hook" }),
        )
        .expect(201);
    drips(&world);
    setting.account(
        "oauth2",
        &json!({ "oauth": { "token": { "access_token": "t" } } }),
    );
    let began = world.now();
    within(&world, Duration::from_mins(5), world.ring_alarms()).unwrap();
    assert!(!world.sent().is_empty());
    let took = world.now().since(began).as_secs();
    assert!(
        took <= 90,
        "{took} s for an attempt of each event, and what its alarm does in addition"
    );
}
