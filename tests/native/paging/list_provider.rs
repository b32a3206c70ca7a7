//! A provider with one list of a thousand records, which can be paged through in every way there is; and an
//! account for it.

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, Incoming, Reply, System};
use causeway::settings::BUFFERED_TOTAL_BYTES;
use futures::future::join_all;
use futures::poll;
use http::HeaderMap;
use serde_json::{Value, json};
use url::Url;

use crate::client::{Answer, Client, Setting};
use crate::outside::{Pieces, Sent, World, reply};

pub const TOTAL: u64 = 1_000;
/// No page is larger, even if asked for.
pub const LARGEST: u64 = 100;

/// What the file says of each list.
fn resources() -> Value {
    let cursor = |more: Value| {
        let mut config = json!({ "cursor_path": "next", "cursor_key": "after", "limit_key": "size", "max_limit": LARGEST });
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        json!({ "format": "cursor", "config": config })
    };
    let list = |path: &str, pagination: Value| json!({ "list": { "path": path, "response_path": "items", "pagination": pagination } });
    let bare = |path: &str, pagination: Value| json!({ "list": { "path": path, "pagination": pagination } });
    json!({
        "plain": { "list": { "path": "/plain", "pagination": null }, "get": { "path": "/plain/{{id}}" } },
        "cursor": list("/cursor", cursor(json!({ "min_limit": 5 }))),
        "stripe": list("/stripe", cursor(json!({ "cursor_path": "items.-1.id", "cursor_key": "starting_after", "has_next_path": "more" }))),
        "links": { "list": {
            "path": "/links", "response_path": "items", "query": { "lang": "en" },
            "pagination": cursor(json!({ "is_link": true, "include_path": true })) } },
        "hashed": list("/links", cursor(json!({ "is_link": true, "include_path": true, "use_content_hash": true }))),
        "queries": { "list": {
            "path": "/queries", "response_path": "items", "pagination_path": "/queries/later",
            "pagination": cursor(json!({ "is_link": true, "ignore_limit_in_pagination": true })) } },
        "header": { "list": {
            "method": "post", "path": "/header", "response_path": "items", "add_query_to_body": true,
            "pagination": cursor(json!({ "cursor_path": "x-next", "cursor_path_object": "header", "cursor_key": "page.after", "limit_key": "page.size", "add_to_body": true })) } },
        "folder": { "list": {
            "method": "post", "path": "/folder", "response_path": "items",
            "pagination_path": "/folder/continue", "ignore_body_in_pagination": true,
            "pagination": cursor(json!({ "cursor_key": "cursor", "limit_key": "limit", "has_next_path": "more", "add_to_body": true, "ignore_limit_in_pagination": true })) } },
        "form": { "list": {
            "method": "post", "path": "/form", "response_path": "items", "body_format": "form", "body": { "kind": "book" },
            "pagination": cursor(json!({ "cursor_key": "page.after", "limit_key": "page.size", "add_to_body": true })) } },
        "form_sized": { "list": {
            "method": "post", "path": "/form", "response_path": "items", "body_format": "form", "body": { "page": { "size": 5 }, "kind": "book" },
            "pagination": cursor(json!({ "cursor_key": "page.after", "limit_key": "page.size", "add_to_body": true })) } },
        "back": list("/cursor", cursor(json!({ "prev_cursor_path": "prev" }))),
        "page": bare("/page", json!({ "format": "page", "config": { "page_key": "page", "limit_key": "size", "max_limit": LARGEST } })),
        "plain_page": bare("/page", json!({ "format": "page", "config": { "page_key": "page", "end_statuses": [410] } })),
        "numbers": bare("/numbers/{{pagination.page}}/{{pagination.limit?:all}}", json!({ "format": "page", "config": { "page_key": "page", "limit_key": "size", "max_limit": LARGEST } })),
        "pages": list("/pages", json!({ "format": "page", "config": { "page_key": "page", "limit_key": "size", "max_limit": LARGEST, "start_page": 0, "total_pages_path": "pages" } })),
        "offset": bare("/offset", json!({ "format": "offset", "config": { "offset_key": "from", "limit_key": "size" } })),
        "offset_total": list("/offset_total", json!({ "format": "offset", "config": { "offset_key": "from", "limit_key": "size", "total_path": "total" } })),
        "link_header": bare("/link_header", json!({ "format": "link_header", "config": { "limit_key": "size", "max_limit": LARGEST } })),
        "range": bare("/range", json!({ "format": "range", "config": { "max_limit": LARGEST } })),
        "open_range": bare("/open_range", json!({ "format": "range", "config": { "range_unit": "{{unit?:rows}}", "max_limit": LARGEST } })),
        "range_of_nothing": bare("/range", json!({ "format": "range", "config": { "max_limit": 0 } })),
        "dynamic": { "list": {
            "path": "/dynamic", "response_path": "items",
            "query": { "from": "{{pagination.from:undefined}}", "size": "{{pagination.limit:undefined}}" },
            "pagination": { "format": "dynamic", "config": {
                "get_pagination_values_expression": "response.more ? { 'from': $count(response.items) + ($exists(paginationValues.from) ? paginationValues.from : 0) }" } } } },
        "dynamic_offset": { "list": {
            "path": "/dynamic", "response_path": "items", "query": { "from": "{{pagination.from}}" },
            "pagination": { "format": "dynamic", "config": {
                "max_limit": 50,
                "get_initial_pagination_values_expression": "{ 'from': 0 * $number(query.limit) }",
                "get_pagination_values_expression": "{ 'from': paginationValues.from + $number(query.limit) }" } } } },
        "days": { "list": {
            "path": "/days/{{pagination.day}}", "response_path": "items", "query": { "size": "{{pagination.limit:undefined}}" },
            "pagination": { "format": "dynamic", "config": {
                "get_initial_pagination_values_expression": "{ 'day': $contains(url, 'lists') ? 'latest' }",
                "get_pagination_values_expression": "{ 'day': headers.`x-next` }",
                "get_cursor_from_response_expression": "headers.`x-next`" } } } },
    })
}

