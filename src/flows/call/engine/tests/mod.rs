//! Each test gives the engine a list of inputs, and checks the step after each.

pub(in crate::flows) mod records;
pub(in crate::flows) mod scene;

use std::time::Duration;

use http::Method;

use crate::error::{Code, Failure};
use crate::flows::account::renewal::Renewed;
use crate::flows::call::engine::protocol::Input;
use crate::flows::call::engine::protocol::Streamed;
use crate::flows::call::engine::tests::scene::{Scene, answer, connected, loaded, read, with};
use crate::ports::{Body, SendError};

const URL: &str = "https://api.lock.example/keys/1";

/// The steps until the request is sent.
fn begun() -> Vec<(Input, String)> {
    vec![
        (Input::Begin, "reserve after 0 ms".to_owned()),
        (Input::Reserved(Ok(())), "connect".to_owned()),
        (connected("old"), format!("send GET {URL} as old")),
    ]
}

#[test]
fn a_good_answer_is_passed_on_unread() {
    let scene = Scene::new();
    let mut story = begun();
    story.push(with(
        answer(200, &[], Body::Stream(Streamed)),
        "respond 200 as it came",
    ));
    scene.get("get").plays(story);
    assert_eq!(scene.notes(), ["credential accepted"]);
}

#[test]
fn a_limited_read_is_sent_again_when_the_provider_says() {
    let scene = Scene::new();
    let mut story = begun();
    let limited = [("retry-after", "2")];
    story.extend([
        with(
            answer(429, &limited, Body::Stream(Streamed)),
            "reserve after 2000 ms",
        ),
        with(Input::Reserved(Ok(())), "connect"),
        with(connected("old"), &format!("send GET {URL} as old")),
        with(answer(200, &[], Body::Empty), "respond 200 empty"),
    ]);
    scene.get("get").plays(story);
    assert_eq!(scene.notes(), ["pause 2000 ms", "credential accepted"]);
}

#[test]
fn where_a_retry_has_no_time_the_answer_before_counts() {
    let scene = Scene::new();
    let mut story = begun();
    let limited = [("retry-after", "2")];
    let refused = || Failure::new(Code::TooManyRequests, "Too late.");
    story.extend([
        with(
            answer(429, &limited, Body::Stream(Streamed)),
            "reserve after 2000 ms",
        ),
        with(Input::Reserved(Err(refused())), "read body"),
        with(
            read(&scene, "slow down"),
            "fail 429 provider.rate_limited: slow down",
        ),
    ]);
    scene.get("get").plays(story);
}

#[test]
fn a_refused_reservation_is_the_answer() {
    let scene = Scene::new();
    let refused = Failure::new(Code::TooManyRequests, "Too many.");
    scene.get("get").plays(vec![
        with(Input::Begin, "reserve after 0 ms"),
        with(
            Input::Reserved(Err(refused)),
            "fail 429 caller.rate_limited",
        ),
    ]);
}

#[test]
fn an_account_that_may_not_be_called_any_more_is_not() {
    let scene = Scene::new();
    let gone = Failure::not_found("integrated account");
    scene.get("get").plays(vec![
        with(Input::Begin, "reserve after 0 ms"),
        with(Input::Reserved(Ok(())), "connect"),
        with(Input::Connected(Err(gone)), "fail 404 caller.not_found"),
    ]);
}

#[test]
fn what_was_read_before_a_wait_is_not_used_after_it() {
    let scene = Scene::new();
    scene.get("get").plays(vec![
        with(Input::Begin, "reserve after 0 ms"),
        with(Input::Reserved(Ok(())), "connect"),
        with(connected("new"), &format!("send GET {URL} as new")),
    ]);
}

#[test]
fn a_redirect_to_another_origin_gets_no_credential() {
    let scene = Scene::new();
    let mut story = begun();
    let here = [("location", "/keys/one")];
    let there = [("location", "https://files.example/1")];
    story.extend([
        with(
            answer(302, &here, Body::Stream(Streamed)),
            "send GET https://api.lock.example/keys/one as old",
        ),
        with(
            answer(302, &there, Body::Stream(Streamed)),
            "send GET https://files.example/1 without a credential",
        ),
        // A refusal by another host proves nothing about the credential.
        with(answer(401, &[], Body::Stream(Streamed)), "read body"),
        with(read(&scene, "no"), "fail 401 provider.rejected: no"),
    ]);
    scene.get("get").plays(story);
    assert_eq!(scene.notes(), ["redirect", "redirect"]);
}

#[test]
fn a_refused_credential_is_renewed_once() {
    let scene = Scene::new();
    let mut story = begun();
    let fresh = Input::Renewed(Ok(Renewed::Fresh(loaded("new"))));
    story.extend([
        with(
            answer(401, &[], Body::Stream(Streamed)),
            "renew for ThisCall",
        ),
        with(fresh, "reserve after 0 ms"),
        with(Input::Reserved(Ok(())), "connect"),
        with(connected("new"), &format!("send GET {URL} as new")),
        with(answer(200, &[], Body::Empty), "respond 200 empty"),
    ]);
    scene.get("get").plays(story);
    assert_eq!(scene.notes(), ["credential accepted", "renewal helped"]);
}

