use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::read;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Outer {
    name: String,
    #[serde(default)]
    count: Option<u8>,
    #[serde(default)]
    many: Vec<Inner>,
    #[serde(default)]
    by_name: BTreeMap<Id, Kind>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Id(String);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Inner {
    on: bool,
    #[serde(default)]
    pair: (i32, f64),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    Text(String),
    Pair(u8, u8),
    Fields { a: u8 },
}

#[test]
fn a_value_is_read() {
    let value = json!({
        "name": "a", "count": null, "many": [{"on": true, "pair": [-1, 2]}],
        "by_name": {"p": "plain", "n": {"plain": null}, "t": {"text": "x"}, "q": {"pair": [1, 2]}, "f": {"fields": {"a": 1}}},
    });
    let read: Outer = read(&value).unwrap();
    let kinds = [
        ("f", Kind::Fields { a: 1 }),
        ("n", Kind::Plain),
        ("p", Kind::Plain),
        ("q", Kind::Pair(1, 2)),
        ("t", Kind::Text("x".to_owned())),
    ];
    let by_name = kinds
        .into_iter()
        .map(|(name, kind)| (Id(name.to_owned()), kind))
        .collect();
    let many = vec![Inner {
        on: true,
        pair: (-1, 2.0),
    }];
    assert_eq!(
        read,
        Outer {
            name: "a".to_owned(),
            count: None,
            many,
            by_name
        }
    );
}

#[test]
fn a_mistake_has_its_place_and_the_words_of_serde() {
    let cases = [
        ("", json!({})),
        ("name", json!({"name": 1})),
        ("other", json!({"name": "a", "other": 1})),
        ("count", json!({"name": "a", "count": 256})),
        ("count", json!({"name": "a", "count": 1.5})),
        ("many", json!({"name": "a", "many": {}})),
        ("many[1]", json!({"name": "a", "many": [{"on": true}, {}]})),
        ("many[0].on", json!({"name": "a", "many": [{"on": "yes"}]})),
        (
            "many[0].pair",
            json!({"name": "a", "many": [{"on": true, "pair": [1, 2, 3]}]}),
        ),
        (
            "by_name.x",
            json!({"name": "a", "by_name": {"x": "unknown"}}),
        ),
        ("by_name.x", json!({"name": "a", "by_name": {"x": "text"}})),
        (
            "by_name.x",
            json!({"name": "a", "by_name": {"x": {"text": "a", "plain": null}}}),
        ),
        (
            "by_name.x.text",
            json!({"name": "a", "by_name": {"x": {"text": 1}}}),
        ),
        (
            "by_name.x.fields.a",
            json!({"name": "a", "by_name": {"x": {"fields": {"a": -1}}}}),
        ),
    ];
    let found = cases.clone().map(|(_, value)| {
        let mistake = read::<Outer>(&value).unwrap_err();
        (mistake.path(), mistake.to_string())
    });
    let expected = cases.map(|(path, value)| {
        let error = serde_json::from_value::<Outer>(value).unwrap_err();
        (path.to_owned(), error.to_string())
    });
    assert_eq!(found, expected);
}

#[test]
fn an_object_is_not_read_from_an_array() {
    for value in [json!([]), json!(["a", null, [], {}])] {
        let mistake = read::<Outer>(&value).unwrap_err();
        assert_eq!(
            mistake.to_string(),
            "invalid type: sequence, expected struct Outer"
        );
    }
}
