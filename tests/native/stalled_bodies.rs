//! Every route that reads a body, from every sender: a body that stalls ends within its deadline and holds no memory then.

use std::time::Duration;

use causeway::ports::System;
use serde_json::json;

use crate::cases::each_case;
use crate::client::Setting;
use crate::integrations::file;
use crate::outside::{World, stalled, within};
use crate::routes::ROWS;

#[test]
fn a_body_that_stalls_ends_on_every_route_with_and_without_a_token() {
    let world = World::new();
    let setting = Setting::new(&world, &file());
    let token = json!({ "oauth": { "token": { "access_token": "t" } } });
    let account = setting.account("oauth2", &token);
    let issued = json!({ "integrated_account_id": account });
    let issued = setting
        .client
        .post("/integrated-account/token", &issued)
        .expect(201);
    let own = setting
        .client
        .with_token(issued["integrated_account_token"].as_str().unwrap());
    let forged = format!("{}x", &own.token[..own.token.len() - 1]);
    let callers = [
        ("without a token", setting.client.with_token("")),
        ("a forged account token", setting.client.with_token(&forged)),
        ("an account token", own),
        ("an API token", setting.client.clone()),
        ("the admin token", setting.admin.clone()),
    ];
    let rows = ROWS
        .iter()
        .filter(|(method, ..)| *method != "GET")
        .map(|(method, path, _)| (*method, (*path).to_owned()));
    let more = [
        ("POST", "/proxy/contacts?integrated_account_id=x".to_owned()),
        (
            "POST",
            "/proxy/contacts/list?integrated_account_id=x".to_owned(),
        ),
        ("PUT", "/custom/y?integrated_account_id=x".to_owned()),
    ];
    each_case(rows.chain(more), |(method, path)| {
        let path = path
            .replace(
                "integrated_account_id=x",
                &format!("integrated_account_id={account}"),
            )
            .replace(
                "/integrated-account-webhook/x",
                &format!("/integrated-account-webhook/{account}"),
            )
            .replace(
                "/environment-integration-webhook/x",
                &format!("/environment-integration-webhook/{}", setting.install),
            )
            .replace(
                "/integrated-account/x",
                &format!("/integrated-account/{account}"),
            );
        each_case(&callers, |(who, caller)| {
            each_case([Some(60_000), Some(200_000), None], |length| {
                let began = world.now();
                let asked = caller.request_async(method, &path, &[], stalled(1_000, length));
                let answer = within(&world, Duration::from_mins(3), asked);
                let answer = answer.unwrap_or_else(|| {
                    panic!("{who}: {method} {path} is open after three minutes")
                });
                let took = world.now().since(began).as_secs();
                assert!(
                    answer.status >= 400 || took == 0,
                    "{who}: {method} {path}: {}",
                    answer.status
                );
                let most = if who.contains("API") || who.contains("admin") {
                    36
                } else {
                    31
                };
                assert!(
                    took <= most,
                    "{who}: {method} {path}: {took} s, {}",
                    answer.status
                );
                let (room, total) = (
                    world.isolate().room(),
                    causeway::settings::BUFFERED_TOTAL_BYTES,
                );
                assert!(
                    room.take(total).is_ok(),
                    "{who}: {method} {path} still holds room"
                );
                let unproved = world.isolate().memory.unproved_room();
                let total = causeway::settings::UNPROVED_BYTES;
                assert!(
                    unproved.take(total).is_ok(),
                    "{who}: {method} {path} still holds room"
                );
            });
        });
    });
}
