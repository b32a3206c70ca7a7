//! Both steps of every format, each in a table.

use serde_json::json;

use super::*;

mod computed;
mod counted;
mod cursor;
mod traversal;
mod twins;

const HOST: &str = "https://api.example.com/v1/things?filter=a";

fn pagination(format: &str, config: &Value) -> Pagination {
    serde_json::from_value(json!({ "format": format, "config": config })).unwrap()
}

fn cursor(more: &Value) -> Pagination {
    let mut config = json!({ "cursor_path": "next", "cursor_key": "after", "limit_key": "size", "max_limit": 50 });
    crate::json::merge(&mut config, more);
    pagination("cursor", &config)
}

fn with_request<T>(run: impl FnOnce(&PageContext) -> T) -> T {
    let moment = Moment {
        now_ms: 0,
        random: [0; 32],
    };
    let (url, query, options) = (
        Url::parse(HOST).unwrap(),
        json!({ "filter": "a" }),
        json!({}),
    );
    run(&PageContext {
        url: &url,
        query: &query,
        options: &options,
        moment: &moment,
    })
}

fn start(pagination: &Pagination, limit: Option<u64>) -> Position {
    with_request(|request| first(pagination, limit, request)).unwrap()
}

fn asked(pagination: &Pagination, position: &Position) -> PageParameters {
    let context = json!({ "unit": "rows" });
    ask(pagination, position, &TemplateScope::new(&context)).unwrap()
}

/// What a page of `count` records leads to, or why it is a dead end. The records differ from page to page.
fn turned(
    pagination: &Pagination,
    position: &Position,
    count: u64,
    body: &Value,
    headers: &[(&'static str, &str)],
) -> Result<PageLinks, String> {
    let records = format!("[{count} records of page {}]", position.pages);
    answered(pagination, position, (count, &records), body, headers)
}

fn answered(
    pagination: &Pagination,
    position: &Position,
    (count, records): (u64, &str),
    body: &Value,
    headers: &[(&'static str, &str)],
) -> Result<PageLinks, String> {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect();
    let answer = PageAnswer {
        status: StatusCode::OK,
        headers: &headers,
        text: &body.to_string(),
        value: needs_value(pagination).then_some(body),
        records,
        count,
    };
    led(with_request(|request| {
        next(pagination, position, request, &answer)
    }))
}

fn led(links: PageLinks) -> Result<PageLinks, String> {
    match links.next.as_ref().map(|next| &next.at) {
        Some(PagePlace::DeadEnd(end)) => Err(end.why.clone()),
        _ => Ok(links),
    }
}

fn error(error: &PageError) -> Result<PageLinks, String> {
    Err(error.to_string())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

/// Reads the pages of these sizes until the end; gives what was asked for each page after the first.
fn read_all(
    pagination: &Pagination,
    limit: Option<u64>,
    sizes: &[u64],
    body: &Value,
) -> Vec<PageParameters> {
    let mut position = start(pagination, limit);
    let mut asks = Vec::new();
    for size in sizes {
        asks.push(asked(pagination, &position));
        let links = turned(pagination, &position, *size, body, &[]).unwrap();
        match links.next {
            Some(next) => position = next,
            None => return asks,
        }
    }
    asks.push(asked(pagination, &position));
    asks
}
