//! Streams of all pages, and what they share with other calls: the isolate's memory budget, and a token that may expire before they end.

use std::time::Duration;

use causeway::ports::ByteStream;
use futures::executor::block_on;
use serde_json::{Value, json};

use super::list_provider::ListProvider;
use super::{lines, open_stream};
use crate::client::id_of;
use crate::outside::{Pieces, collect};

/// A page of one large record, with more behind it.
fn large_page(provider: &ListProvider) {
    let body = json!({ "items": [{ "id": 0, "text": "x".repeat(7_900_000) }], "next": "a" });
    provider.world.answers(200, &[], &body.to_string());
}

async fn last_line(stream: &mut Pieces) -> Value {
    let last = stream.next().await.unwrap().unwrap();
    assert!(stream.next().await.is_none(), "it is the last line");
    serde_json::from_slice(&last).unwrap()
}

#[test]
fn readers_who_stop_hold_no_more_than_half_of_the_room() {
    let provider = ListProvider::open();
    block_on(async {
        let mut readers = Vec::new();
        for _ in 0..2 {
            large_page(&provider);
            let mut stream = open_stream(&provider, "/proxy/cursor", &[]).await;
            stream.next().await.unwrap().unwrap();
            readers.push(stream);
        }
        for _ in 0..2 {
            large_page(&provider);
            let refused = provider.reply("/proxy/cursor", &[]).await;
            assert_eq!(refused.status, 503);
            let body: Value = serde_json::from_slice(&collect(refused.body).await).unwrap();
            assert_eq!(body["code"], "internal.busy");
        }
        provider.world.pass(Duration::from_hours(24));
        large_page(&provider);
        let path = provider.path("/proxy/cursor");
        let client = &provider.setting.client;
        let call = client.request_async("GET", &path, &[], causeway::ports::Body::Empty);
        let call = Box::pin(provider.world.run(call)).await;
        assert_eq!(call.expect(200)["result_count"], 1, "calls go on");
        readers.pop();
        large_page(&provider);
        readers.push(open_stream(&provider, "/proxy/cursor", &[]).await);
        drop(readers);
        provider.assert_no_room_is_taken();
    });
}

#[test]
fn a_page_that_finds_no_room_ends_its_walk_which_can_be_resumed() {
    let provider = ListProvider::open();
    block_on(async {
        let first = json!({ "items": [{ "id": 7 }], "next": "b" });
        provider.world.answers(200, &[], &first.to_string());
        let mut stream = open_stream(&provider, "/proxy/cursor", &[]).await;
        stream.next().await.unwrap().unwrap();
        let mut readers = Vec::new();
        for _ in 0..2 {
            large_page(&provider);
            readers.push(open_stream(&provider, "/proxy/cursor", &[]).await);
        }
        large_page(&provider);
        let last = last_line(&mut stream).await;
        assert_eq!(
            (&last["error"]["code"], &last["error"]["statusCode"]),
            (&json!("internal.busy"), &json!(503))
        );
        drop(readers);
        provider.world.sent();
        let end = json!({ "items": [{ "id": 8 }] });
        provider.world.answers(200, &[], &end.to_string());
        let cursor = last["next_cursor"].as_str().unwrap();
        let path = format!("/proxy/cursor?next_cursor={cursor}");
        let rest = provider.reply(&path, &[("x-all-pages", "true")]).await;
        let rest = collect(rest.body).await;
        let rest = lines(std::str::from_utf8(&rest).unwrap());
        assert_eq!(rest, (vec![8], None));
        let url = provider.world.sent().remove(0).url;
        assert!(url.ends_with("/cursor?after=b"), "{url}");
    });
}

#[test]
fn a_walk_goes_on_as_long_as_its_token_is_good() {
    let provider = ListProvider::open();
    block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor?limit=100", &[]).await;
        let mut pieces = 0;
        while let Some(piece) = stream.next().await {
            let (ids, last) = lines(std::str::from_utf8(&piece.unwrap()).unwrap());
            assert_eq!((ids.len(), last), (100, None));
            pieces += 1;
            provider.world.pass(Duration::from_hours(24));
        }
        assert_eq!(pieces, 10);
    });
}

#[test]
fn a_walk_ends_with_its_token_and_another_token_goes_on() {
    let mut provider = ListProvider::open();
    let body = json!({ "environment_id": provider.setting.environment, "name": "walker" });
    let made = provider.admin().post("/api-token", &body).expect(201);
    let good = provider.setting.client.clone();
    provider.setting.client = good.with_token(made["token"].as_str().unwrap());
    let last = block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor?limit=100", &[]).await;
        stream.next().await.unwrap().unwrap();
        let environment = &provider.setting.environment;
        let path = format!("/api-token/{}?environment_id={environment}", id_of(&made));
        let revoked =
            provider
                .admin()
                .request_async("DELETE", &path, &[], causeway::ports::Body::Empty);
        let revoked = Box::pin(provider.world.run(revoked)).await;
        assert_eq!(revoked.status, 200);
        provider.world.pass(Duration::from_mins(2));
        last_line(&mut stream).await
    });
    assert_eq!(
        (&last["error"]["code"], &last["error"]["statusCode"]),
        (&json!("caller.unauthenticated"), &json!(401))
    );
    assert_eq!(
        provider.world.sent().len(),
        1,
        "the second was not asked for"
    );
    provider.setting.client = good;
    let rest = provider.all_pages("cursor", None, last["next_cursor"].as_str());
    let (ids, last) = lines(rest.text());
    assert_eq!((ids[0], ids.len(), last), (100, 900, None));
}

#[test]
fn a_walk_ends_with_the_minutes_of_an_account_token() {
    let mut provider = ListProvider::open();
    let token = provider.account_token();
    provider.setting.client = provider.setting.client.with_token(&token);
    block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor?limit=100", &[]).await;
        stream.next().await.unwrap().unwrap();
        provider.world.pass(Duration::from_mins(14));
        stream.next().await.unwrap().unwrap();
        provider.world.pass(Duration::from_mins(2));
        let last = last_line(&mut stream).await;
        assert_eq!(last["error"]["code"], "caller.unauthenticated");
    });
    assert_eq!(provider.world.sent().len(), 2);
}
