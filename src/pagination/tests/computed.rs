//! `link_header` and `dynamic`.

use super::*;

#[test]
fn a_link_header_leads_on() {
    let pagination = pagination(
        "link_header",
        &json!({ "limit_key": "per_page", "max_limit": 100 }),
    );
    let position = start(&pagination, Some(1000));
    assert_eq!(
        asked(&pagination, &position).query,
        pairs(&[("per_page", "100")])
    );
    let header =
        r#"</v1/things?page=2&per_page=100>; rel="next", </v1/things?page=0>; rel="previous""#;
    let links = turned(&pagination, &position, 100, &json!([]), &[("link", header)]).unwrap();
    let ask = asked(&pagination, &links.next.unwrap());
    assert_eq!(ask.link.as_deref(), Some("/v1/things?page=2&per_page=100"));
    assert_eq!(
        links.prev.unwrap().at,
        PagePlace::Link("/v1/things?page=0".into())
    );
    let last = turned(&pagination, &position, 100, &json!([]), &[]).unwrap();
    assert_eq!(last, PageLinks::default());
    let evil = turned(
        &pagination,
        &position,
        1,
        &json!([]),
        &[("link", "<https://evil.example/>; rel=next")],
    );
    assert_eq!(evil, error(&PageError::LeavesHost));
}

#[test]
fn dynamic_values_are_computed_and_null_stops() {
    let pagination = pagination(
        "dynamic",
        &json!({
            "get_initial_pagination_values_expression": "{ 'day': 9, 'of': query.filter }",
            "get_pagination_values_expression": "paginationValues.day > 7 ? { 'day': paginationValues.day - 1, 'rows': $count(response) }",
            "get_cursor_from_response_expression": "headers.`x-cursor`",
        }),
    );
    let position = start(&pagination, Some(5));
    assert!(position.is_first());
    assert_eq!(
        Value::Object(asked(&pagination, &position).values),
        json!({ "limit": 5, "day": 9, "of": "a" })
    );
    let header = [("x-cursor", "c")];
    let links = turned(&pagination, &position, 2, &json!([1, 2]), &header).unwrap();
    let position = links.next.unwrap();
    assert_eq!(
        Value::Object(asked(&pagination, &position).values),
        json!({ "limit": 5, "day": 8, "rows": 2, "cursor": "c" })
    );
    assert_eq!(
        turned(&pagination, &position, 2, &json!([]), &[]).unwrap(),
        PageLinks::default(),
        "no cursor"
    );
    let position = turned(&pagination, &position, 2, &json!([]), &header)
        .unwrap()
        .next
        .unwrap();
    assert_eq!(
        turned(&pagination, &position, 2, &json!([]), &header).unwrap(),
        PageLinks::default()
    );
}
