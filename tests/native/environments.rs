//! Environments, their tokens, and that they cannot see each other.

use causeway::ports::Body;
use serde_json::json;

use crate::cases::each_case;
use crate::client::{Client, id_of};
use crate::outside::World;

#[test]
fn health_says_what_is_missing() {
    let anonymous = Client {
        token: String::new(),
        ..Client::admin(&World::new())
    };
    assert_eq!(anonymous.get("/health").expect(200)["status"], "ok");
    let world = World::with(&[("ADMIN_TOKEN", ""), ("SEALING_KEYS", "x")]);
    let problems = Client {
        token: String::new(),
        ..Client::admin(&world)
    }
    .get("/health")
    .expect(503)["problems"]
        .clone();
    assert_eq!(problems.as_array().unwrap().len(), 2, "{problems}");
}

#[test]
fn health_names_what_cannot_be_read_and_all_of_it_works_with_its_default() {
    let world = World::with(&[
        ("LIST_PAGES", "sekret"),
        ("PUBLIC_URL", "sekret"),
        ("EU_JURISDICTION", "sekret"),
        ("ALLOW_PRIVATE_UPSTREAMS", "sekret"),
        ("CALL_TIMEOUT_MS", "0"),
        ("LOG_CALLS", "1.01"),
    ]);
    let admin = Client::admin(&world);
    let stranger = admin.with_token("");
    let health = stranger.request("GET", "http://127.0.0.1:8787/health", &[], Body::Empty);
    let health = health.expect(503);
    assert_eq!(health["status"], "misconfigured");
    assert_eq!(
        health["problems"],
        json!([
            "PUBLIC_URL is not an https URL (http only on loopback)",
            "EU_JURISDICTION is neither `eu` nor `off`",
            "ALLOW_PRIVATE_UPSTREAMS is neither `false` nor `true`",
            "LIST_PAGES is not a whole number from 1 on",
            "CALL_TIMEOUT_MS is not a whole number from 1 on",
            "LOG_CALLS is neither `failed` nor `all` nor a number above 0 and up to 1",
        ])
    );
    let at_home = "http://127.0.0.1:8787/environment";
    admin.request("GET", at_home, &[], Body::Empty).expect(200);
}

