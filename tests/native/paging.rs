//! Lists over several pages: cursors in a caller's hands, and all pages as lines.

mod all_pages;
mod ends;
mod list_provider;
mod pages;

use std::time::Duration;

use causeway::ports::{Body, ByteStream, Reply, SendError, System};
use futures::executor::block_on;
use futures::poll;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::outside::{Pieces, reply};
use list_provider::{LARGEST, ListProvider, TOTAL};

/// The resources of the provider: one for each way to page.
const ALL: &[&str] = &[
    "cursor",
    "stripe",
    "links",
    "queries",
    "header",
    "folder",
    "form",
    "page",
    "numbers",
    "pages",
    "offset",
    "offset_total",
    "link_header",
    "range",
    "open_range",
    "dynamic",
    "days",
];

/// The whole list, page by page.
fn by_cursors(provider: &ListProvider, resource: &str, limit: Option<u64>) -> Vec<u64> {
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = provider
            .list(resource, limit, cursor.as_deref())
            .expect(200);
        let records = page["result"].as_array().unwrap();
        assert_eq!(page["result_count"], records.len());
        ids.extend(records.iter().map(|record| record["id"].as_u64().unwrap()));
        match &page["next_cursor"] {
            Value::Null => return ids,
            next => cursor = Some(next.as_str().unwrap().to_owned()),
        }
    }
}

/// The whole list as lines, and the last line if it is an error.
fn lines(text: &str) -> (Vec<u64>, Option<Value>) {
    let mut values: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = values.pop_if(|last| last.get("error").is_some());
    let ids = values.iter().map(|value| value["id"].as_u64().unwrap());
    (ids.collect(), last)
}

fn in_one_stream(provider: &ListProvider, resource: &str, limit: Option<u64>) -> Vec<u64> {
    let answer = provider.all_pages(resource, limit, None);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let (ids, last) = lines(answer.text());
    assert_eq!(last, None);
    ids
}

fn assert_all(ids: &[u64], what: &str, limit: Option<u64>) {
    assert!(
        ids.iter().copied().eq(0..TOTAL),
        "{what} {limit:?}: {} records, the first wrong one at {:?}",
        ids.len(),
        ids.iter().enumerate().find(|(at, id)| **id != *at as u64)
    );
}

#[test]
fn every_format_gives_each_of_a_thousand_records_once_page_by_page() {
    let provider = ListProvider::open();
    each_case(ALL, |resource| {
        each_case([Some(7), Some(LARGEST), Some(TOTAL), None], |limit| {
            assert_all(&by_cursors(&provider, resource, limit), resource, limit);
        });
    });
    each_case(["cursor", "days"], |resource| {
        assert_all(&by_cursors(&provider, resource, Some(1)), resource, Some(1));
    });
}

#[test]
fn every_format_gives_each_of_a_thousand_records_once_in_one_stream() {
    let provider = ListProvider::open();
    each_case(ALL, |resource| {
        each_case(
            [Some(1), Some(7), Some(LARGEST), Some(TOTAL), None],
            |limit| {
                assert_all(&in_one_stream(&provider, resource, limit), resource, limit);
            },
        );
    });
}

#[test]
fn a_limit_is_kept_within_what_the_provider_takes() {
    let provider = ListProvider::open();
    each_case(
        [("0", "5"), ("4", "5"), ("50", "50"), ("1000", "100")],
        |(limit, size)| {
            provider
                .get(&format!("/proxy/cursor?limit={limit}"))
                .expect(200);
            let url = provider.world.sent().remove(0).url;
            assert!(url.ends_with(&format!("/cursor?size={size}")), "{url}");
        },
    );
    each_case(
        ["limit=x", "limit=", "limit=-1", "limit=1&limit=1"],
        |query| {
            let answer = provider.get(&format!("/proxy/cursor?{query}"));
            assert_eq!(answer.code(400), "caller.malformed", "{query}");
        },
    );
    assert!(provider.world.sent().is_empty());
}

