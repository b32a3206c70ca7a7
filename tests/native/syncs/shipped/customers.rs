//! Contacts and customers: queries, searches, and lists that are read as a whole.

use serde_json::{Value, json};

use super::oauth;
use super::story::tell;
use super::twin::{Entry, Page, Provider, Request, Twin, iso, millis};

fn number(text: &str) -> usize {
    text.parse().unwrap()
}

const QUERY: &str = "/services/data/v66.0/query";

/// <https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm>
#[test]
fn salesforce_contacts() {
    tell(Provider {
        file: "salesforce",
        sync: "contacts",
        parent: None,
        method: "oauth2",
        context: || {
            let mut context = oauth();
            context["instance_url"] = json!("https://acme.my.salesforce.com");
            context
        },
        record: |id, text, at| {
            let stamp = iso(at - at % 1_000).replace(".000Z", ".000+0000");
            json!({ "attributes": { "type": "Contact" }, "Id": id, "Name": text, "SystemModstamp": stamp })
        },
        kept: Value::clone,
        answer: salesforce,
        reports_deletions: true,
        has_change_tokens: false,
    });
}

fn salesforce(twin: &mut Twin, request: &Request) -> Page {
    let (snapshot, offset) = if let Some(locator) = request.path.strip_prefix(&format!("{QUERY}/"))
    {
        let (snapshot, offset) = locator.split_once('-').unwrap();
        (number(snapshot), number(offset))
    } else {
        let rows = rows_of_query(twin, request);
        twin.snapshots.push(rows);
        (twin.snapshots.len() - 1, 0)
    };
    let rows = twin.snapshots[snapshot].clone();
    let (records, next) = twin.page(&rows, offset);
    let mut body = json!({ "totalSize": rows.len(), "done": next.is_none(), "records": records });
    if let Some(next) = next {
        body["nextRecordsUrl"] = json!(format!("{QUERY}/{snapshot}-{next}"));
    }
    Page::of(body)
}

fn rows_of_query(twin: &Twin, request: &Request) -> Vec<Value> {
    let query = request.get("q").unwrap();
    assert!(query.contains(" FROM Contact "), "{query}");
    let since = query.split_once("SystemModstamp >= ").map(|(_, rest)| {
        let text = rest.split(' ').next().unwrap();
        millis(text)
    });
    let is_wanted = |entry: &&Entry| since.is_none_or(|since| entry.changed_at >= since);
    if !query.contains("IsDeleted = true") {
        assert!(request.path.ends_with("/query"));
        let rows = twin.live.values().filter(is_wanted);
        return rows.map(|entry| entry.value.clone()).collect();
    }
    assert!(request.path.ends_with("/queryAll"));
    let rows = twin.gone.values().filter(is_wanted);
    rows.map(|entry| json!({ "Id": entry.id })).collect()
}

/// <https://developers.hubspot.com/docs/api-reference/latest/crm/search-the-crm>
#[test]
fn hubspot_contacts() {
    tell(Provider {
        file: "hubspot",
        sync: "contacts",
        parent: None,
        method: "oauth2",
        context: oauth,
        record: |id, text, at| json!({ "id": id, "properties": { "email": text, "lastmodifieddate": iso(at) }, "createdAt": iso(0), "updatedAt": iso(at), "archived": false }),
        kept: |record| {
            let mut kept = record.clone();
            kept.as_object_mut().unwrap().remove("archived");
            kept
        },
        answer: hubspot,
        reports_deletions: false,
        has_change_tokens: false,
    });
}

