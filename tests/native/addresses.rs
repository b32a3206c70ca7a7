//! Under which addresses the gateway answers, and what of its settings counts where.

use std::time::Duration;

use causeway::ports::Body;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Setting};
use crate::connect::{TOKEN, Visit};
use crate::integrations::file;
use crate::outside::{ADMIN, World};
use crate::routes::ROWS;

const HEALTH: &str = "/health";

fn ask(world: &World, address: &str, headers: &[(&str, &str)]) -> Answer {
    Client::admin(world).request("GET", address, headers, Body::Empty)
}

#[test]
fn no_route_but_health_answers_over_plain_http_except_on_loopback() {
    let world = World::new();
    let admin = Client::admin(&world);
    for (method, path, _) in ROWS {
        let before = world.touches();
        let answer = admin.request(
            method,
            &format!("http://causeway.example{path}"),
            &[],
            Body::Empty,
        );
        if *path == HEALTH {
            assert_eq!(answer.status, 200);
            continue;
        }
        assert_eq!(answer.status, 403, "{method} {path}");
        assert!(answer.text().contains("https"), "{}", answer.text());
        assert_eq!(world.touches(), before);
    }
}

#[test]
fn an_address_counts_by_its_scheme_and_host() {
    let world = World::new();
    for (address, status) in [
        ("https://causeway.example/environment", 200),
        ("http://127.0.0.1:8787/environment", 200),
        ("http://localhost:8787/environment", 200),
        ("http://[::1]:8787/environment", 200),
        ("http://causeway.example/environment", 403),
        ("http://10.0.0.1/environment", 403),
        ("http://localhost.evil.example/environment", 403),
        ("http://127.0.0.1.evil.example/environment", 403),
        ("http://0.0.0.0/environment", 403),
    ] {
        assert_eq!(ask(&world, address, &[]).status, status, "{address}");
    }
    // A proxy of the operator's in front ends TLS.
    let proxied = [("x-forwarded-proto", "https")];
    assert_eq!(
        ask(&world, "http://causeway.example/environment", &proxied).status,
        200
    );
    assert_eq!(
        ask(&world, "http://other.example/environment", &proxied).status,
        403
    );
    let plain = [("x-forwarded-proto", "http")];
    assert_eq!(
        ask(&world, "http://causeway.example/environment", &plain).status,
        403
    );
}

#[test]
fn without_public_url_no_link_goes_to_a_host_that_a_request_named() {
    let world = World::with(&[("PUBLIC_URL", "")]);
    let setting = |address: &str| {
        let admin = Client::admin(&world);
        let body = Body::from_bytes(json!({ "name": address }).to_string());
        admin.request("POST", &format!("{address}/environment"), &[], body)
    };
    assert_eq!(setting("https://evil.example").status, 403);
    assert_eq!(setting("https://causeway.me.workers.dev").status, 201);
    assert_eq!(setting("http://127.0.0.1:8787").status, 201);
    let health = ask(&world, "https://evil.example/health", &[]).expect(503);
    assert!(
        health["problems"].to_string().contains("PUBLIC_URL"),
        "{health}"
    );
    ask(&world, "http://127.0.0.1:8787/health", &[]).expect(200);
    ask(&world, "https://causeway.me.workers.dev/health", &[]).expect(200);
}

#[test]
fn with_public_url_links_go_there_whatever_host_a_request_names() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let body = Body::from_bytes(json!({ "tenant_id": "a" }).to_string());
    let made = setting
        .client
        .request("POST", "https://evil.example/link-token", &[], body);
    let url = made.expect(201)["url"].as_str().unwrap().to_owned();
    assert!(
        url.starts_with("https://causeway.example/connect?"),
        "{url}"
    );
}

#[test]
fn private_upstreams_count_on_loopback_only() {
    let world = World::with(&[
        ("ALLOW_PRIVATE_UPSTREAMS", "true"),
        ("PUBLIC_URL", "https://causeway.example"),
    ]);
    let health = ask(&world, "https://causeway.example/health", &[]).expect(503);
    assert!(
        health["problems"]
            .to_string()
            .contains("ALLOW_PRIVATE_UPSTREAMS"),
        "{health}"
    );
    let admin = Client::admin(&world);
    let environment = admin.environment("e");
    let body = json!({ "environment_id": environment, "target_url": "http://10.0.0.1/" });
    assert_eq!(admin.post("/webhook", &body).code(422), "caller.invalid");
    let world = World::with(&[("ALLOW_PRIVATE_UPSTREAMS", "true")]);
    ask(&world, "http://127.0.0.1:8787/health", &[]).expect(200);
    for address in ["https://causeway.me.workers.dev", "https://evil.example"] {
        let health = ask(&world, &format!("{address}/health"), &[]).expect(503);
        assert!(
            health["problems"]
                .to_string()
                .contains("ALLOW_PRIVATE_UPSTREAMS"),
            "{health}"
        );
        assert_eq!(
            ask(&world, &format!("{address}/environment"), &[]).status,
            403
        );
    }
}

