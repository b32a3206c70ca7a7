use serde_json::json;

use super::*;

#[test]
fn the_callers_words_go_on_as_they_were_written() {
    let query = CallerQuery::read(
        "q=a+b%2Cc&integrated_account_id=1&limit=5&x[]=1&x[]=2&flag",
        &["integrated_account_id", "limit"],
    );
    assert_eq!(compose(&[], &query, None), "q=a+b%2Cc&x[]=1&x[]=2&flag");
    assert_eq!(
        query.to_value(),
        json!({ "q": "a b,c", "x": ["1", "2"], "flag": "" })
    );
}

#[test]
fn a_query_says_whose_body_it_is() {
    use BodySource::{Caller, Method};
    for (raw, expected) in [
        ("", Some(Method)),
        ("a=true", Some(Method)),
        ("truto_body_passthrough=true", Some(Caller)),
        ("a=1&body_passthrough=true", Some(Caller)),
        ("body_passthrough=false", Some(Method)),
        (
            "body_passthrough=false&truto%5Fbody_passthrough=true",
            Some(Caller),
        ),
        ("body_passthrough", None),
        ("body_passthrough=1", None),
        ("body_passthrough[]=1", Some(Method)),
    ] {
        assert_eq!(body_source(raw), expected, "{raw}");
    }
}

#[test]
fn arrays_are_written_in_the_format_of_the_file() {
    use QueryArrayFormat as F;
    for (format, expected) in [
        (F::Comma, "a=1,2&b=x"),
        (F::Brackets, "a[]=1&a[]=2&b=x"),
        (F::Indices, "a[0]=1&a[1]=2&b=x"),
        (F::Repeat, "a=1&a=2&b=x"),
    ] {
        for written in ["a=1&a=2&b=x", "a[]=1&a[]=2&b=x", "a[0]=1&a[1]=2&b=x"] {
            assert_eq!(
                compose(&[], &CallerQuery::read(written, &[]), Some(format)),
                expected,
                "{written}"
            );
        }
    }
}

#[test]
fn the_caller_wins_over_a_default_of_the_same_name() {
    let defaults = [
        ("per_page".to_owned(), json!(50)),
        ("sort".to_owned(), json!("a&b")),
        ("none".to_owned(), Value::Null),
    ];
    let query = CallerQuery::read("per_page=7", &[]);
    assert_eq!(compose(&defaults, &query, None), "sort=a%26b&per_page=7");
}

#[test]
fn nested_parameters_are_objects_to_read_and_go_on_as_they_were_written() {
    let raw = "created_at%5Bgt%5D=1&created_at[lt]=2&f[ids][0]=3&f[ids][1]=4&a[0]=5&a=6&a[b]=7";
    let query = CallerQuery::read(raw, &["created_at", "a"]);
    let expected = json!({
        "created_at": { "gt": "1", "lt": "2" },
        "f": { "ids": ["3", "4"] },
        "a": ["5"],
        "a[b]": "7",
    });
    assert_eq!(query.to_value(), expected);
    assert_eq!(compose(&[], &query, None), raw.replace("&a=6", ""));
    assert_eq!(
        compose(&[], &query, Some(QueryArrayFormat::Comma)),
        "created_at%5Bgt%5D=1&created_at%5Blt%5D=2&f%5Bids%5D=3,4&a=5&a%5Bb%5D=7"
    );
    let others = query.without(&BTreeSet::from(["created_at".to_owned()]));
    assert_eq!(
        compose(&[], &others, None),
        "f[ids][0]=3&f[ids][1]=4&a[0]=5&a[b]=7"
    );
}

#[test]
fn an_empty_query_is_empty() {
    assert_eq!(
        compose(
            &[],
            &CallerQuery::read("", &[]),
            Some(QueryArrayFormat::Comma)
        ),
        ""
    );
}