fn file(resources: &Value) -> Value {
    json!({
        "name": "paged-lists",
        "config": {
            "base_url": "https://{{region}}.lists.example/v1",
            "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
                { "name": "region", "type": "text" }, { "name": "unit", "type": "text" }, { "name": "api_key", "type": "password" } ] } } },
            "authorization": { "format": "header", "config": { "name": "X-Key", "value": "{{api_key}}" } },
            "resources": resources,
        },
    })
}

/// A page that was asked for.
struct Wanted {
    from: u64,
    size: u64,
}

/// What the provider understands of a request.
fn understood(sent: &Sent, url: &Url) -> Wanted {
    let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
    let form = url::form_urlencoded::parse(&sent.body);
    let query = url.query_pairs();
    let number = |names: &[&str], places: &[&str]| {
        let named = query.chain(form);
        let named = named.filter(|(name, _)| names.contains(&name.as_ref()));
        let mut reported: Vec<String> = named.map(|(_, value)| value.into_owned()).collect();
        let in_body = places.iter().filter_map(|place| body.pointer(place));
        reported.extend(in_body.map(|value| value.to_string().trim_matches('"').to_owned()));
        assert!(
            reported.len() <= 1,
            "{names:?} is given twice: {reported:?}"
        );
        reported.first().map(|text| text.parse::<u64>().unwrap())
    };
    let size = number(&["size", "page[size]"], &["/limit", "/page/size"]).unwrap_or(LARGEST);
    let size = size.min(LARGEST);
    let after = number(&["starting_after"], &[]).map(|id| id + 1);
    let from = number(
        &["after", "from", "page[after]"],
        &["/cursor", "/page/after"],
    )
    .or(after);
    let page = number(&["page"], &[]).map(|page| {
        let start = u64::from(!url.path().ends_with("/pages"));
        (page - start) * size
    });
    let day = url
        .path()
        .rsplit('/')
        .next()
        .and_then(|day| day.parse().ok());
    Wanted {
        from: from.or(page).or(day).unwrap_or(0),
        size,
    }
}

fn range(sent: &Sent) -> Option<Wanted> {
    let (_, ends) = sent.header("range")?.split_once('=')?;
    let (from, last) = ends.split_once('-')?;
    let (from, last): (u64, u64) = (from.parse().ok()?, last.parse().ok()?);
    Some(Wanted {
        from,
        size: (last + 1 - from).min(LARGEST),
    })
}

