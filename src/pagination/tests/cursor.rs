//! `cursor`: where it is, where it goes, where it ends.

use super::*;

#[test]
fn a_cursor_goes_where_the_file_says() {
    let body = json!({ "next": "b=" });
    let table = [
        (json!({}), pairs(&[("size", "7"), ("after", "b=")]), "{}"),
        (
            json!({ "limit_key": null, "max_limit": null }),
            pairs(&[("after", "b=")]),
            "{}",
        ),
        (
            json!({ "ignore_limit_in_pagination": true }),
            pairs(&[("after", "b=")]),
            "{}",
        ),
        (
            json!({ "add_to_body": true }),
            vec![],
            r#"{"size":7,"after":"b="}"#,
        ),
        (
            json!({ "add_to_body": true, "cursor_key": "page.after", "limit_key": "page.size", "limit_data_type": "string" }),
            vec![],
            r#"{"page":{"size":"7","after":"b="}}"#,
        ),
        (
            json!({ "add_to_body": true, "add_to_query": true }),
            pairs(&[("size", "7"), ("after", "b=")]),
            r#"{"size":7,"after":"b="}"#,
        ),
    ];
    for (more, query, in_body) in table {
        let pagination = cursor(&more);
        let position = start(&pagination, Some(7));
        let next = turned(&pagination, &position, 7, &body, &[])
            .unwrap()
            .next
            .unwrap();
        let ask = asked(&pagination, &next);
        assert_eq!(
            (ask.query.clone(), ask.body_onto("{}").unwrap()),
            (query, in_body.to_owned()),
            "{more}"
        );
        assert_eq!(ask.values["cursor"], "b=");
    }
}

#[test]
fn a_cursor_is_found_where_the_file_says() {
    let table = [
        (json!({}), json!({ "next": "a" }), Some("a")),
        (json!({}), json!({ "next": 12 }), Some("12")),
        (
            json!({ "cursor_path": "data.-1.id" }),
            json!({ "data": [{ "id": 1 }, { "id": "z" }] }),
            Some("z"),
        ),
        (
            json!({ "cursor_path": "@odata.next" }),
            json!({ "@odata.next": "o" }),
            Some("o"),
        ),
        (
            json!({ "is_cursor_url_encoded": true }),
            json!({ "next": "NTI1Cg%3D%3D" }),
            Some("NTI1Cg=="),
        ),
        (
            json!({ "cursor_path": "X-Next", "cursor_path_object": "header" }),
            json!({}),
            Some("from a header"),
        ),
        (
            json!({ "cursor_path": "x-none", "cursor_path_object": "header" }),
            json!({}),
            None,
        ),
        (json!({}), json!({ "next": null }), None),
        (json!({}), json!({ "next": "" }), None),
        (json!({}), json!({ "next": false }), None),
        (json!({}), json!({}), None),
    ];
    for (more, body, expected) in table {
        let pagination = cursor(&more);
        let links = turned(
            &pagination,
            &start(&pagination, None),
            3,
            &body,
            &[("x-next", "from a header")],
        );
        let next = links.unwrap().next;
        let cursor = next.map(|next| asked(&pagination, &next).values["cursor"].clone());
        assert_eq!(cursor, expected.map(Value::from), "{more} {body}");
    }
}