fn hubspot(twin: &mut Twin, request: &Request) -> Page {
    if !request.path.ends_with("/search") {
        let rows = twin.by_id();
        let after = request.get("after").unwrap_or_default();
        let offset = rows.iter().take_while(|row| row.id.as_str() <= after);
        let offset = offset.count();
        let (page, next) = twin.page(&rows, offset);
        let last = page.last().filter(|_| next.is_some());
        return hubspot_page(&page, last.map(|entry| entry.id.clone()));
    }
    let filter = &request.body["filterGroups"][0]["filters"][0];
    assert_eq!(
        (&filter["propertyName"], &filter["operator"]),
        (&json!("lastmodifieddate"), &json!("GTE"))
    );
    assert_eq!(request.body["sorts"][0]["direction"], "DESCENDING");
    let since = millis(filter["value"].as_str().unwrap());
    // `after` is a number of records here: what moves shifts the pages.
    let mut rows = twin.by_change(|entry| entry.changed_at >= since);
    rows.reverse();
    let offset = request.body["after"].as_str().map_or(0, number);
    let (mut page, next) = twin.page(&rows, offset);
    for entry in &mut page {
        entry.value["url"] = json!("https://app.hubspot.com/contacts/1");
    }
    hubspot_page(&page, next.map(|next| next.to_string()))
}

fn hubspot_page(page: &[Entry], after: Option<String>) -> Page {
    let results: Vec<&Value> = page.iter().map(|entry| &entry.value).collect();
    let mut body = json!({ "results": results });
    if let Some(after) = after {
        body["paging"] = json!({ "next": { "after": after } });
    }
    Page::of(body)
}

/// <https://developers.intercom.com/docs/references/2.14/rest-api/api.intercom.io/contacts/searchcontacts>
#[test]
fn intercom_contacts() {
    tell(Provider {
        file: "intercom",
        sync: "contacts",
        parent: None,
        method: "api_key",
        context: || json!({ "api_key": "key", "region_host": "api" }),
        record: |id, text, at| json!({ "type": "contact", "id": id, "name": text, "updated_at": at / 1_000 }),
        kept: Value::clone,
        answer: intercom,
        reports_deletions: false,
        has_change_tokens: false,
    });
}

const DAY: i64 = 86_400;

fn intercom(twin: &mut Twin, request: &Request) -> Page {
    assert_eq!(request.path, "/contacts/search");
    let filter = &request.body["query"];
    assert_eq!(
        (&filter["field"], &filter["operator"]),
        (&json!("updated_at"), &json!(">"))
    );
    // Times are compared by their days.
    let day = filter["value"].as_i64().unwrap() / DAY;
    let rows = twin.by_change(|entry| entry.changed_at / 1_000 / DAY > day);
    let after = request.body["pagination"]["starting_after"].as_str();
    let after = after.map_or(0, |after| after.parse().unwrap());
    let offset = Twin::place_after(&rows, after);
    let (page, next) = twin.page(&rows, offset);
    let data: Vec<&Value> = page.iter().map(|entry| &entry.value).collect();
    let mut body = json!({ "type": "list", "data": data, "total_count": rows.len(), "pages": { "type": "pages" } });
    if let Some(last) = page.last().filter(|_| next.is_some()) {
        body["pages"]["next"] = json!({ "starting_after": last.change.to_string() });
    }
    Page::of(body)
}

/// <https://docs.stripe.com/api/pagination>
#[test]
fn stripe_customers() {
    tell(Provider {
        file: "stripe",
        sync: "customers",
        parent: None,
        method: "oauth2",
        context: oauth,
        record: |id, text, _| json!({ "id": id, "object": "customer", "name": text }),
        kept: Value::clone,
        answer: |twin, request| {
            assert_eq!(request.path, "/v1/customers");
            let mut rows = twin.by_id();
            rows.reverse();
            let after = request.get("starting_after");
            let offset = rows
                .iter()
                .take_while(|row| after.is_some_and(|id| row.id.as_str() >= id));
            let offset = offset.count();
            let (page, next) = twin.page(&rows, offset);
            let data: Vec<&Value> = page.iter().map(|entry| &entry.value).collect();
            Page::of(json!({ "object": "list", "data": data, "has_more": next.is_some() }))
        },
        reports_deletions: true,
        has_change_tokens: false,
    });
}
