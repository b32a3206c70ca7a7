use serde_json::json;

use super::one;

#[test]
fn what_stands_in_a_host_is_one_label_unless_dots_are_allowed() {
    let host = json!({"name": "host", "placeholder": "mycompany"});
    assert_eq!(one(host.clone(), "Acme-1"), Ok(json!("Acme-1")));
    for typed in [
        "https://acme.example.com/",
        "evil.com/",
        "a@evil.com",
        "a.b",
        "a#",
        "a?x",
        "a\\b",
        "a:1",
        "%61",
        "ａ",
        "-a",
        "a b",
        "\u{202e}a",
        "😀",
    ] {
        let words = one(host.clone(), typed).unwrap_err();
        assert!(
            words.contains("such as “mycompany”") && words.contains("https://"),
            "{typed}: {words}"
        );
    }
    let dotted = json!({"name": "host", "allow_dots": true});
    assert_eq!(one(dotted.clone(), "eu.west"), Ok(json!("eu.west")));
    for typed in ["a..b", "evil.com/", "a@b.c", "https://a.b"] {
        assert!(
            one(dotted.clone(), typed).unwrap_err().contains("dots"),
            "{typed}"
        );
    }
    let origin = json!({"name": "origin"});
    assert!(one(origin.clone(), "https://a.my.example.com").is_ok());
    for typed in [
        "a.my.example.com",
        "https://evil.com",
        "http://a.my.example.com",
        "https://a.my.example.com@evil.com",
    ] {
        assert!(
            one(origin.clone(), typed)
                .unwrap_err()
                .contains("whole address"),
            "{typed}"
        );
    }
}
