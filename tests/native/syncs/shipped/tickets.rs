//! Tickets and issues: exports, and lists of what was updated.

use serde_json::{Value, json};

use super::oauth;
use super::story::tell;
use super::twin::{Entry, Page, Provider, Request, Twin, iso, millis};

/// <https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/>
#[test]
fn zendesk_tickets() {
    tell(Provider {
        file: "zendesk",
        sync: "tickets",
        parent: None,
        method: "oauth2",
        context: || {
            let mut context = oauth();
            context["subdomain"] = json!("acme");
            context
        },
        record: |id, text, at| {
            let id: u64 = id.parse().unwrap();
            json!({ "id": id, "status": "open", "subject": text, "generated_timestamp": at / 1_000 })
        },
        kept: Value::clone,
        answer: zendesk,
        reports_deletions: true,
        has_change_tokens: false,
    });
}

fn zendesk(twin: &mut Twin, request: &Request) -> Page {
    let path = request.path.trim_end_matches(".json");
    assert_eq!(path, "/api/v2/incremental/tickets/cursor");
    let after = match (request.get("start_time"), request.get("cursor")) {
        (Some("0"), None) => 0,
        (None, Some(cursor)) => cursor.parse().unwrap(),
        both => panic!("{both:?}"),
    };
    let rows = twin.changes_after(0);
    let offset = Twin::place_after(rows.iter().map(|(entry, _)| entry), after);
    let (page, next) = twin.page(&rows, offset);
    let last = page.last().map_or(after, |(entry, _)| entry.change);
    let ticket = |(entry, is_gone): &(Entry, bool)| {
        let mut ticket = entry.value.clone();
        if *is_gone {
            ticket["status"] = json!("deleted");
        }
        ticket
    };
    let tickets: Vec<Value> = page.iter().map(ticket).collect();
    // The page at the end of the stream has a cursor, too.
    let url = format!("https://acme.zendesk.com{path}.json?cursor={last}");
    Page::of(
        json!({ "tickets": tickets, "after_cursor": last.to_string(), "after_url": url, "end_of_stream": next.is_none() }),
    )
}

/// The account's time zone, in which JQL is read, is the one furthest behind.
const ZONE: i64 = -12 * 3_600_000;

/// <https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/>
#[test]
fn jira_issues() {
    tell(Provider {
        file: "jira",
        sync: "issues",
        parent: None,
        method: "api_key",
        context: || json!({ "subdomain": "acme", "email": "jo@example.com", "api_token": "token" }),
        record: |id, text, at| {
            let updated = iso(at + ZONE).replace('Z', "-1200");
            json!({ "id": id, "key": format!("K-{id}"), "fields": { "summary": text, "updated": updated } })
        },
        kept: Value::clone,
        answer: jira,
        reports_deletions: false,
        has_change_tokens: false,
    });
}

fn jira(twin: &mut Twin, request: &Request) -> Page {
    assert_eq!(request.path, "/rest/api/3/search/jql");
    let jql = request.get("jql").unwrap();
    let since = jql.split_once("updated >= \"").map(|(_, rest)| {
        let (text, order) = rest.split_once('"').unwrap();
        assert_eq!((text.len(), order), (16, " ORDER BY updated ASC"), "{jql}");
        millis(&format!("{}:00Z", text.replace(' ', "T"))) - ZONE
    });
    assert!(since.is_some() || jql.starts_with("created >= \"1970-01-01\""));
    let rows = twin.by_change(|entry| since.is_none_or(|since| entry.changed_at >= since));
    let after = request.get("nextPageToken");
    let after = after.map_or(0, |after| after.parse().unwrap());
    let offset = Twin::place_after(&rows, after);
    let (page, next) = twin.page(&rows, offset);
    let issues: Vec<&Value> = page.iter().map(|entry| &entry.value).collect();
    let mut body = json!({ "issues": issues, "isLast": next.is_none() });
    if let Some(last) = page.last().filter(|_| next.is_some()) {
        body["nextPageToken"] = json!(last.change.to_string());
    }
    Page::of(body)
}

/// <https://docs.github.com/rest/issues/issues#list-issues-assigned-to-the-authenticated-user>
#[test]
fn github_issues() {
    tell(Provider {
        file: "github",
        sync: "issues",
        parent: None,
        method: "oauth2",
        context: oauth,
        record: |id, text, at| {
            let (id, at): (u64, _) = (id.parse().unwrap(), iso(at - at % 1_000));
            json!({ "id": id, "title": text, "state": "open", "updated_at": at.replace(".000Z", "Z") })
        },
        kept: Value::clone,
        answer: github,
        reports_deletions: false,
        has_change_tokens: false,
    });
}

fn github(twin: &mut Twin, request: &Request) -> Page {
    assert_eq!(request.path, "/issues");
    for (name, value) in [
        ("filter", "all"),
        ("state", "all"),
        ("sort", "updated"),
        ("direction", "desc"),
    ] {
        assert_eq!(request.get(name), Some(value));
    }
    let since = request.get("since").map(|since| {
        assert_eq!(since.len(), "2026-01-31T12:00:00Z".len(), "{since}");
        millis(since)
    });
    // Pages are counted: what moves shifts them.
    let mut rows = twin.by_change(|entry| since.is_none_or(|since| entry.changed_at >= since));
    rows.reverse();
    let number = request.get("page").map_or(1, |page| page.parse().unwrap());
    let (page, next) = twin.page(&rows, (number - 1) * super::twin::PAGE);
    let issues: Vec<&Value> = page.iter().map(|entry| &entry.value).collect();
    let link = next.map(|_| {
        let mut url = request.url.clone();
        let others = request.query.iter().filter(|(name, _)| *name != "page");
        url.query_pairs_mut().clear().extend_pairs(others);
        url.query_pairs_mut()
            .append_pair("page", &(number + 1).to_string());
        format!("<{url}>; rel=\"next\"")
    });
    Page {
        link,
        ..Page::of(json!(issues))
    }
}