/// Answers like a provider that can page in every way.
fn answer(sent: &Sent) -> Reply<Pieces> {
    let url: Url = sent.url.parse().unwrap();
    assert_eq!(sent.header("x-key"), Some("k-secret"));
    let Wanted { from, size } = range(sent).unwrap_or_else(|| understood(sent, &url));
    if from >= TOTAL && sent.header("range").is_some() {
        return reply(416, &[], Body::Empty);
    }
    let end = (from + size).min(TOTAL);
    let more = end < TOTAL;
    let records: Vec<String> = (from..end)
        .map(|id| format!("{{\"id\": {id}, \"n\": 12345678901234567890123}}"))
        .collect();
    let records = format!("[{}]", records.join(", "));
    let resource = url.path().split('/').nth(2).unwrap();
    let next = match resource {
        _ if !more => Value::Null,
        "links" => json!(format!("/v1/links/more?from={end}&size={size}")),
        "queries" => json!(format!(
            "https://eu.lists.example/inner?from={end}&size={size}"
        )),
        "folder" => json!(end.to_string()),
        _ => json!(end),
    };
    let body = match resource {
        "page" | "numbers" | "offset" | "link_header" | "range" | "open_range" => records,
        _ => format!(
            "{{\"items\": {records}, \"next\": {next}, \"more\": {more}, \"total\": {TOTAL}, \"pages\": {}}}",
            TOTAL.div_ceil(size)
        ),
    };
    let header = match resource {
        "link_header" => more.then(|| {
            (
                "link",
                format!("<{}?from={end}&size={size}>; rel=\"next\"", url.path()),
            )
        }),
        "range" => Some(("content-range", format!("items {from}-{}/{TOTAL}", end - 1))),
        "open_range" => Some(("content-range", format!("rows {from}-{}/*", end - 1))),
        "header" | "days" => more.then(|| ("x-next", end.to_string())),
        _ => None,
    };
    let headers: Vec<(&str, &str)> = header
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    reply(
        if is_a_part(resource) { 206 } else { 200 },
        &headers,
        Body::from_bytes(body),
    )
}

fn is_a_part(resource: &str) -> bool {
    matches!(resource, "range" | "open_range")
}

pub struct ListProvider {
    pub world: World,
    pub setting: Setting,
    pub account: String,
    /// Requests that still go well, before one fails.
    fuse: Rc<Cell<Option<u64>>>,
    failure: Rc<Cell<(u16, &'static str)>>,
}

impl ListProvider {
    pub fn open() -> Self {
        Self::with(&[])
    }

    pub fn with(variables: &[(&str, &str)]) -> Self {
        let world = World::with(variables);
        let setting = Setting::new(&world, &file(&resources()));
        let context = json!({ "region": "eu", "api_key": "k-secret" });
        let account = setting.account("api_key", &context);
        let provider = Self {
            world,
            setting,
            account,
            fuse: Rc::default(),
            failure: Rc::default(),
        };
        provider.provide();
        provider
    }

    fn provide(&self) {
        let (fuse, failure) = (Rc::clone(&self.fuse), Rc::clone(&self.failure));
        self.world.provides(move |sent| match fuse.get() {
            Some(0) => {
                fuse.set(None);
                let (status, words) = failure.get();
                reply(status, &[], Body::from_bytes(words))
            }
            left => {
                fuse.set(left.map(|left| left - 1));
                answer(sent)
            }
        });
    }

    /// One request fails, after so many have gone well.
    pub fn fail_after(&self, requests: u64, status: u16, words: &'static str) {
        self.fuse.set(Some(requests));
        self.failure.set((status, words));
    }

    /// The same data under other sealing keys.
    pub fn deployed_with(&self, sealing_keys: &str) -> Self {
        let world = self.world.deployed_with(&[("SEALING_KEYS", sealing_keys)]);
        let client = |client: &Client| Client {
            world: world.clone(),
            token: client.token.clone(),
        };
        let provider = Self {
            setting: Setting {
                admin: client(&self.setting.admin),
                // Tokens end with the key that signed them.
                client: Client::admin(&world).token_of(&self.setting.environment, None),
                environment: self.setting.environment.clone(),
                install: self.setting.install.clone(),
            },
            account: self.account.clone(),
            fuse: Rc::default(),
            failure: Rc::default(),
            world,
        };
        provider.provide();
        provider
    }

    /// The file is published again, `cursor` paging in another way.
    pub fn publish(&self, pagination: &Value) {
        let mut resources = resources();
        resources["cursor"]["list"]["pagination"] = pagination.clone();
        let file = file(&resources);
        self.admin()
            .send("PUT", "/integration/paged-lists", &file)
            .expect(200);
    }

    pub fn admin(&self) -> &Client {
        &self.setting.admin
    }