#[test]
fn a_second_refusal_is_confirmed_before_the_account_is_switched_off() {
    for (is_final, expected) in [
        (true, "fail 401 account.needs_reauth: no"),
        (false, "fail 401 provider.rejected: no"),
    ] {
        let scene = Scene::new();
        let mut story = begun();
        let fresh = Input::Renewed(Ok(Renewed::Fresh(loaded("new"))));
        story.extend([
            with(
                answer(401, &[], Body::Stream(Streamed)),
                "renew for ThisCall",
            ),
            with(fresh, "reserve after 0 ms"),
            with(Input::Reserved(Ok(())), "connect"),
            with(connected("new"), &format!("send GET {URL} as new")),
            with(answer(401, &[], Body::Stream(Streamed)), "read body"),
            with(read(&scene, "no"), "confirm refusal"),
            with(Input::RefusalConfirmed(Ok(is_final)), expected),
        ]);
        scene.get("get").plays(story);
    }
}

#[test]
fn a_streamed_body_is_not_sent_again() {
    let scene = Scene::new();
    let url = "https://api.lock.example/keys";
    scene
        .call("create", Method::POST, Body::Stream(Streamed))
        .plays(vec![
            with(Input::Begin, "reserve after 0 ms"),
            with(Input::Reserved(Ok(())), "connect"),
            with(
                connected("old"),
                &format!("send POST {url} as old, streamed"),
            ),
            with(
                answer(401, &[], Body::Stream(Streamed)),
                "renew for NextCall",
            ),
            with(Input::Renewed(Ok(Renewed::NotNow)), "read body"),
            with(read(&scene, "no"), "fail 401 provider.rejected: no"),
        ]);
}

#[test]
fn a_provider_that_cannot_be_reached_is_asked_again_as_often_as_a_read_may() {
    let scene = Scene::new();
    let mut story = begun();
    let unreachable = || Input::Answered(Err(SendError::Unreachable));
    for wait in [500, 1_000] {
        story.extend([
            with(unreachable(), &format!("reserve after {wait} ms")),
            with(Input::Reserved(Ok(())), "connect"),
            with(connected("old"), &format!("send GET {URL} as old")),
        ]);
    }
    story.push(with(unreachable(), "fail 502 provider.unreachable"));
    scene.get("get").plays(story);
}

#[test]
fn a_write_that_may_have_arrived_is_not_sent_again() {
    let scene = Scene::new();
    let url = "https://api.lock.example/keys";
    scene
        .call("create", Method::POST, Body::from_bytes("{}"))
        .plays(vec![
            with(Input::Begin, "reserve after 0 ms"),
            with(Input::Reserved(Ok(())), "connect"),
            with(connected("old"), &format!("send POST {url} as old, {{}}")),
            with(
                Input::Answered(Err(SendError::Timeout)),
                "fail 504 provider.timeout",
            ),
        ]);
}

#[test]
fn at_the_deadline_nothing_is_sent() {
    let scene = Scene::new();
    let late = scene.get("get");
    scene.pass(Duration::from_secs(30));
    late.plays(vec![
        with(Input::Begin, "reserve after 0 ms"),
        with(Input::Reserved(Ok(())), "connect"),
        with(connected("old"), "fail 504 provider.timeout"),
    ]);
}

#[test]
fn what_is_cut_is_read_and_a_body_that_is_too_large_is_a_failure() {
    let scene = Scene::new();
    let mut story = begun();
    story.extend([
        with(answer(200, &[], Body::Stream(Streamed)), "read body"),
        with(
            read(&scene, r#"{"key":{"id":1}}"#),
            r#"respond 200 {"id":1}"#,
        ),
    ]);
    scene.get("inner").plays(story);
    let mut story = begun();
    let too_large = Failure::new(Code::AnswerTooLarge, "Too large.");
    story.extend([
        with(answer(200, &[], Body::Stream(Streamed)), "read body"),
        with(
            Input::BodyRead(Err(too_large)),
            "fail 502 provider.answer_too_large",
        ),
    ]);
    scene.get("inner").plays(story);
}

#[test]
fn a_write_that_a_redirect_has_confirmed_is_not_made_again() {
    let scene = Scene::new();
    let url = "https://api.lock.example/keys";
    let page = [("location", "/keys/1")];
    scene
        .call("create", Method::POST, Body::from_bytes("{}"))
        .plays(vec![
            with(Input::Begin, "reserve after 0 ms"),
            with(Input::Reserved(Ok(())), "connect"),
            with(connected("old"), &format!("send POST {url} as old, {{}}")),
            with(
                answer(303, &page, Body::Empty),
                &format!("send GET {URL} as old"),
            ),
            with(
                answer(401, &[], Body::Stream(Streamed)),
                "renew for NextCall",
            ),
            with(Input::Renewed(Ok(Renewed::NotNow)), "read body"),
            with(read(&scene, "no"), "fail 303 provider.rejected: no"),
        ]);
}

#[test]
fn pages_lead_on_until_the_last() {
    let scene = Scene::new();
    for (body, expected) in [
        (
            r#"[{"id":1},{"id":2}]"#,
            "respond a page of 2, and one behind it",
        ),
        (r#"[{"id":1}]"#, "respond a page of 1, the last"),
    ] {
        scene.get("list").plays(vec![
            with(Input::Begin, "reserve after 0 ms"),
            with(Input::Reserved(Ok(())), "connect"),
            with(
                connected("old"),
                "send GET https://api.lock.example/keys?page=1&size=2 as old",
            ),
            with(answer(200, &[], Body::Stream(Streamed)), "read body"),
            with(read(&scene, body), expected),
        ]);
    }
}

#[test]
fn a_driver_that_is_out_of_step_ends_the_call() {
    let scene = Scene::new();
    let mut story = begun();
    story.push(with(Input::Reserved(Ok(())), "fail 500 internal.error"));
    scene.get("get").plays(story);
}
