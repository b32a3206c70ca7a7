use super::is_slug;
use crate::config::amount::is_too_deep;
use serde_json::{Value, json};

#[test]
fn a_name_is_a_slug() {
    for (name, fits) in [
        ("acme", true),
        ("a-1", true),
        ("1a", true),
        ("", false),
        ("-a", false),
        ("A", false),
        ("a_b", false),
        ("é", false),
    ] {
        assert_eq!(is_slug(name), fits, "{name}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| (1..n).fold(json!(1), |value: Value, _| json!([value]));
    assert!(!is_too_deep(&nested(64), 64));
    assert!(is_too_deep(&nested(65), 64));
}