    pub fn another_account(&self) -> String {
        let context = json!({ "region": "eu", "api_key": "k-secret" });
        self.setting.account("api_key", &context)
    }

    pub fn account_token(&self) -> String {
        let body = json!({ "integrated_account_id": self.account });
        let answer = self
            .setting
            .client
            .post("/integrated-account/token", &body)
            .expect(201);
        answer["integrated_account_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Four calls at a time get through to the provider.
    pub async fn assert_no_slot_is_taken(&self) {
        self.world.sent();
        let soon = self.world.now().as_millis() + 1_000;
        for _ in 0..4 {
            self.world.answers_at(soon, 200, "[]");
        }
        let (client, path) = (&self.setting.client, self.path("/proxy/plain"));
        let calls = (0..4).map(|_| client.request_async("GET", &path, &[], Body::Empty));
        let mut calls = pin!(self.world.run(join_all(calls)));
        assert!(poll!(&mut calls).is_pending());
        assert_eq!(self.world.sent().len(), 4);
        self.world.pass(Duration::from_secs(1));
        calls.await;
    }

    /// All of the isolate's room for answers is free.
    #[track_caller]
    pub fn assert_no_room_is_taken(&self) {
        self.world
            .isolate()
            .room()
            .take(BUFFERED_TOTAL_BYTES)
            .unwrap();
    }

    pub fn path(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}integrated_account_id={}", self.account)
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let body = Body::from_bytes(body.to_owned());
        self.setting
            .client
            .request(method, &self.path(path), headers, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], "")
    }

    /// A page: its resource, the query behind `?`, the body, the cursor.
    pub fn ask(&self, resource: &str, query: &str, body: &str, cursor: Option<&str>) -> Answer {
        let cursor = cursor.map(|cursor| format!("&next_cursor={cursor}"));
        let query = format!("?{query}{}", cursor.unwrap_or_default());
        self.call_list(resource, &query, &[], body)
    }

    fn call_list(
        &self,
        resource: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        if body.is_empty() {
            self.call("GET", &format!("/proxy/{resource}{query}"), headers, body)
        } else {
            self.call(
                "POST",
                &format!("/proxy/{resource}/list{query}"),
                headers,
                body,
            )
        }
    }

    pub fn list(&self, resource: &str, limit: Option<u64>, cursor: Option<&str>) -> Answer {
        self.call_list(resource, &query(limit, cursor), &[], "")
    }

    pub fn list_of(&self, account: &str, resource: &str, cursor: Option<&str>) -> Answer {
        let path = format!(
            "/proxy/{resource}{}&integrated_account_id={account}",
            query(None, cursor)
        );
        self.setting.client.get(&path)
    }

    pub fn all_pages(&self, resource: &str, limit: Option<u64>, cursor: Option<&str>) -> Answer {
        // A retry would wait for a clock that the test does not move.
        let headers = [("x-all-pages", "true"), ("x-max-retries", "0")];
        self.call_list(resource, &query(limit, cursor), &headers, "")
    }

    /// The answer to a request for all pages, its body unread.
    pub async fn reply(&self, path: &str, headers: &[(&str, &str)]) -> Reply<Pieces> {
        let mut map: HeaderMap = headers
            .iter()
            .map(|(name, value)| {
                (
                    name.parse::<http::HeaderName>().unwrap(),
                    value.parse().unwrap(),
                )
            })
            .collect();
        let token = format!("Bearer {}", self.setting.client.token);
        map.insert("authorization", token.parse().unwrap());
        map.insert("x-all-pages", "true".parse().unwrap());
        map.insert("x-max-retries", "0".parse().unwrap());
        let url = format!("https://causeway.example{}", self.path(path));
        let request = Incoming {
            method: http::Method::GET,
            url: url.parse().unwrap(),
            raw_target: None,
            headers: map,
            body: Body::Empty,
        };
        let (isolate, leases) = (self.world.isolate(), self.world.leases());
        let answer = Box::pin(causeway::api::handle(
            &self.world,
            (&isolate, &leases),
            Ok(request),
        ));
        self.world.run(answer).await.into_reply()
    }
}

fn query(limit: Option<u64>, cursor: Option<&str>) -> String {
    let limit = limit.map(|limit| format!("limit={limit}"));
    let cursor = cursor.map(|cursor| format!("next_cursor={cursor}"));
    let all: Vec<String> = limit.into_iter().chain(cursor).collect();
    format!("?{}", all.join("&"))
}
