use super::*;

#[test]
fn elements_are_counted_without_being_looked_into() {
    assert_eq!(
        count_elements(r#" [1e400, {"a": [1, 2]}, "\ud800"] "#).unwrap(),
        Some(3)
    );
    assert_eq!(count_elements("[]").unwrap(), Some(0));
    assert_eq!(count_elements("{}").unwrap(), None);
    assert!(count_elements("[1,").is_err());
    assert!(count_elements("<html>").is_err());
}

#[test]
fn values_are_counted_at_any_depth() {
    assert_eq!(
        count_values(br#"{"a": [1, 2, {"b": null}], "c": "x"}"#).unwrap(),
        7
    );
    assert_eq!(count_values(b"1").unwrap(), 1);
    assert!(count_values(b"[1] 2").is_err());
    let value = serde_json::json!({ "a": [1, 2, { "b": null }], "c": "x" });
    assert!(is_more(&value, 6) && !is_more(&value, 7));
    assert!(read_at_most(b"[1,2]", 3).is_some());
    assert!(read_at_most(b"[1,2]", 2).is_none());
    assert_eq!(length(&vec!["a", "b"]), r#"["a","b"]"#.len());
}