#[test]
fn without_a_good_token_nothing_answers() {
    let admin = Client::admin(&World::new());
    let cases = [
        "",
        "wrong",
        "ct_",
        "ct_018bcfe5680080008000000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];
    each_case(cases, |token| {
        let answer = admin.with_token(token).get("/integration");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert_eq!(answer.code(401), "caller.unauthenticated");
    });
    assert_eq!(admin.get("/nothing/here").code(404), "caller.not_found");
    let answer = admin.send("PUT", "/environment", &json!({}));
    assert_eq!(answer.header("allow"), Some("GET, POST"));
    assert_eq!(answer.code(405), "caller.method_not_allowed");
}

#[test]
fn without_an_admin_token_the_empty_one_is_no_key() {
    let world = World::with(&[("ADMIN_TOKEN", " ")]);
    assert_eq!(
        Client::admin(&world)
            .with_token("")
            .get("/environment")
            .status,
        401
    );
    assert_eq!(Client::admin(&world).get("/environment").status, 401);
}

#[test]
fn an_environment_is_made_listed_changed_and_deleted() {
    let admin = Client::admin(&World::new());
    let made = admin.post("/environment", &json!({ "name": "prod", "region": "eu", "allowed_redirect_origins": ["https://app.example.com"] })).expect(201);
    let id = id_of(&made);
    assert_eq!(made["region"], "eu");
    assert_eq!(made["created_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(admin.get(&format!("/environment/{id}")).expect(200), made);
    assert_eq!(
        admin
            .post("/environment", &json!({ "name": "prod" }))
            .code(409),
        "caller.duplicate"
    );
    let changed = admin
        .send(
            "PATCH",
            &format!("/environment/{id}"),
            &json!({ "name": "live" }),
        )
        .expect(200);
    assert_eq!(
        (
            changed["name"].as_str(),
            changed["allowed_redirect_origins"][0].as_str()
        ),
        (Some("live"), Some("https://app.example.com"))
    );
    assert_eq!(
        admin.get("/environment").expect(200)["result"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        admin.delete(&format!("/environment/{id}")).expect(200),
        json!({ "id": id })
    );
    assert_eq!(
        admin.get(&format!("/environment/{id}")).code(404),
        "caller.not_found"
    );
    assert_eq!(
        admin.delete(&format!("/environment/{id}")).code(404),
        "caller.not_found"
    );
}

#[test]
fn a_wrong_body_says_where() {
    let admin = Client::admin(&World::new());
    assert_eq!(
        admin
            .request(
                "POST",
                "/environment",
                &[],
                causeway::ports::Body::from_bytes("{")
            )
            .code(400),
        "caller.malformed"
    );
    let cases = [
        (json!({}), ""),
        (json!({ "name": "" }), "name"),
        (json!({ "name": "a", "region": "mars" }), "region"),
        (json!({ "name": "a", "regoin": "eu" }), "regoin"),
        (
            json!({ "name": "a", "allowed_redirect_origins": ["https://a.example/path"] }),
            "allowed_redirect_origins[0]",
        ),
        (
            json!({ "name": "a", "allowed_redirect_origins": ["http://a.example"] }),
            "allowed_redirect_origins[0]",
        ),
    ];
    each_case(cases, |(body, path)| {
        let answer = admin.post("/environment", &body).expect(422);
        assert_eq!(answer["details"]["failures"][0]["path"], path, "{answer}");
    });
}

#[test]
fn a_token_is_shown_once_and_stored_as_its_hash() {
    let world = World::new();
    let admin = Client::admin(&world);
    let environment = admin.environment("prod");
    let made = admin
        .post(
            "/api-token",
            &json!({ "environment_id": environment, "name": "ci" }),
        )
        .expect(201);
    let token = made["token"].as_str().unwrap();
    assert_eq!(made["scopes"], json!(["read", "proxy", "connect", "admin"]));
    let listed = admin
        .get(&format!("/api-token?environment_id={environment}"))
        .expect(200);
    assert_eq!(listed["result"][0]["id"], made["id"]);
    assert!(!listed.to_string().contains(token) && !listed.to_string().contains("hash"));
    assert!(!world.at_rest().contains(token));
    let client = admin.with_token(token);
    client.get("/integration").expect(200);
    client
        .delete(&format!("/api-token/{}", id_of(&made)))
        .expect(200);
    assert_eq!(
        client.get("/integration").code(401),
        "caller.unauthenticated"
    );
    world.restart();
    assert_eq!(
        client.get("/integration").code(401),
        "caller.unauthenticated"
    );
}

#[test]
fn a_token_ends_when_it_says() {
    let world = World::new();
    let admin = Client::admin(&world);
    let environment = admin.environment("prod");
    let body =
        |end: &str| json!({ "environment_id": environment, "name": "ci", "expires_at": end });
    let made = admin
        .post("/api-token", &body("2023-11-14T22:13:30Z"))
        .expect(201);
    let client = admin.with_token(made["token"].as_str().unwrap());
    client.get("/integration").expect(200);
    world.pass(std::time::Duration::from_secs(10));
    assert_eq!(client.get("/integration").status, 401);
    assert_eq!(
        admin
            .post("/api-token", &body("2023-11-14T22:13:40Z"))
            .status,
        201
    );
    assert_eq!(
        admin
            .post("/api-token", &body("2020-01-01T00:00:00Z"))
            .code(422),
        "caller.invalid"
    );
}

#[test]
fn a_token_may_do_what_its_scopes_say_and_mints_none_wider() {
    let admin = Client::admin(&World::new());
    let environment = admin.environment("prod");
    let reader = admin.token_of(&environment, Some(&["read"]));
    reader.get("/environment-integration").expect(200);
    let cases = [
        reader.post("/environment-integration", &json!({})),
        reader.post("/integrated-account", &json!({})),
        reader.post("/api-token", &json!({})),
        reader.get("/proxy/x?integrated_account_id=y"),
        reader.get("/environment"),
        reader.send("PUT", "/integration/x", &json!({})),
    ];
    each_case(cases, |answer| {
        assert_eq!(answer.code(403), "caller.forbidden");
    });
    let owner = admin.token_of(&environment, Some(&["admin"]));
    owner
        .post(
            "/api-token",
            &json!({ "name": "a", "scopes": ["read", "proxy", "connect", "admin"] }),
        )
        .expect(201);
    assert_eq!(
        owner.get("/environment").status,
        403,
        "environments are the admin token's"
    );
}

#[test]
fn what_belongs_to_another_environment_is_not_there() {
    let admin = Client::admin(&World::new());
    let (ours, theirs) = (admin.environment("ours"), admin.environment("theirs"));
    let (we, they) = (admin.token_of(&ours, None), admin.token_of(&theirs, None));
    let token = id_of(&they.post("/api-token", &json!({ "name": "x" })).expect(201));
    assert_eq!(
        we.delete(&format!("/api-token/{token}")).code(404),
        "caller.not_found"
    );
    assert_eq!(
        we.get(&format!("/api-token?environment_id={theirs}"))
            .code(404),
        "caller.not_found"
    );
    assert_eq!(
        we.post(
            "/api-token",
            &json!({ "name": "x", "environment_id": theirs })
        )
        .code(404),
        "caller.not_found"
    );
    assert_eq!(admin.get("/api-token").code(422), "caller.invalid");
}

#[test]
fn a_made_up_environment_is_404_and_writes_nothing() {
    let world = World::new();
    let admin = Client::admin(&world);
    admin.environment("prod");
    let before = world.objects_with_data();
    let forged = "018bcfe5-6800-8000-8000-000000000000";
    let cases = [
        admin.get(&format!("/api-token?environment_id={forged}")),
        admin.get(&format!("/environment-integration?environment_id={forged}")),
        admin.post(
            "/api-token",
            &json!({ "name": "x", "environment_id": forged }),
        ),
        admin.get(&format!("/integrated-account/{forged}")),
        admin.get(&format!("/proxy/x?integrated_account_id={forged}")),
    ];
    each_case(cases, |answer| {
        assert_eq!(answer.code(404), "caller.not_found");
    });
    assert_eq!(world.objects_with_data(), before);
}

#[test]
fn lists_go_on_where_they_stopped() {
    let admin = Client::admin(&World::new());
    let made: Vec<_> = (0..5)
        .map(|n| admin.environment(&format!("e{n}")))
        .collect();
    let (mut seen, mut path) = (Vec::new(), "/environment?limit=2".to_owned());
    loop {
        let page = admin.get(&path).expect(200);
        assert_eq!(page["limit"], 2);
        seen.extend(page["result"].as_array().unwrap().iter().map(id_of));
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("/environment?limit=2&next_cursor={cursor}");
    }
    let mut made = made;
    made.sort();
    assert_eq!(seen, made);
    assert_eq!(
        admin.get("/environment?limit=2&tenant=x").code(400),
        "caller.malformed"
    );
}
