//! Whole lists, page by page, against a small stand-in of a provider: no record is lost, none comes twice.

use super::*;

const TOTAL: u64 = 1_000;
/// The twin gives no larger pages, even if asked to.
const LARGEST: u64 = 100;

/// What the twin answers: the first record's number, how many, body and header.
type TwinPage = (u64, u64, Value, Option<(&'static str, String)>);

fn parameter(url: &Url, name: &str) -> Option<u64> {
    let mut pairs = url.query_pairs();
    pairs
        .find(|(own, _)| own == name)
        .and_then(|(_, value)| value.parse().ok())
}

fn twin(format: &str, ask: &PageParameters) -> TwinPage {
    let mut url = ask.address(&Url::parse(HOST).unwrap());
    for (name, value) in &ask.query {
        url.query_pairs_mut().append_pair(name, value);
    }
    let size = parameter(&url, "size").unwrap_or(LARGEST).min(LARGEST);
    let page = parameter(&url, "page").map(|page| (page - 1) * size);
    let range = ask.headers.get("range").map(|value| {
        let ends = value.to_str().unwrap().split_once('=').unwrap().1;
        let (start, end) = ends.split_once('-').unwrap();
        let (start, end) = (start.parse::<u64>().unwrap(), end.parse::<u64>().unwrap());
        (start, (end - start + 1).min(LARGEST))
    });
    let (start, size) = range.unwrap_or((page.or(parameter(&url, "from")).unwrap_or(0), size));
    let end = (start + size).min(TOTAL);
    let link = (end < TOTAL).then(|| format!("/v1/things?from={end}&size={size}"));
    let header = match (format, &link) {
        ("link_header", Some(link)) => Some(("link", format!("<{link}>; rel=\"next\""))),
        ("range", _) => Some((
            "content-range",
            format!("items {start}-{}/{TOTAL}", end - 1),
        )),
        _ => None,
    };
    let more = end < TOTAL;
    let body =
        json!({ "next": more.then_some(end), "more": more, "link": link, "last": [{ "id": end }] });
    (start, end - start, body, header)
}

fn read_all(format: &str, config: &Value, limit: Option<u64>) -> Vec<u64> {
    let pagination = pagination(format, config);
    let mut position = start(&pagination, limit);
    let mut seen = Vec::new();
    loop {
        // Sealed into the caller's cursor and back.
        let text = serde_json::to_string(&position).unwrap();
        position = serde_json::from_str(&text).unwrap();
        let (first, count, body, header) = twin(format, &asked(&pagination, &position));
        seen.extend(first..first + count);
        let records = format!("[{first}]");
        let header = header.as_ref().map(|(name, value)| (*name, value.as_str()));
        let headers: Vec<_> = header.into_iter().collect();
        let links = answered(&pagination, &position, (count, &records), &body, &headers).unwrap();
        match links.next {
            Some(next) => position = next,
            None => return seen,
        }
    }
}

#[test]
fn every_format_gives_each_of_a_thousand_records_once() {
    let size = json!({ "limit_key": "size", "max_limit": LARGEST });
    let with = |more: &Value| {
        let mut config = size.clone();
        crate::json::merge(&mut config, more);
        config
    };
    let formats = [
        (
            "cursor",
            with(&json!({ "cursor_path": "next", "cursor_key": "from" })),
        ),
        (
            "cursor",
            with(
                &json!({ "cursor_path": "last.-1.id", "cursor_key": "from", "has_next_path": "more" }),
            ),
        ),
        (
            "cursor",
            with(&json!({ "cursor_path": "link", "is_link": true, "include_path": true })),
        ),
        ("page", with(&json!({ "page_key": "page" }))),
        ("offset", with(&json!({ "offset_key": "from" }))),
        (
            "offset",
            json!({ "offset_key": "from", "limit_key": "size" }),
        ),
        ("link_header", size.clone()),
        ("range", json!({ "max_limit": LARGEST })),
        ("range", json!({ "max_limit": 5 * LARGEST })),
    ];
    for (format, config) in formats {
        for limit in [Some(1), Some(7), Some(100), Some(1_000), None] {
            let seen = read_all(format, &config, limit);
            assert!(
                seen.iter().copied().eq(0..TOTAL),
                "{format} {config} {limit:?}: {}",
                seen.len()
            );
        }
    }
}
