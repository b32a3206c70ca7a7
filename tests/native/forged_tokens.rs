//! Tokens and webhook URLs that were not made here: every kind, forged in every way, at every route. They are refused
//! before anything is read.

use std::time::Duration;

use causeway::crypto::sha256_hex;
use causeway::flows::base::records::{
    ApplicationNames, EnvironmentRecord, TokenRecord, TokenScope,
};
use causeway::flows::messages::environment::EnvironmentMessage;
use causeway::flows::messages::{RootMessage, WriteResult, send_to_environment, send_to_root};
use causeway::ids::{ApiTokenId, EnvironmentId};
use causeway::ports::{Body, System};
use causeway::settings::UNSIGNED_MISSES;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::client::{Answer, Client, Setting};
use crate::integrations::file;
use crate::outside::World;
use crate::routes::{ANYBODY, ROWS};

/// A genuine token of each kind, and what their forgeries name.
struct Scene {
    world: World,
    setting: Setting,
    /// Kind, token of this environment or account, token of another.
    tokens: Vec<(&'static str, String, String)>,
    account: String,
}

fn scene() -> Scene {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let account = setting.account("oauth2", &json!({}));
    let other = setting.account("oauth2", &json!({}));
    let elsewhere = setting.admin.environment("elsewhere");
    let account_token = |id: &str| {
        let body = json!({ "integrated_account_id": id });
        let made = setting.client.post("/integrated-account/token", &body);
        text(&made.expect(201), "integrated_account_token")
    };
    let link = |environment: &str| {
        let body = json!({ "environment_id": environment, "tenant_id": "acme" });
        text(
            &setting.admin.post("/link-token", &body).expect(201),
            "link_token",
        )
    };
    let tokens = vec![
        (
            "ct_",
            setting.client.token.clone(),
            setting.admin.token_of(&elsewhere, None).token,
        ),
        ("at_", account_token(&account), account_token(&other)),
        ("lt_", link(&setting.environment), link(&elsewhere)),
    ];
    Scene {
        world,
        setting,
        tokens,
        account,
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap().to_owned()
}

/// The same text with another character at `at`.
fn changed(token: &str, at: usize) -> String {
    let mut bytes = token.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'a' { b'b' } else { b'a' };
    String::from_utf8(bytes).unwrap()
}

/// What an attacker could make of a token they have seen, or of nothing but an id.
fn forgeries(prefix: &str, own: &str, other: &str) -> Vec<String> {
    let behind = |token: &str| token.rfind('_').map_or(0, |_| prefix.len() + 33);
    let (id, rest) = (&own[..behind(own)], &own[behind(own)..]);
    let mut forged = vec![
        format!("{id}{}", "A".repeat(rest.len())),
        format!("{id}{}", &other[behind(other)..]),
        format!("{}{rest}", &other[..behind(other)]),
        format!(
            "{id}{}",
            &rest[..43.min(rest.len())].replace(&rest[..1], "-")
        ),
        format!("{id}{rest}A"),
        format!("{id}{rest}{rest}"),
        id.to_owned(),
    ];
    forged.extend([1, 2, 16, 21, 22, 32].map(|cut| own[..own.len() - cut].to_owned()));
    let places = [
        prefix.len() + 13,
        behind(own),
        behind(own) + 20,
        own.len() - 9,
        own.len() - 2,
    ];
    forged.extend(places.map(|at| changed(own, at)));
    for prefix_of_another in ["ct_", "at_", "lt_", "xt_", ""] {
        if prefix_of_another != prefix {
            forged.push(format!("{prefix_of_another}{}", &own[prefix.len()..]));
        }
    }
    forged
}

#[test]
fn a_forged_token_is_refused_at_every_route_before_anything_is_read() {
    let scene = scene();
    let routes: Vec<_> = ROWS.iter().filter(|(_, _, who)| *who != ANYBODY).collect();
    assert!(routes.len() > 40);
    each_case(&scene.tokens, |(prefix, own, other)| {
        each_case(forgeries(prefix, own, other), |forged| {
            let client = scene.setting.admin.with_token(&forged);
            let before = scene.world.touches();
            each_case(&routes, |(method, path, _)| {
                let answer = client.request(method, path, &[], Body::from_bytes("{}"));
                assert_eq!(answer.status, 401, "{method} {path} with {forged}");
            });
            assert_eq!(scene.world.touches(), before, "{forged} made us read");
        });
    });
}

#[test]
fn a_forged_link_is_refused_on_every_page_before_anything_is_read() {
    let scene = scene();
    let stranger = scene.setting.admin.with_token("");
    each_case(&scene.tokens, |(prefix, own, other)| {
        let mut forged = forgeries(prefix, own, other);
        if *prefix != "lt_" {
            forged.push(own.clone());
        }
        each_case(forged, |token| {
            let before = scene.world.touches();
            let form = format!("link_token={token}&credential=oauth2");
            let answers = [
                stranger.get(&format!("/connect?link_token={token}")),
                stranger.get(&format!("/connect/acme?link_token={token}")),
                stranger.request("POST", "/connect/acme", &[], Body::from_bytes(form)),
            ];
            assert!(answers.iter().all(|answer| answer.status == 401), "{token}");
            assert_eq!(scene.world.touches(), before, "{token} made us read");
        });
    });
}

#[test]
fn a_made_up_state_is_refused_before_anything_is_read() {
    let scene = scene();
    let stranger = scene.setting.admin.with_token("");
    let account = scene.account.replace('-', "");
    each_case(["A".repeat(43), "A".repeat(64)], |random| {
        let state = format!("{account}.{random}");
        let hash = sha256_hex(state.as_bytes());
        let cookie = format!("__Host-causeway-{}=made-up", &hash[..8]);
        let before = scene.world.touches();
        let path = format!("/connect/acme/callback?code=c&state={state}");
        let answer = stranger.request("GET", &path, &[("cookie", &cookie)], Body::Empty);
        assert_eq!(answer.status, 401);
        assert_eq!(scene.world.touches(), before, "{state} made us read");
    });
}

fn post(client: &Client, path: &str) -> Answer {
    client.request("POST", path, &[], Body::from_bytes("{}"))
}

#[test]
fn a_webhook_url_cannot_be_made_of_an_id() {
    let scene = scene();
    let stranger = scene.setting.admin.with_token("");
    let account = format!("/integrated-account/{}", scene.account);
    let install = format!("/environment-integration/{}", scene.setting.install);
    let shown: Vec<Value> = [account, install]
        .iter()
        .map(|path| scene.setting.client.get(path).expect(200))
        .collect();
    each_case(
        shown.iter().zip([
            "integrated-account-webhook",
            "environment-integration-webhook",
        ]),
        |(record, noun)| {
            let url = record["webhook_url"].as_str().expect("its webhook_url");
            let start = format!("https://causeway.example/{noun}/");
            let last = url.strip_prefix(&start).unwrap();
            let id = record["id"].as_str().unwrap();
            let signature = last.strip_prefix(id).unwrap();
            assert!(signature.len() > 16, "{url}");
            let other = shown
                .iter()
                .find(|other| other["id"] != record["id"])
                .unwrap();
            let mut forged = vec![
                id.to_owned(),
                format!("{id}_"),
                format!("{id}_{}", "0".repeat(32)),
                format!("{}{signature}", other["id"].as_str().unwrap()),
                format!("{last}0"),
                last.to_uppercase(),
            ];
            forged.extend(
                (1..33)
                    .step_by(5)
                    .map(|cut| last[..last.len() - cut].to_owned()),
            );
            forged.extend([3, last.len() - 1, last.len() - 20].map(|at| changed(last, at)));
            each_case(forged, |made_up| {
                let before = scene.world.touches();
                each_case(["POST", "GET"], |method| {
                    let path = format!("{start}{made_up}");
                    let answer = stranger.request(method, &path, &[], Body::from_bytes("{}"));
                    assert_eq!(answer.status, 404, "{method} {path}");
                });
                assert_eq!(scene.world.touches(), before, "{made_up} made us read");
            });
            assert_eq!(
                post(&stranger, &format!("/{noun}/{last}")).status,
                401,
                "this one is ours"
            );
        },
    );
}

/// Requests that prove nothing, each of another kind.
fn guesses(scene: &Scene) -> Vec<(&'static str, String, Option<String>)> {
    let account = scene.account.replace('-', "");
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    let forged = |start: &str| format!("{start}{account}_{}", "A".repeat(64));
    vec![
        (
            "GET",
            "/environment".to_owned(),
            bearer("a guess of the admin token"),
        ),
        ("GET", "/environment".to_owned(), bearer(&forged("ct_"))),
        ("GET", "/custom/x".to_owned(), bearer(&forged("at_"))),
        (
            "GET",
            format!("/connect?link_token={}", forged("lt_")),
            None,
        ),
        (
            "GET",
            format!("/connect/shop?link_token={}", forged("lt_")),
            None,
        ),
        (
            "POST",
            format!("/connect/shop?link_token={}", forged("lt_")),
            None,
        ),
        (
            "GET",
            format!(
                "/connect/shop/callback?code=c&state={}",
                forged("").replace('_', ".")
            ),
            None,
        ),
        (
            "POST",
            format!(
                "https://causeway.example/integrated-account-webhook/{}",
                scene.account
            ),
            None,
        ),
        (
            "POST",
            format!(
                "https://causeway.example/environment-integration-webhook/{}",
                scene.setting.install
            ),
            None,
        ),
    ]
}

fn guess(scene: &Scene, guess: &(&str, String, Option<String>), address: Option<&str>) -> Answer {
    let (method, path, authorization) = guess;
    let mut headers: Vec<(&str, &str)> = Vec::new();
    headers.extend(address.map(|address| ("cf-connecting-ip", address)));
    headers.extend(authorization.as_deref().map(|text| ("authorization", text)));
    let stranger = scene.setting.admin.with_token("");
    stranger.request(method, path, &headers, Body::Empty)
}

#[test]
fn whatever_proves_nothing_is_limited_by_its_address_before_anything_is_read() {
    let scene = scene();
    scene.world.0.failed_auth.set(Some(3));
    each_case(guesses(&scene).iter().enumerate(), |(number, kind)| {
        let address = format!("203.0.113.{number}");
        let before = scene.world.touches();
        for _ in 0..3 {
            let status = guess(&scene, kind, Some(&address)).status;
            assert!(matches!(status, 401 | 404), "{kind:?}: {status}");
        }
        each_case([kind, &guesses(&scene)[0]], |other| {
            let limited = guess(&scene, other, Some(&address));
            assert_eq!(limited.status, 429, "{kind:?}");
            assert_eq!(limited.header("retry-after"), Some("60"));
        });
        assert_eq!(scene.world.touches(), before);
        for _ in 0..10 {
            let status = guess(&scene, kind, None).status;
            assert_ne!(status, 429, "the platform says no address");
        }
    });
}

#[test]
fn a_limited_address_cannot_even_guess_right_and_others_are_not_kept_out() {
    let scene = scene();
    scene.world.0.failed_auth.set(Some(2));
    let (kinds, attacker) = (guesses(&scene), "2001:db8:1:2::1");
    let admin = format!("Bearer {}", scene.setting.admin.token);
    let own = format!("Bearer {}", scene.setting.client.token);
    let ask = |token: &str, address: &str| {
        let headers = [("cf-connecting-ip", address), ("authorization", token)];
        let stranger = scene.setting.admin.with_token("");
        let path = format!("/integration?environment_id={}", scene.setting.environment);
        stranger
            .request(
                "GET",
                path.split('?').next().unwrap(),
                &headers,
                Body::Empty,
            )
            .status
    };
    assert_eq!(ask(&admin, attacker), 200);
    for number in 0..3 {
        // Another address of the same network each time.
        guess(
            &scene,
            &kinds[0],
            Some(&format!("2001:db8:1:2:{number}::1")),
        );
    }
    assert_eq!(ask(&admin, attacker), 429);
    assert_eq!(ask(&own, attacker), 200, "a token of ours needs no guess");
    assert_eq!(ask(&admin, "2001:db8:1:3::1"), 200);
    assert_eq!(ask(&admin, "203.0.113.1"), 200);
    scene.world.pass(Duration::from_millis(59_999));
    assert_eq!(ask(&admin, attacker), 429);
    scene.world.pass(Duration::from_millis(1));
    assert_eq!(ask(&admin, attacker), 200);
}

#[test]
fn a_revoked_token_is_looked_up_once() {
    let scene = scene();
    let tokens = scene.setting.client.get("/api-token").expect(200);
    let path = format!("/api-token/{}", tokens["result"][0]["id"].as_str().unwrap());
    scene.setting.client.delete(&path).expect(200);
    scene.world.restart();
    assert_eq!(scene.setting.client.get("/integration").status, 401);
    let before = scene.world.touches();
    for _ in 0..10 {
        assert_eq!(scene.setting.client.get("/integration").status, 401);
    }
    assert_eq!(scene.world.touches(), before);
}

/// An id as it was made before tokens were signed.
fn old(id: &str) -> EnvironmentId {
    let hex = id.replace('-', "");
    format!("{}0{}", &hex[..13], &hex[14..]).parse().unwrap()
}

/// An environment of before, and a token of it.
fn before_signatures(world: &World) -> (EnvironmentId, String) {
    let id = old(&Client::admin(world).environment("for the form of its id"));
    let record = EnvironmentRecord {
        id,
        name: "of before".to_owned(),
        region: id.placement().region(),
        allowed_redirect_origins: Vec::new(),
        application: ApplicationNames::default(),
        created_at: world.now(),
        updated_at: world.now(),
    };
    let made: Result<EnvironmentRecord, _> =
        block_on(send_to_root(world, &RootMessage::CreateEnvironment(record)));
    assert_eq!(made.unwrap().id, id);
    let token = format!("ct_{}_{}A", id.to_hex(), "C".repeat(42));
    let record = TokenRecord {
        id: ApiTokenId::new(world.now(), [7; 10]),
        environment_id: id,
        name: "of before".to_owned(),
        scopes: TokenScope::ALL.to_vec(),
        expires_at: None,
        created_at: world.now(),
        hash: sha256_hex(token.as_bytes()),
    };
    let ask = EnvironmentMessage::CreateToken(record);
    let written: Result<WriteResult<TokenRecord>, _> =
        block_on(send_to_environment(world, id, &ask));
    assert!(written.unwrap().is_new);
    (id, token)
}

#[test]
fn a_token_of_before_works_on_and_makes_signed_ones() {
    let world = World::new();
    let (_, token) = before_signatures(&world);
    let client = Client::admin(&world).with_token(&token);
    client.get("/integrated-account").expect(200);
    let made = client
        .post("/api-token", &json!({ "name": "new" }))
        .expect(201);
    let new = client.with_token(made["token"].as_str().unwrap());
    new.get("/integrated-account").expect(200);
    let refusing = world.deployed_with(&[("UNSIGNED_TOKENS", "refuse")]);
    let before = refusing.touches();
    let client = Client::admin(&refusing);
    assert_eq!(
        client.with_token(&token).get("/integrated-account").status,
        401
    );
    assert_eq!(refusing.touches(), before);
    client
        .with_token(&new.token)
        .get("/integrated-account")
        .expect(200);
}

#[test]
fn webhook_urls_and_links_of_before_are_looked_up_so_often_and_no_more() {
    let paths = |id: &str| {
        let hex = old(id).to_string().replace('-', "");
        let random = format!("{}A", "C".repeat(42));
        [
            format!(
                "https://causeway.example/integrated-account-webhook/{}",
                old(id)
            ),
            format!(
                "https://causeway.example/environment-integration-webhook/{}",
                old(id)
            ),
            format!("/connect?link_token=lt_{hex}_{random}"),
        ]
    };
    for at in 0..3 {
        let scene = scene();
        let path = paths(&scene.account)[at].clone();
        let stranger = scene.setting.admin.with_token("");
        let method = if path.starts_with('/') { "GET" } else { "POST" };
        let ask = |stranger: &Client| stranger.request(method, &path, &[], Body::Empty).status;
        let before = scene.world.touches();
        for _ in 0..UNSIGNED_MISSES {
            assert!(matches!(ask(&stranger), 401 | 404), "{path}");
        }
        assert!(
            scene.world.touches() > before,
            "one of before might be ours"
        );
        let before = scene.world.touches();
        assert_eq!(ask(&stranger), 429, "{path}");
        assert_eq!(scene.world.touches(), before);
        let refusing = scene.world.deployed_with(&[("UNSIGNED_TOKENS", "refuse")]);
        let stranger = Client::admin(&refusing).with_token("");
        assert!(matches!(ask(&stranger), 401 | 404), "{path}");
        assert_eq!(refusing.touches(), 0);
    }
}

#[test]
fn made_up_tokens_of_before_are_looked_up_so_often_and_no_more() {
    let world = World::new();
    let (id, token) = before_signatures(&world);
    let signed = Client::admin(&world).token_of(&id.to_string(), None);
    let made_up = |number: usize| format!("ct_{}_{number:0>42}A", id.to_hex());
    let ask = |token: &str| signed.with_token(token).get("/integrated-account").status;
    for number in 0..UNSIGNED_MISSES {
        assert_eq!(ask(&made_up(number)), 401);
    }
    let before = world.touches();
    for number in 200..210 {
        assert_eq!(ask(&made_up(number)), 429);
    }
    assert_eq!(world.touches(), before);
    assert_eq!(ask(&token), 429, "it looks like them");
    assert_eq!(ask(&signed.token), 200);
    world.pass(Duration::from_mins(1));
    assert_eq!(ask(&token), 200);
}