#[test]
fn a_number_keeps_all_its_digits_as_a_cursor() {
    let pagination = cursor(&json!({ "add_to_body": true, "add_to_query": true }));
    let position = start(&pagination, None);
    let text = r#"{"next":123456789012345678901234567890}"#;
    let answer = PageAnswer {
        status: StatusCode::OK,
        headers: &HeaderMap::new(),
        text,
        value: None,
        records: "[1]",
        count: 1,
    };
    let links = with_request(|request| next(&pagination, &position, request, &answer));
    let ask = asked(&pagination, &links.next.unwrap());
    assert_eq!(
        ask.query,
        pairs(&[("after", "123456789012345678901234567890")])
    );
    assert_eq!(
        ask.body_onto(r#"{"n":1e400}"#).unwrap(),
        r#"{"n":1e400,"after":123456789012345678901234567890}"#
    );
}

#[test]
fn a_walk_by_cursor_ends_where_the_provider_says() {
    let more = json!({ "has_next_path": "meta.more" });
    let table = [
        (json!({}), 0, json!({ "next": "a" }), false),
        (
            json!({ "allow_empty_page_cursor": true }),
            0,
            json!({ "next": "a" }),
            true,
        ),
        (
            more.clone(),
            1,
            json!({ "next": "a", "meta": { "more": true } }),
            true,
        ),
        (
            more.clone(),
            1,
            json!({ "next": "a", "meta": { "more": "true" } }),
            true,
        ),
        (
            more.clone(),
            1,
            json!({ "next": "a", "meta": { "more": false } }),
            false,
        ),
        (
            more.clone(),
            1,
            json!({ "next": "a", "meta": { "more": "false" } }),
            false,
        ),
        (
            more.clone(),
            1,
            json!({ "next": "a", "meta": { "more": 0 } }),
            false,
        ),
        (more, 1, json!({ "next": "a" }), false),
    ];
    for (more, count, body, goes_on) in table {
        let pagination = cursor(&more);
        let links = turned(&pagination, &start(&pagination, None), count, &body, &[]).unwrap();
        assert_eq!(links.next.is_some(), goes_on, "{more} {body}");
    }
}

#[test]
fn a_link_is_followed_without_the_first_query_and_only_on_its_host() {
    let pagination = cursor(&json!({ "is_link": true, "include_path": true }));
    let position = start(&pagination, Some(500));
    assert_eq!(
        asked(&pagination, &position).query,
        pairs(&[("size", "50")]),
        "clamped"
    );
    let url = Url::parse(HOST).unwrap();
    for (link, expected) in [
        ("/other/01g-2000", "https://api.example.com/other/01g-2000"),
        (
            "https://api.example.com/v1/things?$top=5&$skip=X%2744%27",
            "https://api.example.com/v1/things?$top=5&$skip=X%2744%27",
        ),
    ] {
        let links = turned(&pagination, &position, 3, &json!({ "next": link }), &[]).unwrap();
        let ask = asked(&pagination, &links.next.unwrap());
        assert_eq!((ask.address(&url).as_str(), ask.query.len()), (expected, 0));
    }
    for link in ["https://evil.example/v1/things?x", "//evil.example"] {
        let links = turned(&pagination, &position, 3, &json!({ "next": link }), &[]);
        assert_eq!(links, error(&PageError::LeavesHost));
    }
}

#[test]
fn a_forged_path_of_a_link_cannot_name_a_host() {
    let ask = PageParameters {
        link: Some("//evil.example/x?y".to_owned()),
        ..PageParameters::default()
    };
    let url = ask.address(&Url::parse(HOST).unwrap());
    assert_eq!(url.host_str(), Some("api.example.com"));
}

#[test]
fn headers_of_the_pagination_are_filled_and_left_out_while_there_is_no_cursor() {
    let pagination =
        cursor(&json!({ "headers": { "X-Page": "{{pagination.cursor}}", "X-Unit": "{{unit}}" } }));
    let position = start(&pagination, None);
    let names = |ask: &PageParameters| {
        ask.headers
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&asked(&pagination, &position)), ["x-unit"]);
    let links = turned(&pagination, &position, 1, &json!({ "next": "c" }), &[]).unwrap();
    let ask = asked(&pagination, &links.next.unwrap());
    assert_eq!(ask.headers["x-page"], "c");
}

#[test]
fn what_is_no_cursor_is_an_error_that_names_the_place() {
    let pagination = cursor(&json!({}));
    let position = start(&pagination, None);
    for body in [
        json!({ "next": {} }),
        json!({ "next": [1] }),
        json!({ "next": true }),
    ] {
        let links = turned(&pagination, &position, 1, &body, &[]);
        assert_eq!(links, error(&PageError::NotACursor("next".into())));
    }
    assert_eq!(
        asked(
            &cursor(&json!({ "add_to_body": true })),
            &start(&pagination, Some(1))
        )
        .body_onto("[1]"),
        Err(PageError::Body)
    );
}
