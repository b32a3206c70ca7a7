use super::*;
use serde_json::json;

fn read(text: &str) -> Exact {
    Exact::of_marked(&marked(text.as_bytes())).unwrap()
}

#[test]
fn what_is_read_is_written_again() {
    for text in [
        "18446744073709551616",
        "[0,-0,1.10,1E5,1e400,-9223372036854775809,0.123456789012345678]",
        "{\"a\":{\"b\":[100.00]},\"\u{fdd0}k\":\"x\"}",
        "[\"\u{fdd0}1\",\"\u{fdd0}\u{fdd0}1\",\"\u{fdd0}\",\"a\u{fdd0}1\",\"18446744073709551616\"]",
    ] {
        assert_eq!(read(text).to_string(), text);
    }
    assert_eq!(read("[\"\\uFdd01\"]").to_string(), "[\"\u{fdd0}1\"]");
    assert_eq!(read("{\"\\uFdd01\":1}").to_string(), "{\"\u{fdd0}1\":1}");
}

#[test]
fn a_value_of_ours_is_never_read_as_marked() {
    for value in [
        json!("\u{fdd0}1"),
        json!({ "a": ["\u{fdd0}\u{fdd0}1"] }),
        json!(1.5),
    ] {
        let exact = Exact::from(value.clone());
        assert_eq!(exact.to_string(), value.to_string());
        assert_eq!(*exact.plain(), value);
        assert_eq!(exact.into_kept(), value);
    }
}

#[test]
fn what_computes_gets_doubles_and_what_is_kept_texts() {
    let exact = read("[18446744073709551616,0.123456789012345678,1.10,1e400]");
    let plain = json!([
        "18446744073709551616",
        0.123_456_789_012_345_68,
        1.1,
        "1e400"
    ]);
    assert_eq!(*exact.plain(), plain);
    let kept = json!(["18446744073709551616", "0.123456789012345678", 1.1, "1e400"]);
    assert_eq!(exact.into_kept(), kept);
}
