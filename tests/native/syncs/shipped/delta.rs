//! Providers that give a token of what changes from now on, and end it some day.

use serde_json::{Value, json};

use super::oauth;
use super::story::tell;
use super::twin::{Entry, Page, Provider, Request, Twin, iso};

/// The place of a page: what it follows (an id, or a change), and the token that comes with the last page. A token covers
/// what changes while the pages are read.
fn place(text: &str) -> (&str, u64) {
    let (after, token) = text.split_once('.').unwrap();
    (after, token.parse().unwrap())
}

/// The rows of a page, whether each is gone, and the next place or the token.
fn page_of(
    twin: &mut Twin,
    token: Option<u64>,
    after: Option<&str>,
) -> (Vec<(Entry, bool)>, Result<String, u64>) {
    let (after, new_token) = after.map_or(("", twin.change_token()), place);
    let (rows, offset) = if let Some(token) = token {
        let rows = twin.changes_after(token);
        let change = after.parse().unwrap_or(0);
        let offset = Twin::place_after(rows.iter().map(|(entry, _)| entry), change);
        (rows, offset)
    } else {
        let rows = twin.by_id();
        let offset = rows.iter().take_while(|row| row.id.as_str() <= after);
        let offset = offset.count();
        (rows.into_iter().map(|row| (row, false)).collect(), offset)
    };
    let (page, next) = twin.page(&rows, offset);
    let last = page.last().filter(|_| next.is_some());
    let next = last.map(|(entry, _)| match token {
        None => format!("{}.{new_token}", entry.id),
        Some(_) => format!("{}.{new_token}", entry.change),
    });
    (page, next.ok_or(new_token))
}

/// <https://developers.google.com/workspace/calendar/api/guides/sync>
#[test]
fn google_calendar_events() {
    tell(Provider {
        file: "google-calendar",
        sync: "events",
        parent: None,
        method: "oauth2",
        context: oauth,
        record: |id, text, at| json!({ "kind": "calendar#event", "id": id, "status": "confirmed", "summary": text, "updated": iso(at) }),
        kept: Value::clone,
        answer: google,
        reports_deletions: true,
        has_change_tokens: true,
    });
}

fn google(twin: &mut Twin, request: &Request) -> Page {
    assert_eq!(request.path, "/calendar/v3/calendars/primary/events");
    let token = request.get("syncToken").map(|token| token.parse().unwrap());
    if token.is_some_and(|token| token < twin.oldest_token) {
        return Page::error(410);
    }
    let (page, next) = page_of(twin, token, request.get("pageToken"));
    let event = |(entry, is_gone): &(Entry, bool)| {
        if *is_gone {
            json!({ "kind": "calendar#event", "id": entry.id, "status": "cancelled" })
        } else {
            entry.value.clone()
        }
    };
    let items: Vec<Value> = page.iter().map(event).collect();
    let mut body = json!({ "kind": "calendar#events", "items": items });
    match next {
        Ok(next) => body["nextPageToken"] = json!(next),
        Err(token) => body["nextSyncToken"] = json!(token.to_string()),
    }
    Page::of(body)
}

/// <https://learn.microsoft.com/graph/delta-query-messages>
#[test]
fn microsoft_graph_messages() {
    tell(Provider {
        file: "microsoft-graph",
        sync: "messages",
        parent: None,
        method: "oauth2",
        context: oauth,
        record: |id, text, at| json!({ "id": id, "subject": text, "lastModifiedDateTime": iso(at) }),
        kept: Value::clone,
        answer: |twin, request| {
            assert_eq!(request.path, "/v1.0/me/mailFolders/inbox/messages/delta");
            graph(twin, request, "$deltatoken", "@removed")
        },
        reports_deletions: true,
        has_change_tokens: true,
    });
}

/// <https://learn.microsoft.com/graph/api/driveitem-delta>
#[test]
fn microsoft_graph_drive_items() {
    tell(Provider {
        file: "microsoft-graph",
        sync: "drive_items",
        parent: None,
        method: "oauth2",
        context: oauth,
        record: |id, text, at| json!({ "id": id, "name": text, "lastModifiedDateTime": iso(at) }),
        kept: Value::clone,
        answer: |twin, request| {
            assert_eq!(request.path, "/v1.0/me/drive/root/delta");
            graph(twin, request, "token", "deleted")
        },
        reports_deletions: true,
        has_change_tokens: true,
    });
}

fn graph(twin: &mut Twin, request: &Request, key: &str, mark: &str) -> Page {
    // The links encode the token, and what a page follows.
    let skip = request.get("$skiptoken");
    let (token, after) = if let Some(skip) = skip {
        let (token, after) = skip.split_once('!').unwrap();
        (token.parse().ok(), Some(after))
    } else {
        let token = request.get(key);
        (
            token.map(|token| token.strip_prefix("d+").unwrap().parse().unwrap()),
            None,
        )
    };
    if token.is_some_and(|token: u64| token < twin.oldest_token) {
        return Page::error(410);
    }
    let (page, next) = page_of(twin, token, after);
    let row = |(entry, is_gone): &(Entry, bool)| {
        if *is_gone {
            json!({ "id": entry.id, mark: { "reason": "deleted" } })
        } else {
            entry.value.clone()
        }
    };
    let rows: Vec<Value> = page.iter().map(row).collect();
    let mut body =
        json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata", "value": rows });
    let mut url = request.url.clone();
    url.set_query(None);
    match next {
        Ok(next) => {
            let token = token.map_or(String::new(), |token| token.to_string());
            url.query_pairs_mut()
                .append_pair("$skiptoken", &format!("{token}!{next}"));
            body["@odata.nextLink"] = json!(url);
        }
        Err(token) => {
            url.query_pairs_mut()
                .append_pair(key, &format!("d+{token}"));
            body["@odata.deltaLink"] = json!(url);
        }
    }
    Page::of(body)
}
