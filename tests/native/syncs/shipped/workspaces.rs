//! Pages, and the rows of data sources.

use serde_json::{Value, json};

use super::oauth;
use super::story::tell;
use super::twin::{Entry, Page, Provider, Request, Twin, iso, millis};

fn record(id: &str, text: &str, at: i64) -> Value {
    // Times are whole minutes.
    let edited = iso(at - at % 60_000);
    json!({ "object": "page", "id": id, "in_trash": false, "last_edited_time": edited, "properties": { "title": text } })
}

fn notion(sync: &'static str, parent: Option<&'static str>, is_full: bool) -> Provider {
    Provider {
        file: "notion",
        sync,
        parent,
        method: "oauth2",
        context: oauth,
        record,
        kept: Value::clone,
        answer,
        reports_deletions: is_full,
        has_change_tokens: false,
    }
}

/// <https://developers.notion.com/reference/post-search>
#[test]
fn notion_pages() {
    tell(notion("pages", None, true));
}

/// <https://developers.notion.com/reference/query-a-data-source>
#[test]
fn notion_rows() {
    tell(notion("rows", Some("data_sources"), false));
}

fn answer(twin: &mut Twin, request: &Request) -> Page {
    if request.path == "/v1/search" {
        let body = &request.body;
        assert_eq!(body["sort"]["direction"], "descending", "{body}");
        if body["filter"]["value"] == "data_source" {
            let source = json!({ "object": "data_source", "id": "source", "in_trash": false });
            return Page::of(
                json!({ "results": [source], "has_more": false, "next_cursor": null }),
            );
        }
        return rows(twin, request, |_| true);
    }
    assert_eq!(request.path, "/v1/data_sources/source/query");
    assert_eq!(request.body["sorts"][0]["direction"], "descending");
    let since = &request.body["filter"]["last_edited_time"]["on_or_after"];
    let since = millis(since.as_str().unwrap());
    rows(twin, request, |entry| {
        entry.changed_at - entry.changed_at % 60_000 >= since
    })
}

fn rows(twin: &mut Twin, request: &Request, is_wanted: impl Fn(&Entry) -> bool) -> Page {
    let mut rows = twin.by_change(is_wanted);
    rows.reverse();
    // A cursor is the id of the first record of its page.
    let cursor = request.body["start_cursor"].as_str();
    let place = |id| rows.iter().position(|row| row.id == id);
    let Some(offset) = cursor.map_or(Some(0), place) else {
        return Page::error(400);
    };
    let (page, next) = twin.page(&rows, offset);
    let results: Vec<&Value> = page.iter().map(|entry| &entry.value).collect();
    let next = next.map(|next| rows[next].id.clone());
    Page::of(json!({ "results": results, "has_more": next.is_some(), "next_cursor": next }))
}
