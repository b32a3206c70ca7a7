//! A run that outlives the access token.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, System};
use serde_json::json;

use super::consumer::Consumer;
use super::provider::{Shop, Sync, file, items, with};
use crate::account::{JSON, Scene};
use crate::outside::{World, reply};

/// A token lives for this long.
const LIFE: i64 = 40;

/// Pages take ten seconds each, and a token forty: it ends in the middle of the run, and is renewed in time.
#[test]
fn an_access_token_that_ends_in_the_middle_of_a_run_is_renewed() {
    let mut file = file(&with(&json!({})));
    file["config"]["credentials"] = json!({ "oauth2": { "format": "oauth2", "config": {
        "client": { "id": "our-id", "secret": "our-secret" },
        "auth": { "tokenHost": "https://api.synced.example", "authorizePath": "/authorize", "tokenPath": "/token" },
    } } });
    file["config"]["authorization"] = json!({ "format": "bearer" });
    let world = World::new();
    let shop = Rc::new(RefCell::new(Shop {
        items: items(30),
        ..Shop::default()
    }));
    // The number of the token, and when it ends.
    let token = Rc::new(RefCell::new((0, world.now().as_millis() / 1_000 + LIFE)));
    let (own, of, clock) = (Rc::clone(&shop), Rc::clone(&token), world.clone());
    world.provides(move |sent| {
        let now = clock.now().as_millis() / 1_000;
        let mut token = of.borrow_mut();
        if sent.url.ends_with("/token") {
            *token = (token.0 + 1, now + LIFE);
            let body = json!({ "access_token": format!("t{}", token.0), "refresh_token": "r", "expires_in": LIFE });
            return reply(200, &JSON, Body::from_bytes(body.to_string()));
        }
        let is_good = sent.header("authorization") == Some(format!("Bearer t{}", token.0).as_str());
        assert!(is_good && now <= token.1, "the token of {} at {now}", token.1);
        own.borrow_mut().answer(sent)
    });
    world.answers_late(|_| Duration::from_secs(10));
    let context = json!({ "oauth": { "token": {
        "access_token": "t0", "refresh_token": "r", "expires_in": LIFE, "expires_at": token.borrow().1 } } });
    let scene = Scene::new(world, &file, "oauth2", &context);
    let sync = Sync { scene, shop };
    for _ in 0..20 {
        sync.work();
        sync.world().pass(Duration::from_secs(5));
    }
    assert_eq!(sync.last("completed"), [30, 0, 0, 0]);
    let mut consumer = Consumer::new();
    consumer.read(&sync);
    consumer.has_all(&sync);
    assert!(token.borrow().0 > 1, "{} tokens", token.borrow().0);
    assert_eq!(sync.scene.status(), "active");
}
