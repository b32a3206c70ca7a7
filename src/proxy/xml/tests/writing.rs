//! XML that is written.

use super::*;

#[test]
fn values_of_every_kind_are_written() {
    let value = json!({ "a": { "#text": 1.5, "@t": true, "@gone": null, "none": null, "nil": {}, "list": [1, [2, null], {}], "empty": [] } });
    assert_eq!(
        written(&value).unwrap(),
        r#"<a t="true">1.5<none/><nil/><list>1</list><list>2</list><list/><list/></a>"#
    );
    assert_eq!(
        written(&json!({ "a": { "b": "x\r\n" } })).unwrap(),
        "<a><b>x&#13;\n</b></a>"
    );
    for (nothing, expected) in [
        (json!(null), "<a/>"),
        (json!({ "b": [] }), "<a/>"),
        (json!({ "#text": "" }), "<a></a>"),
    ] {
        assert_eq!(written(&json!({ "a": nothing })).unwrap(), expected);
    }
}

#[test]
fn what_xml_cannot_carry_is_named() {
    for (value, expected) in [
        (json!({ "a b": 1 }), BodyError::XmlName("a b".into())),
        (json!({ "1a": 1 }), BodyError::XmlName("1a".into())),
        (json!({ "": 1 }), BodyError::XmlName(String::new())),
        (
            json!({ "a": { "><x": 1 } }),
            BodyError::XmlName("><x".into()),
        ),
        (
            json!({ "a": { "@b c=\"1\"": 1 } }),
            BodyError::XmlName("@b c=\"1\"".into()),
        ),
        (
            json!({ "a": { "@b": {} } }),
            BodyError::XmlValue("@b".into()),
        ),
        (
            json!({ "a": { "#text": [1] } }),
            BodyError::XmlValue("#text".into()),
        ),
        (
            json!({ "a": "bell \u{7}" }),
            BodyError::XmlValue("a".into()),
        ),
    ] {
        assert_eq!(written(&value), Err(expected), "{value}");
    }
    for value in [
        json!([]),
        json!("<a/>"),
        json!({}),
        json!({ "a": 1, "b": 2 }),
        json!({ "a": [1, 2] }),
    ] {
        assert!(
            matches!(written(&value), Err(BodyError::Shape(_))),
            "{value}"
        );
    }
}

#[test]
fn a_document_has_the_room_of_a_body() {
    let text = |bytes: usize| written(&json!({ "a": "x".repeat(bytes) }));
    assert!(text(7 * 1024 * 1024).is_ok());
    assert!(matches!(text(LIMIT), Err(BodyError::Render(_))));
    let quotes = written(&json!({ "a": "\"".repeat(2 * 1024 * 1024) }));
    assert!(matches!(quotes, Err(BodyError::Render(_))));
    let name = "n".repeat(100_000);
    let names = written(&json!({ "a": { name: vec![1; 100] } }));
    assert!(matches!(names, Err(BodyError::Render(_))));
}