#[test]
fn later_pages_are_asked_for_as_the_file_says() {
    let provider = ListProvider::open();
    let requests = |resource: &str, query: &str, body: &str| -> Vec<String> {
        let first = provider.ask(resource, query, body, None).expect(200);
        let cursor = first["next_cursor"].as_str().unwrap().to_owned();
        provider
            .ask(resource, query, body, Some(&cursor))
            .expect(200);
        let sent = provider.world.sent();
        let reported = sent.iter().map(|sent| {
            let url = sent
                .url
                .strip_prefix("https://eu.lists.example/v1")
                .unwrap();
            format!(
                "{} {url} {}",
                sent.method,
                String::from_utf8_lossy(&sent.body)
            )
        });
        reported.collect()
    };
    assert_eq!(
        requests("folder", "limit=100", r#"{"path":"/a","n":1e400}"#),
        [
            r#"POST /folder {"path":"/a","n":1e400,"limit":100}"#,
            r#"POST /folder/continue {"cursor":"100"}"#,
        ],
        "another path, no body, no limit"
    );
    assert_eq!(
        requests(
            "header",
            "limit=50&tag=a&tag=b",
            r#"{"id":12345678901234567890123}"#
        ),
        [
            r#"POST /header {"id":12345678901234567890123,"tag":["a","b"],"page":{"size":50}}"#,
            r#"POST /header {"id":12345678901234567890123,"tag":["a","b"],"page":{"size":50,"after":"50"}}"#,
        ],
        "the query goes into the body, next to cursor and limit"
    );
    assert_eq!(
        requests("form", "limit=100", ""),
        [
            "POST /form kind=book&page%5Bsize%5D=100",
            "POST /form kind=book&page%5Bsize%5D=100&page%5Bafter%5D=100",
        ]
    );
    assert_eq!(
        requests("links", "limit=100&tag=a%2Cb", ""),
        [
            "GET /links?lang=en&tag=a%2Cb&size=100 ",
            "GET /links/more?from=100&size=100 "
        ],
        "a link is used as it is: the query is in it already"
    );
    assert_eq!(
        requests("queries", "limit=100&tag=a", ""),
        [
            "GET /queries?tag=a&size=100 ",
            "GET /queries/later?from=100&size=100 "
        ],
        "a link's query behind the path of the later pages"
    );
    assert_eq!(
        requests("cursor", "limit=100&tag=a&size=3", ""),
        [
            "GET /cursor?tag=a&size=100 ",
            "GET /cursor?tag=a&size=100&after=100 "
        ],
        "cursor and limit are ours to say"
    );
}

#[test]
fn a_cursor_is_opaque_and_fits_one_list_of_one_account() {
    let provider = ListProvider::open();
    let other = provider.another_account();
    let page = provider.list("cursor", Some(10), None).expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let is_url_safe = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    assert!(
        cursor.starts_with("k1.") && cursor.chars().all(is_url_safe),
        "{cursor}"
    );
    assert!(!cursor.contains("10"), "it shows nothing");
    provider.world.sent();
    let (head, last) = cursor.split_at(cursor.len() - 3);
    let mut foreign: Vec<(String, String)> = [
        "null".to_owned(),
        "k1.".to_owned(),
        "100".to_owned(),
        format!("{head}{}", last.chars().rev().collect::<String>()),
        cursor.replace("k1.", "k9."),
        cursor.to_uppercase(),
    ]
    .into_iter()
    .map(|cursor| ("cursor".to_owned(), cursor))
    .collect();
    foreign.push(("stripe".to_owned(), cursor.to_owned()));
    foreign.push(("plain".to_owned(), cursor.to_owned()));
    each_case(foreign, |(resource, cursor)| {
        let answer = provider.list(&resource, None, Some(&cursor));
        assert_eq!(answer.code(400), "caller.bad_cursor", "{resource} {cursor}");
        let answer = provider.all_pages(&resource, None, Some(&cursor));
        assert_eq!(answer.code(400), "caller.bad_cursor", "{resource} {cursor}");
    });
    let moved = provider.list_of(&other, "cursor", Some(cursor));
    assert_eq!(moved.code(400), "caller.bad_cursor", "of another account");
    let twice = format!("/proxy/cursor?next_cursor={cursor}&next_cursor={cursor}");
    assert_eq!(provider.get(&twice).code(400), "caller.malformed");
    assert!(
        provider.world.sent().is_empty(),
        "none of them was asked for"
    );
    assert!(
        !provider
            .world
            .0
            .logs
            .borrow()
            .iter()
            .any(|line| line["event"] == "sealing_key")
    );
    provider.list("cursor", None, Some(cursor)).expect(200);
}

#[test]
fn a_cursor_ends_with_its_key_or_with_the_pagination_it_was_made_for() {
    let provider = ListProvider::open();
    let page = provider.list("cursor", Some(10), None).expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    let old = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let new = "k2:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let both = provider.deployed_with(&format!("{new},{old}"));
    let next = both.list("cursor", None, Some(cursor)).expect(200);
    assert!(next["next_cursor"].as_str().unwrap().starts_with("k2."));
    both.admin()
        .send("POST", "/sealing/rotate", &json!({}))
        .expect(200);
    both.world.settle();
    let only = both.deployed_with(new);
    assert_eq!(
        only.list("cursor", None, Some(cursor)).code(400),
        "caller.bad_cursor"
    );
    let next = next["next_cursor"].as_str().unwrap();
    only.list("cursor", None, Some(next)).expect(200);
    only.publish(&json!({ "format": "offset", "config": { "offset_key": "from" } }));
    assert_eq!(
        only.list("cursor", None, Some(next)).code(400),
        "caller.bad_cursor"
    );
}

#[test]
fn the_page_before_is_a_cursor_too() {
    let provider = ListProvider::open();
    let first = provider.list("offset", Some(10), None).expect(200);
    assert_eq!(first["prev_cursor"], Value::Null);
    let cursor = |page: &Value, name: &str| page[name].as_str().unwrap().to_owned();
    let second = provider
        .list("offset", None, Some(&cursor(&first, "next_cursor")))
        .expect(200);
    assert_eq!(second["result"][0]["id"], 10);
    let back = provider
        .list("offset", None, Some(&cursor(&second, "prev_cursor")))
        .expect(200);
    assert_eq!(back["result"], first["result"]);
}

#[test]
fn a_record_is_a_line_as_the_provider_wrote_it() {
    let provider = ListProvider::open();
    let odd =
        "[ {\n  \"id\": 12345678901234567890123,\r\n  \"x\": 1e400, \"x\": \"\\ud800\"\n}, 7 ]";
    provider
        .world
        .answers(200, &[], &format!("{{\"items\":{odd}}}"));
    let answer = provider.all_pages("cursor", None, None);
    assert_eq!(
        answer.text(),
        "{   \"id\": 12345678901234567890123,    \"x\": 1e400, \"x\": \"\\ud800\" }\n7\n"
    );
    provider.world.answers(200, &[], "{\"items\":[]}");
    assert_eq!(provider.all_pages("cursor", None, None).text(), "");
}

#[test]
fn a_list_without_pages_is_one_page() {
    let provider = ListProvider::open();
    provider.world.answers(200, &[], r#"[{"id":1},{"id":2}]"#);
    let page = provider.list("plain", Some(1), None).expect(200);
    assert_eq!(
        (&page["result_count"], &page["next_cursor"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(
        provider.world.sent()[0].url,
        "https://eu.lists.example/v1/plain"
    );
    provider.world.answers(200, &[], r#"[{"id":1},{"id":2}]"#);
    assert_eq!(
        lines(provider.all_pages("plain", None, None).text()),
        (vec![1, 2], None)
    );
    provider.world.answers(200, &[], "one");
    let one = provider.call("GET", "/proxy/plain/1", &[("x-all-pages", "true")], "");
    assert_eq!(one.text(), "one", "only lists have pages");
    let odd = provider.call("GET", "/proxy/plain", &[("x-all-pages", "yes")], "");
    assert_eq!(odd.code(400), "caller.malformed");
}

#[test]
fn an_error_of_the_first_page_is_answered_as_ever() {
    let provider = ListProvider::open();
    provider.world.answers(403, &[], r#"{"no":true}"#);
    let answer = provider.all_pages("cursor", None, None);
    assert_eq!(answer.code(403), "provider.rejected");
    assert_eq!(
        provider.all_pages("nothing", None, None).code(404),
        "caller.not_found"
    );
}

#[test]
fn an_error_in_the_middle_says_where_to_resume() {
    let provider = ListProvider::open();
    each_case(ALL, |resource| {
        provider.fail_after(3, 503, "{\n\"why\": \"tired\"\n}");
        let answer = provider.all_pages(resource, Some(100), None);
        let (mut ids, last) = lines(answer.text());
        let last = last.unwrap();
        assert_eq!(ids.len(), 300, "{resource}");
        let error = &last["error"];
        assert_eq!(
            (
                &error["statusCode"],
                &error["code"],
                &error["is_remote_error"]
            ),
            (&json!(503), &json!("provider.failed"), &json!(true))
        );
        assert_eq!(error["raw_response"], json!({ "why": "tired" }));
        assert_eq!(error["request_id"], answer.header("x-request-id").unwrap());
        let cursor = last["next_cursor"].as_str().unwrap();
        let rest = provider.all_pages(resource, None, Some(cursor));
        let (rest, last) = lines(rest.text());
        assert_eq!(last, None);
        ids.extend(rest);
        assert_all(&ids, resource, Some(100));
    });
    provider.fail_after(1, 429, "slow");
    provider.world.sent();
    let (_, last) = lines(provider.all_pages("cursor", None, None).text());
    let last = last.unwrap();
    assert_eq!(last["error"]["retry_after"], 30);
    provider.world.pass(Duration::from_secs(31));
    let page = provider
        .list("cursor", None, last["next_cursor"].as_str())
        .expect(200);
    assert_eq!(page["result"][0]["id"], 100, "also page by page");
}

#[test]
fn a_provider_that_repeats_itself_is_found_out() {
    let provider = ListProvider::open();
    let page = |ids: [u64; 2], next: &str| {
        let records = ids.map(|id| json!({ "id": id }));
        let body = json!({ "items": records, "next": next }).to_string();
        provider.world.answers(200, &[], &body);
    };
    page([1, 2], "a");
    page([3, 4], "a");
    let (ids, last) = lines(provider.all_pages("cursor", None, None).text());
    let last = last.unwrap();
    assert_eq!(
        (ids, &last["error"]["code"]),
        (vec![1, 2, 3, 4], &json!("provider.unexpected_answer")),
        "the page whose way on is unusable gives its records first"
    );
    page([1, 2], "a");
    page([1, 2], "b");
    let (ids, last) = lines(provider.all_pages("cursor", None, None).text());
    let last = last.unwrap();
    assert_eq!(ids, [1, 2], "the repeated page is not given");
    let words = last["error"]["message"].as_str().unwrap();
    assert!(words.contains("again and again"), "{words}");
    page([1, 2], "a");
    let first = provider.list("cursor", None, None).expect(200);
    page([1, 2], "b");
    let second = provider
        .list("cursor", None, first["next_cursor"].as_str())
        .expect(200);
    assert_eq!(second["result_count"], 0);
    assert_dead_end(&provider, "cursor", &second);
}

#[test]
fn where_a_repeated_page_means_the_end_it_is_not_given_twice() {
    let provider = ListProvider::open();
    for _ in 0..2 {
        let last = json!({ "items": [{ "id": 1 }], "next": "/links/more?from=9" }).to_string();
        for link in ["/links/more?from=7", "/links/more?from=8"] {
            let body = json!({ "items": [{ "id": 1 }], "next": link }).to_string();
            provider.world.answers(200, &[], &body);
        }
        provider.world.answers(200, &[], &last);
    }
    let (ids, last) = lines(provider.all_pages("hashed", None, None).text());
    assert_eq!((ids, last), (vec![1], None));
    provider.world.unscript();
    let body = |link: &str| json!({ "items": [{ "id": 1 }], "next": link }).to_string();
    provider
        .world
        .answers(200, &[], &body("/links/more?from=7"));
    provider
        .world
        .answers(200, &[], &body("/links/more?from=8"));
    let first = provider.list("hashed", None, None).expect(200);
    let again = provider
        .list("hashed", None, first["next_cursor"].as_str())
        .expect(200);
    assert_eq!(
        (&again["result_count"], &again["next_cursor"]),
        (&json!(0), &Value::Null)
    );
}

#[test]
fn a_walk_has_so_many_pages() {
    let provider = ListProvider::with(&[("LIST_PAGES", "10")]);
    assert_all(
        &in_one_stream(&provider, "cursor", Some(100)),
        "ten pages",
        Some(100),
    );
    let (ids, last) = lines(provider.all_pages("cursor", Some(99), None).text());
    let last = last.unwrap();
    assert_eq!(ids.len(), 10 * 99, "the tenth leads to an eleventh");
    let words = last["error"]["message"].as_str().unwrap();
    assert!(words.contains("has not ended after 10 pages"), "{words}");
    let mut cursor = None;
    for _ in 0..10 {
        let page = provider
            .list("cursor", Some(99), cursor.as_deref())
            .expect(200);
        cursor = Some(page["next_cursor"].as_str().unwrap().to_owned());
    }
    let page = provider.list("cursor", Some(99), cursor.as_deref());
    assert_eq!(
        page.code(502),
        "provider.unexpected_answer",
        "page by page, too"
    );
}

/// The page's cursor leads nowhere, and the provider is not asked for that.
fn assert_dead_end(provider: &ListProvider, resource: &str, page: &Value) {
    provider.world.sent();
    let cursor = page["next_cursor"]
        .as_str()
        .expect("the page is not the last");
    let answer = provider.list(resource, None, Some(cursor));
    assert_eq!(answer.code(502), "provider.unexpected_answer");
    assert!(provider.world.sent().is_empty());
}

#[test]
fn a_link_to_another_host_is_refused_and_not_asked() {
    let provider = ListProvider::open();
    let cases = [
        "https://evil.example/v1/links?from=1",
        "//evil.example/",
        "https://eu.lists.example@evil.example/",
        "http://127.0.0.1/",
        "https://eu.lists.example:8443/",
    ];
    each_case(cases, |link| {
        let body = json!({ "items": [{ "id": 1 }], "next": link }).to_string();
        provider.world.answers(200, &[], &body);
        let page = provider.list("links", None, None).expect(200);
        assert_eq!(page["result"][0]["id"], 1, "{link}");
        assert_dead_end(&provider, "links", &page);
        let header = format!("<{link}>; rel=\"next\"");
        provider
            .world
            .answers(200, &[("link", &header)], r#"[{"id":1}]"#);
        let (ids, last) = lines(provider.all_pages("link_header", None, None).text());
        let last = last.unwrap();
        assert_eq!(
            (ids, &last["error"]["code"]),
            (vec![1], &json!("provider.unexpected_answer")),
            "{link}"
        );
        assert_eq!(provider.world.sent().len(), 1, "{link}");
    });
}

#[test]
fn what_names_a_page_is_bounded() {
    let provider = ListProvider::open();
    let body =
        |bytes: usize| json!({ "items": [{ "id": 1 }], "next": "x".repeat(bytes) }).to_string();
    provider.world.answers(200, &[], &body(8_000));
    let cursor = provider.list("cursor", None, None).expect(200)["next_cursor"].to_string();
    assert!(
        cursor.len() < 12_000,
        "it fits into a URL: {}",
        cursor.len()
    );
    provider.world.answers(200, &[], &body(9_000));
    let page = provider.list("cursor", None, None).expect(200);
    assert_dead_end(&provider, "cursor", &page);
}

#[test]
fn a_range_behind_the_end_is_the_end() {
    let provider = ListProvider::open();
    provider
        .world
        .answers(416, &[("content-range", "items */0")], "nothing there");
    let page = provider.list("range", Some(10), None).expect(200);
    assert_eq!(
        (&page["result"], &page["next_cursor"]),
        (&json!([]), &Value::Null)
    );
    provider.world.answers(416, &[], "no");
    assert_eq!(
        provider.list("cursor", None, None).code(416),
        "provider.rejected"
    );
}

/// The stream of all pages, unread.
async fn open_stream(provider: &ListProvider, path: &str, headers: &[(&str, &str)]) -> Pieces {
    let reply: Reply<Pieces> = provider.reply(path, headers).await;
    assert_eq!(reply.status, 200);
    match reply.body {
        Body::Stream(stream) => stream,
        other => panic!("no stream: {other:?}"),
    }
}

#[test]
fn the_next_page_is_asked_for_when_the_one_before_was_taken() {
    let provider = ListProvider::open();
    block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor?limit=100", &[]).await;
        assert_eq!(
            provider.world.sent().len(),
            1,
            "the first page decides the status"
        );
        for _ in 0..3 {
            let piece = stream.next().await.unwrap().unwrap();
            assert_eq!(lines(std::str::from_utf8(&piece).unwrap()).0.len(), 100);
        }
        assert_eq!(provider.world.sent().len(), 2);
        provider.assert_no_slot_is_taken().await;
        drop(stream);
        assert_eq!(provider.world.sent().len(), 0);
        provider.assert_no_room_is_taken();
    });
}

#[test]
fn a_large_page_is_handed_on_in_small_pieces() {
    let provider = ListProvider::open();
    let records: Vec<Value> = (0..20_000)
        .map(|id| json!({ "id": id, "text": "x".repeat(80) }))
        .collect();
    provider
        .world
        .answers(200, &[], &json!({ "items": records }).to_string());
    block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor", &[]).await;
        let mut whole = Vec::new();
        while let Some(piece) = stream.next().await {
            let piece = piece.unwrap();
            assert!(piece.len() <= 64 * 1024);
            whole.extend_from_slice(&piece);
        }
        let (ids, last) = lines(std::str::from_utf8(&whole).unwrap());
        assert_eq!((ids.len(), last), (20_000, None));
        provider.assert_no_room_is_taken();
    });
}

#[test]
fn a_page_that_is_too_large_ends_the_walk() {
    let provider = ListProvider::open();
    let next = json!({ "items": [{ "id": 1 }], "next": "a" }).to_string();
    provider.world.answers(200, &[], &next);
    let piece: &'static [u8] = vec![b' '; 1024 * 1024].leak();
    let body = crate::outside::streamed(&[piece; 9], None);
    provider.world.answers_with(reply(200, &[], body));
    let (ids, last) = lines(provider.all_pages("cursor", None, None).text());
    assert_eq!(
        (ids, &last.unwrap()["error"]["code"]),
        (vec![1], &json!("provider.answer_too_large"))
    );
    provider.assert_no_room_is_taken();
}

#[test]
fn a_caller_who_leaves_frees_everything() {
    let provider = ListProvider::open();
    block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor?limit=100", &[]).await;
        stream.next().await.unwrap().unwrap();
        provider
            .world
            .answers_at(provider.world.now().as_millis() + 10_000, 200, "[]");
        {
            let mut next = std::pin::pin!(stream.next());
            assert!(
                poll!(&mut next).is_pending(),
                "the second page is on its way"
            );
        }
        drop(stream);
        provider.assert_no_slot_is_taken().await;
        provider.assert_no_room_is_taken();
    });
}

#[test]
fn each_page_has_its_own_time() {
    let provider = ListProvider::open();
    let page = |at: i64, id: u64, next: Option<u64>| {
        let body = json!({ "items": [{ "id": id }], "next": next }).to_string();
        provider
            .world
            .answers_at(provider.world.now().as_millis() + at, 200, &body);
    };
    let all_pages = || {
        let path = provider.path("/proxy/cursor");
        let answer = provider.setting.client.request_async(
            "GET",
            &path,
            &[("x-all-pages", "true"), ("x-timeout-ms", "5000")],
            Body::Empty,
        );
        let answer = block_on(provider.world.run_passing(answer));
        lines(answer.text())
    };
    each_case(
        [(1, Some(1)), (2, Some(2)), (3, Some(3)), (4, None)],
        |(n, next)| {
            page(i64::try_from(n).unwrap() * 4_000, n, next);
        },
    );
    assert_eq!(all_pages(), (vec![1, 2, 3, 4], None), "16 seconds in all");
    page(0, 1, Some(1));
    page(60_000, 2, None);
    let (ids, last) = all_pages();
    let last = last.unwrap();
    assert_eq!(
        (ids, &last["error"]["code"]),
        (vec![1], &json!("provider.timeout"))
    );
    assert_eq!(last["error"]["statusCode"], 504);
}

#[test]
fn a_walk_ends_with_its_account() {
    let provider = ListProvider::open();
    block_on(async {
        let mut stream = open_stream(&provider, "/proxy/cursor?limit=100", &[]).await;
        stream.next().await.unwrap().unwrap();
        let path = format!("/integrated-account/{}", provider.account);
        let client = &provider.setting.client;
        let deleted = Box::pin(client.request_async("DELETE", &path, &[], Body::Empty));
        provider.world.run(deleted).await.expect(200);
        let last = stream.next().await.unwrap().unwrap();
        let last: Value = serde_json::from_slice(&last).unwrap();
        assert_eq!(last["error"]["code"], "caller.not_found");
        assert!(stream.next().await.is_none(), "it is the last line");
    });
}

#[test]
fn a_provider_that_cannot_be_reached_ends_the_walk() {
    let provider = ListProvider::open();
    provider.world.answers(
        200,
        &[],
        &json!({ "items": [{ "id": 0 }], "next": 1 }).to_string(),
    );
    provider.world.fails(SendError::Unreachable);
    let (ids, last) = lines(provider.all_pages("cursor", None, None).text());
    let last = last.unwrap();
    assert_eq!(
        (ids, &last["error"]["code"]),
        (vec![0], &json!("provider.unreachable"))
    );
    let logged = provider.world.0.logs.borrow().iter().any(|line| {
        line["event"] == "call_failed" && line["request_id"] == last["error"]["request_id"]
    });
    assert!(logged);
}

#[test]
fn a_cursor_goes_with_an_account_token_and_with_a_post_list() {
    let provider = ListProvider::open();
    let token = provider.account_token();
    let page = provider
        .setting
        .client
        .with_token(&token)
        .get("/proxy/cursor?limit=10")
        .expect(200);
    let next = page["next_cursor"].as_str().unwrap();
    let posted = format!("/proxy/cursor/list?next_cursor={next}");
    let page = provider.call("POST", &posted, &[], "").expect(200);
    assert_eq!(page["result"][0]["id"], 10, "list is list");
}
