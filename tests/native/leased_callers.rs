//! Who and what a lease counts for: account tokens, the install's switch, and fields that only the gateway may set.

use std::time::Duration;

use causeway::ports::Body;

use crate::account::JSON;
use crate::cases::each_case;
use crate::leased_calls::{get, leased, object_calls, scene, scene_with, switch};
use crate::outside::reply;
use crate::refresh::token;

#[test]
fn an_account_token_is_leased_after_its_first_call_and_for_its_quarter_of_an_hour() {
    let scene = leased();
    let customer = scene.setting.customer(&scene.account);
    let own = || assert_eq!(customer.get("/proxy/items/1").status, 200);
    scene.world.pass(Duration::from_secs(5));
    assert_eq!(object_calls(&scene, own), 1);
    assert_eq!(object_calls(&scene, own), 0);
    for _ in 0..29 {
        scene.world.pass(Duration::from_secs(30));
        get(&scene);
        assert_eq!(object_calls(&scene, own), 0);
    }
    scene.world.pass(Duration::from_secs(24));
    assert_eq!(object_calls(&scene, own), 0);
    scene.world.pass(Duration::from_secs(1));
    assert_eq!(customer.get("/proxy/items/1").status, 401);
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
}

#[test]
fn an_account_token_of_another_account_is_refused_with_a_lease() {
    let scene = leased();
    let other = scene.setting.account("oauth2", &token("b", "r", 3600));
    let customer = scene.setting.customer(&other);
    let path = scene.path("/proxy/items/1");
    each_case(0..3, |_| {
        assert_eq!(customer.get(&path).status, 404);
        scene.world.pass(Duration::from_secs(6));
    });
}

#[test]
fn a_change_of_the_install_counts_when_the_cached_record_expires() {
    let scene = scene();
    scene.world.pass(Duration::from_secs(20));
    get(&scene);
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
    scene.world.elsewhere(|| switch(&scene, false));
    scene.world.pass(Duration::from_secs(9));
    assert_eq!(object_calls(&scene, || get(&scene)), 0);
    scene.world.pass(Duration::from_secs(1));
    assert_eq!(object_calls(&scene, || get(&scene)), 1);
}

#[test]
fn what_a_provider_says_in_the_gateways_name_is_dropped() {
    each_case([false, true], |edge_calls| {
        let scene = scene_with(&[], edge_calls);
        scene.world.provides(|_| {
            let headers = [
                JSON[0],
                ("x-causeway-lease", "1"),
                ("x-causeway-hand-over", "e30"),
            ];
            reply(200, &headers, Body::from_bytes("{}"))
        });
        scene.world.object_messages_are_counted();
        for _ in 0..2 {
            let answer = scene.get("/proxy/items/1");
            assert!(answer.header("x-causeway-lease").is_none(), "{answer:?}");
            assert!(
                answer.header("x-causeway-hand-over").is_none(),
                "{answer:?}"
            );
        }
        assert_eq!(scene.world.object_messages(), usize::from(edge_calls));
    });
}

#[test]
fn a_caller_cannot_speak_for_the_front_worker() {
    let scene = leased();
    let forged = [
        ("x-causeway-lease", "1"),
        ("x-causeway-ask", "1"),
        ("x-forward-x-causeway-ask", "1"),
    ];
    scene.world.sent();
    assert_eq!(
        scene
            .call("GET", "/proxy/items/1", &forged, Body::Empty)
            .status,
        200
    );
    let sent = scene.world.sent();
    assert!(
        forged
            .iter()
            .all(|(name, _)| sent[0].header(name).is_none())
    );
    assert!(sent[0].header("x-causeway-ask").is_none());
}

#[test]
fn an_error_of_the_provider_is_reported_as_the_object_reports_it() {
    each_case([false, true], |edge_calls| {
        let scene = scene_with(&[], edge_calls);
        get(&scene);
        scene.world.0.logs.borrow_mut().clear();
        let text = format!(r#"{{ "message": "{}" }}"#, "x".repeat(300_000));
        scene.world.answers(500, &JSON, &text);
        let answer = scene.call(
            "GET",
            "/proxy/items/1",
            &[("x-max-retries", "0")],
            Body::Empty,
        );
        assert_eq!((answer.status, answer.body.len() > 300_000), (500, true));
        let logs = scene.world.0.logs.borrow();
        let events: Vec<_> = logs.iter().map(|line| line["event"].as_str()).collect();
        assert_eq!(events, [Some("call")]);
    });
}
