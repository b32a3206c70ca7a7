//! `page`, `offset` and `range`: pages that are counted.

use super::*;

#[test]
fn numbered_pages_end_by_totals_or_by_a_page_that_is_not_full() {
    let all = |more: &Value| {
        let mut config = json!({ "page_key": "p", "limit_key": "n", "max_limit": 10 });
        crate::json::merge(&mut config, more);
        self::pagination("page", &config)
    };
    let cases = [
        (
            json!({ "total_pages_path": "pages" }),
            json!({ "pages": 3 }),
            vec![10, 10, 10],
            3,
        ),
        (
            json!({ "total_pages_path": "pages" }),
            json!({ "pages": "2" }),
            vec![4, 4],
            2,
        ),
        (
            json!({ "total_path": "total" }),
            json!({ "total": 25 }),
            vec![10, 10, 5],
            3,
        ),
        (
            json!({ "total_path": "total" }),
            json!({ "total": 20 }),
            vec![10, 10],
            2,
        ),
        (
            json!({ "total_path": "total" }),
            json!({ "total": 99 }),
            vec![10, 0],
            2,
        ),
        (json!({ "total_path": "total" }), json!({}), vec![10, 3], 2),
        (json!({}), json!({}), vec![10, 10, 9], 3),
        (json!({}), json!({}), vec![10, 10, 0], 3),
        // The largest page is not known, so a short one may be all the provider gives at once.
        (json!({ "max_limit": null }), json!({}), vec![7, 7, 0], 3),
    ];
    for (more, body, sizes, pages) in cases {
        let asks = read_all(&all(&more), Some(10), &sizes, &body);
        assert_eq!(asks.len(), pages, "{more} {body}");
        for (index, ask) in asks.iter().enumerate() {
            let number = (index + 1).to_string();
            assert_eq!(ask.query, pairs(&[("p", &number), ("n", "10")]));
        }
    }
}

#[test]
fn an_offset_counts_the_records_that_came() {
    let pagination = pagination(
        "offset",
        &json!({ "offset_param": "page.skip", "limit_param": "page.take", "start_offset": 1, "total_path": "total", "add_to_body": true }),
    );
    let asks = read_all(&pagination, Some(5), &[5, 3, 2], &json!({ "total": 10 }));
    let bodies: Vec<String> = asks.iter().map(|ask| ask.body_onto("").unwrap()).collect();
    assert_eq!(
        bodies,
        [
            r#"{"page":{"skip":1,"take":5}}"#,
            r#"{"page":{"skip":6,"take":5}}"#,
            r#"{"page":{"skip":9,"take":5}}"#,
        ]
    );
}

#[test]
fn page_numbers_keep_the_limit_they_count_in() {
    let numbered = pagination("page", &json!({ "page_key": "p", "limit_key": "n" }));
    let position = turned(&numbered, &start(&numbered, Some(7)), 7, &json!({}), &[])
        .unwrap()
        .next
        .unwrap();
    assert_eq!(
        resume(&numbered, position.clone(), Some(100))
            .unwrap()
            .limit,
        Some(7)
    );
    assert_eq!(
        resume(&cursor(&json!({})), position, None),
        Err(PageError::Foreign)
    );
    let pagination = cursor(&json!({}));
    let position = turned(
        &pagination,
        &start(&pagination, Some(7)),
        7,
        &json!({ "next": "a" }),
        &[],
    )
    .unwrap()
    .next
    .unwrap();
    assert_eq!(
        resume(&pagination, position.clone(), Some(100))
            .unwrap()
            .limit,
        Some(50)
    );
    assert_eq!(resume(&pagination, position, None).unwrap().limit, Some(7));
}

#[test]
fn a_range_ends_by_content_range() {
    let pagination = pagination(
        "range",
        &json!({ "range_unit": "{{unit}}", "max_limit": 25 }),
    );
    let position = start(&pagination, Some(10));
    assert_eq!(asked(&pagination, &position).headers["range"], "rows=0-9");
    assert_eq!(
        asked(&pagination, &start(&pagination, None)).headers["range"],
        "rows=0-24"
    );
    let table = [
        ("rows 0-9/25", 10, Some(10)),
        ("rows 0-6/25", 7, Some(7)),
        ("0-9/25", 10, Some(10)),
        ("rows 0-9/10", 10, None),
        ("rows 0-9/*", 10, Some(10)),
        ("rows 0-3/*", 4, None),
        ("rows */25", 0, None),
        ("nonsense", 10, None),
    ];
    for (header, count, expected) in table {
        let links = turned(
            &pagination,
            &position,
            count,
            &json!([]),
            &[("content-range", header)],
        )
        .unwrap();
        assert_eq!(
            links.next.map(|next| next.at),
            expected.map(PagePlace::Offset),
            "{header}"
        );
    }
    let whole = turned(&pagination, &position, 10, &json!([]), &[]).unwrap();
    assert_eq!(
        whole.next, None,
        "the provider does not know ranges: it gave everything"
    );
}