#[test]
fn a_short_admin_token_is_none() {
    for (token, status) in [
        ("x", 401),
        ("a-token-of-23-characters", 401),
        ("a-token-of-24-characters!", 200),
    ] {
        let token = if token.len() == 24 {
            &token[..23]
        } else {
            token
        };
        let token = token.trim_end_matches('!');
        let world = World::with(&[("ADMIN_TOKEN", token)]);
        let answer = Client::admin(&world).with_token(token).get("/environment");
        assert_eq!(answer.status, status, "{token}");
        let health = Client::admin(&world).get("/health");
        assert_eq!(health.status == 503, status == 401, "{}", health.text());
        assert_eq!(health.text().contains("ADMIN_TOKEN"), status == 401);
    }
    assert!(ADMIN.len() >= 24);
}

#[test]
fn a_subscription_never_leads_back_to_the_gateway() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    for target in [
        "https://causeway.example/integrated-account-webhook/x",
        "https://CAUSEWAY.example./x",
        "https://causeway.example:8443/x",
    ] {
        let made = setting
            .client
            .post("/webhook", &json!({ "target_url": target }));
        assert_eq!(made.code(422), "caller.invalid", "{target}");
    }
    // By the name it was asked under, too.
    let body =
        Body::from_bytes(json!({ "target_url": "https://other-name.example/x" }).to_string());
    let made = setting
        .client
        .request("POST", "https://other-name.example/webhook", &[], body);
    assert_eq!(made.code(422), "caller.invalid");
    let local = World::with(&[("ALLOW_PRIVATE_UPSTREAMS", "true")]);
    let setting = Setting::new(&local, &file());
    for (target, status) in [
        ("http://127.0.0.1:8787/x", 422),
        ("http://localhost:8787/x", 422),
        ("http://[::1]:8787/x", 422),
        ("http://127.0.0.2:8787/x", 422),
        ("http://127.0.0.1:9000/x", 201),
    ] {
        let made = setting
            .client
            .post("/webhook", &json!({ "target_url": target }));
        assert_eq!(made.status, status, "{target}");
    }
}

#[test]
fn a_subscription_of_before_is_not_delivered_to_the_gateway_either() {
    let world = World::with(&[("PUBLIC_URL", "https://old-name.example")]);
    let setting = Setting::new(&world, &file());
    let target = json!({ "target_url": "https://causeway.example/x" });
    let body = Body::from_bytes(target.to_string());
    let other_name = "https://old-name.example/webhook";
    let made = setting
        .client
        .request("POST", other_name, &[], body)
        .expect(201);
    let renamed = world.deployed_with(&[]);
    let client = Client {
        world: renamed.clone(),
        ..setting.client
    };
    let tested = client
        .post("/webhook/test", &json!({ "id": made["id"] }))
        .expect(200);
    assert_eq!(tested["error"], "target_url is this gateway's own address");
    assert_eq!(renamed.sent().len(), 0);
}

#[test]
fn a_delivery_that_comes_back_to_the_gateway_makes_no_event() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let body = json!({ "target_url": "https://a-name-of-ours.example/x" });
    let made = setting.client.post("/webhook", &body).expect(201);
    world.answers(200, &[], "");
    setting
        .client
        .post("/webhook/test", &json!({ "id": made["id"] }))
        .expect(200);
    let sent = world.sent().remove(0);
    let headers: Vec<(String, String)> = sent
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let install = format!("/environment-integration/{}", setting.install);
    let shown = setting.client.get(&install).expect(200);
    let url = shown["webhook_url"].as_str().unwrap().to_owned();
    let before = world.touches();
    let looped =
        setting
            .admin
            .with_token("")
            .request("POST", &url, &headers, Body::from_bytes(sent.body));
    assert_eq!(looped.status, 403, "{}", looped.text());
    assert_eq!(world.touches(), before);
}

#[test]
fn a_token_that_lasts_a_second_is_not_refreshed_every_second() {
    let mut visit = Visit::new(&json!({ "tenant_id": "acme" }));
    let there = visit.leave();
    let short = TOKEN.replace("3600", "1");
    visit.world.answers(200, &[], &short);
    visit.world.answers(200, &[], "{}");
    visit.handle_callback(&there);
    let account: Value = visit.account();
    visit.world.provides(move |sent| {
        let is_grant = sent.method == "POST";
        let body = if is_grant { short.as_str() } else { "{}" };
        crate::outside::reply(200, &[], Body::from_bytes(body.to_owned()))
    });
    let path = format!(
        "/proxy/ships/1?integrated_account_id={}",
        account["id"].as_str().unwrap()
    );
    visit.setting.client.get(&path);
    visit.world.sent();
    for _ in 0..600 {
        visit.world.pass(Duration::from_secs(1));
        block_on(visit.world.run(visit.world.ring_alarms()));
    }
    let asked = visit.world.sent().len();
    assert!(
        (1..=10).contains(&asked),
        "{asked} refreshes in ten minutes"
    );
}
