//! How a list ends, and what becomes of a page whose way on cannot be used.

use crate::cases::each_case;

use serde_json::{Value, json};

use super::lines;
use super::list_provider::ListProvider;

fn with_pages(resource: &str, pages: &[(u16, Value)]) -> (Vec<u64>, Option<Value>) {
    let provider = ListProvider::open();
    for (status, body) in pages {
        provider.world.answers(*status, &[], &body.to_string());
    }
    let read = lines(provider.all_pages(resource, None, None).text());
    provider.world.unscript();
    read
}

fn page(ids: &[u64], next: &Value) -> (u16, Value) {
    let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    (200, json!({ "items": items, "next": next }))
}

fn bare(ids: &[u64]) -> (u16, Value) {
    (200, ids.iter().map(|id| json!({ "id": id })).collect())
}

#[test]
fn cursors_that_come_round_end_the_list_with_an_error_behind_every_record() {
    each_case([1_u64, 2, 3, 5, 20], |period| {
        let names: Vec<String> = (0..period).map(|number| format!("c{number}")).collect();
        let mut pages = vec![page(&[0], &json!(names[0]))];
        let next = |number: u64| &names[usize::try_from((number + 1) % period).unwrap()];
        pages.extend((0..period).map(|number| page(&[number + 1], &json!(next(number)))));
        let (ids, last) = with_pages("cursor", &pages);
        assert_eq!(ids, (0..=period).collect::<Vec<_>>(), "{period}");
        let last = last.unwrap();
        assert_eq!(last["error"]["code"], "provider.unexpected_answer");
        assert!(last["next_cursor"].is_string());
    });
}

#[test]
fn a_link_back_to_the_first_page_is_recognised_at_once() {
    let pages = [
        page(&[1], &json!("/v1/links?from=1")),
        page(&[2], &json!("/v1/links?lang=en")),
    ];
    let (ids, last) = with_pages("links", &pages);
    assert_eq!(ids, [1, 2]);
    assert!(last.is_some());
}

#[test]
fn zero_as_a_cursor_is_the_end_where_it_was_never_asked_for() {
    let cases = [
        json!(0),
        json!("0"),
        json!("null"),
        json!(false),
        Value::Null,
    ];
    each_case(cases, |zero| {
        let pages = [page(&[1], &json!("a")), page(&[2], &zero)];
        assert_eq!(with_pages("cursor", &pages), (vec![1, 2], None), "{zero}");
    });
    let provider = ListProvider::open();
    let body = |ids: &[u64], next: &str| page(ids, &json!(next)).1.to_string();
    provider.world.answers(200, &[], &body(&[1], "7"));
    provider.world.answers(200, &[], &body(&[2], "0"));
    let first = provider.get("/proxy/cursor?after=0").expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = provider.list("cursor", None, Some(cursor)).expect(200);
    assert_eq!(second["result"][0]["id"], 2);
    assert!(
        second["next_cursor"].is_string(),
        "the list began with this cursor: the place comes round"
    );
}

#[test]
fn a_page_whose_way_on_is_unusable_gives_its_records_first() {
    let unusable = [
        json!("/v1/links?from=1"),
        json!("https://other.example/x?page=3"),
        json!("http://["),
        json!({ "page": 3 }),
        json!("x".repeat(10_000)),
    ];
    each_case(unusable, |next| {
        let pages = [page(&[1], &json!("/v1/links?from=1")), page(&[2], &next)];
        let (ids, last) = with_pages("links", &pages);
        assert_eq!(ids, [1, 2], "{next}");
        assert_eq!(last.unwrap()["error"]["code"], "provider.unexpected_answer");
    });
}

#[test]
fn in_counted_formats_the_last_page_once_more_is_the_end_and_is_given_once() {
    each_case(["plain_page", "offset"], |resource| {
        let pages = [bare(&[1]), bare(&[2]), bare(&[3]), bare(&[3]), bare(&[3])];
        assert_eq!(with_pages(resource, &pages), (vec![1, 2, 3], None));
        let pages = [bare(&[1, 2]), bare(&[3]), bare(&[3]), bare(&[3])];
        assert_eq!(with_pages(resource, &pages), (vec![1, 2, 3], None));
        let pages = [bare(&[1, 2]), bare(&[3, 4]), bare(&[3, 4])];
        assert_eq!(with_pages(resource, &pages), (vec![1, 2, 3, 4], None));
    });
}

#[test]
fn in_counted_formats_404_and_416_and_the_files_statuses_behind_a_page_are_the_end() {
    let refusal = json!({ "detail": "Invalid page." });
    let cases = [
        (404, true),
        (416, true),
        (410, true),
        (400, false),
        (422, false),
    ];
    each_case(cases, |(status, ends)| {
        let pages = [bare(&[1, 2]), bare(&[3, 4]), (status, refusal.clone())];
        let (ids, last) = with_pages("plain_page", &pages);
        assert_eq!(ids, [1, 2, 3, 4], "{status}");
        assert_eq!(last.is_none(), ends, "{status}");
        let provider = ListProvider::open();
        provider.world.answers(status, &[], &refusal.to_string());
        let first = provider.list("plain_page", None, None);
        assert_eq!(first.status, status, "a first page is refused as it is");
    });
    let pages = [page(&[1], &json!("a")), (404, refusal)];
    let (ids, last) = with_pages("cursor", &pages);
    assert_eq!(
        (ids, last.is_some()),
        (vec![1], true),
        "a cursor is not counted"
    );
}

#[test]
fn a_total_that_the_page_itself_contradicts_says_nothing() {
    let of = |ids: &[u64], total: u64| {
        let items: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
        (200, json!({ "items": items, "total": total }))
    };
    let pages = [of(&[1, 2], 0), of(&[3, 4], 0), of(&[], 0)];
    assert_eq!(with_pages("offset_total", &pages), (vec![1, 2, 3, 4], None));
}

#[test]
fn an_empty_next_cursor_is_the_first_page() {
    let provider = ListProvider::open();
    let first = provider.get("/proxy/cursor?next_cursor=").expect(200);
    assert_eq!(first["result"][0]["id"], 0);
    each_case(["/integration", "/environment"], |list| {
        let answer = provider.admin().get(&format!("{list}?next_cursor="));
        assert_eq!(answer.status, 200, "{list}");
    });
}

#[test]
fn expressions_of_dynamic_pages_see_the_callers_page_size() {
    let provider = ListProvider::open();
    for _ in 0..2 {
        provider
            .world
            .answers(200, &[], r#"{"items":[{"id":1},{"id":2}]}"#);
    }
    provider.world.sent();
    let first = provider.list("dynamic_offset", Some(200), None).expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    provider
        .list("dynamic_offset", None, Some(cursor))
        .expect(200);
    let urls: Vec<String> = provider
        .world
        .sent()
        .iter()
        .map(|sent| sent.url.clone())
        .collect();
    assert!(
        urls[0].contains("from=0") && urls[1].contains("from=50"),
        "{urls:?}"
    );
}
