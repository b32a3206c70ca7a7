mod origins;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{OriginFields, Problems, TEXT_CHARACTERS, read};
use crate::config::Field;
use crate::expression::{AllowedHosts, OriginPlace, Pins, PlainHttp};

fn fields(fields: Value) -> Vec<Field> {
    serde_json::from_value(fields).unwrap()
}

fn pairs(posted: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    posted.iter().map(owned).collect()
}

fn read_with(
    declared: Value,
    posted: &[(&str, &str)],
    kept: Option<&Value>,
) -> Result<Map<String, Value>, Problems> {
    let declared = fields(declared);
    let places = BTreeMap::from([
        ("host".to_owned(), BTreeSet::from([OriginPlace::Host])),
        ("origin".to_owned(), BTreeSet::from([OriginPlace::Whole])),
    ]);
    let hosts = AllowedHosts::parse(["*.my.example.com"]).unwrap();
    let dotted = declared.iter().filter(|field| field.allow_dots);
    let origins = OriginFields {
        places: &places,
        pins: Pins {
            allowed_hosts: Some(&hosts),
            dotted_keys: &dotted.map(|field| field.name.clone()).collect(),
            plain_http: PlainHttp::Refused,
        },
    };
    read(&declared, &pairs(posted), kept, &origins)
}

/// What one field makes of a text: the value, or the words.
fn one(mut field: Value, typed: &str) -> Result<Value, String> {
    let name = field["name"].as_str().unwrap_or("f").to_owned();
    field["name"] = json!(name);
    match read_with(json!([field]), &[(&name, typed)], None) {
        Ok(mut values) => Ok(values.remove(&name).unwrap_or(json!("absent"))),
        Err(problems) => Err(problems.of(&name).unwrap().to_owned()),
    }
}

#[test]
fn only_declared_fields_are_taken_and_the_last_of_a_name_counts() {
    let values = read_with(
        json!([{"name": "a"}, {"name": "b"}]),
        &[("a", "1"), ("oauth", "x"), ("__proto__", "y"), ("a", " 2 ")],
        None,
    );
    assert_eq!(Value::Object(values.unwrap()), json!({"a": "2"}));
}

#[test]
fn texts_and_passwords_are_trimmed() {
    assert_eq!(one(json!({}), "\u{feff} a b \u{200b}\n"), Ok(json!("a b")));
    assert_eq!(
        one(json!({"type": "password"}), "\u{a0}p q\r\n"),
        Ok(json!("p q"))
    );
}

#[test]
fn formats_are_checked_and_values_stay_text() {
    let table: [(&str, &[&str], &[&str]); 4] = [
        (
            "email",
            &["a@b.example", "o'neil+x@b"],
            &["a", "a@", "@b", "a@b@c", "a b@c", "a@b.c\nx"],
        ),
        (
            "number",
            &["007", "-1.5", "18446744073709551616"],
            &["1e5", "NaN", "inf", "1.", ".5", "+1", "１", "1,5"],
        ),
        (
            "uuid",
            &["123E4567-e89b-12d3-a456-426614174000"],
            &[
                "123e4567e89b12d3a456426614174000",
                "{123e4567-e89b-12d3-a456-426614174000}",
                "x",
            ],
        ),
        (
            "url",
            &[
                "https://a.example/x?y",
                "HTTP://a.example:8/",
                "https://[::1]/",
            ],
            &[
                "a.example",
                "//a.example",
                "https:a.example",
                "https:///a.example",
                "https:\\\\a",
                "javascript:alert(1)",
                "data:,x",
                "ftp://a",
                "https://u:p@a.example",
                "https://",
                "https://a b",
            ],
        ),
    ];
    for (format, good, bad) in table {
        for text in good {
            assert_eq!(
                one(json!({"format": format}), text),
                Ok(json!(text)),
                "{format} {text}"
            );
        }
        for text in bad {
            let words = one(json!({"format": format, "label": "L"}), text).unwrap_err();
            assert!(words.starts_with("“L” must be"), "{format} {text}: {words}");
        }
    }
}

#[test]
fn a_pattern_is_met_by_the_whole_value() {
    let field = |pattern: &str| json!({"pattern": pattern, "placeholder": "abc"});
    assert!(one(field("a|ab"), "ab").is_ok());
    assert!(one(field("a"), "ab").unwrap_err().contains("such as “abc”"));
    assert!(one(field("^[a-z]+$"), "abc\u{2028}x").is_err());
    assert!(one(field("(?m)^a$"), "a b").is_err());
}

#[test]
fn a_pattern_is_met_in_the_case_that_is_stored() {
    let lower = json!({"pattern": "^[a-z0-9-]+$", "transform": "lowercase"});
    assert_eq!(one(lower.clone(), "MyCompany"), Ok(json!("mycompany")));
    assert!(one(lower, "My Company").is_err());
    let upper = json!({"pattern": "^[A-Za-z]{2}$", "transform": "uppercase"});
    assert_eq!(one(upper, "de"), Ok(json!("DE")));
    let pin = json!({"type": "password", "format": "number", "transform": "sha256"});
    let hash = "03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4";
    assert_eq!(one(pin, "1234"), Ok(json!(hash)));
}

#[test]
fn a_select_takes_what_it_offers_and_nothing_else() {
    let options = json!([
        {"label": "One", "value": 1}, {"label": "None", "value": ""}, {"label": "Deep", "value": {"a": [true]}},
        {"label": "Eu", "value": "EU"}
    ]);
    let field = json!({"type": "single_select", "options": options, "transform": "lowercase", "required": true});
    for (typed, expected) in [
        ("1", json!(1)),
        ("", json!("")),
        ("{\"a\":[true]}", json!({"a": [true]})),
        ("EU", json!("eu")),
    ] {
        assert_eq!(one(field.clone(), typed), Ok(expected), "{typed}");
    }
    for typed in ["2", "One", "\"><script>", "null"] {
        let words = one(field.clone(), typed).unwrap_err();
        assert_eq!(words, "Choose one of the options of “f”.");
    }
    let field = json!({"type": "single_select", "required": true, "options": [{"label": "A", "value": "a"}]});
    assert_eq!(one(field, ""), Err("Choose an option for “f”.".to_owned()));
}

#[test]
fn an_empty_value_is_its_default_or_missing() {
    assert_eq!(
        one(json!({"required": true, "label": "Shop"}), "  "),
        Err("Fill in “Shop”.".to_owned())
    );
    assert_eq!(
        one(json!({"required": true, "default": {"any": 1}}), ""),
        Ok(json!({"any": 1}))
    );
    assert_eq!(
        one(json!({"default": "EU", "transform": "lowercase"}), ""),
        Ok(json!("eu"))
    );
    assert_eq!(one(json!({}), ""), Ok(json!("absent")));
    let none_posted = read_with(json!([{"name": "a", "required": true}]), &[], None);
    assert!(none_posted.unwrap_err().of("a").is_some());
}

#[test]
fn re_authorising_keeps_secrets_left_empty_and_drops_what_was_emptied() {
    let declared = json!([
        {"name": "p", "type": "password", "required": true}, {"name": "api_key", "required": true},
        {"name": "h", "transform": "sha256"}, {"name": "note"}, {"name": "unposted"}, {"name": "shop", "required": true}
    ]);
    let kept = json!({"p": "old", "api_key": "old", "h": "hash", "note": "n", "unposted": "u", "shop": "s"});
    let posted = [
        ("p", ""),
        ("api_key", ""),
        ("h", ""),
        ("note", ""),
        ("shop", "new"),
    ];
    let values = read_with(declared.clone(), &posted, Some(&kept)).unwrap();
    assert_eq!(Value::Object(values), json!({"note": null, "shop": "new"}));
    let problems = read_with(declared.clone(), &posted, Some(&json!({"p": null}))).unwrap_err();
    let named: Vec<&str> = problems.iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["api_key", "p"]);
    let problems = read_with(declared, &[("shop", "")], Some(&kept)).unwrap_err();
    assert_eq!(problems.of("shop"), Some("Fill in “shop”."));
}

#[test]
fn control_characters_and_excess_are_refused() {
    for typed in [
        "a\nb",
        "a\0b",
        "a\r\nset-cookie: x",
        "a\u{85}b",
        "a\tb",
        "a\u{1b}[0m",
    ] {
        for kind in ["text", "password"] {
            let words = one(json!({"type": kind}), typed).unwrap_err();
            assert!(words.contains("one line"), "{kind} {typed:?}");
        }
    }
    let long = "😀".repeat(TEXT_CHARACTERS);
    assert!(one(json!({}), &long).is_ok());
    assert!(
        one(json!({}), &format!("{long}x"))
            .unwrap_err()
            .contains("4,000")
    );
    assert!(one(json!({"type": "password"}), &format!("{long}x")).is_ok());
    assert!(
        one(json!({"type": "password"}), &"x".repeat(8_001))
            .unwrap_err()
            .contains("8,000")
    );
}

#[test]
fn no_problem_repeats_what_was_typed() {
    let typed = "hunter2 \"><script>";
    for extra in [
        json!({"type": "password", "format": "number"}),
        json!({"type": "password", "pattern": "x"}),
        json!({"format": "url"}),
        json!({"name": "host"}),
        json!({"name": "origin"}),
        json!({"type": "single_select"}),
    ] {
        let words = one(extra, typed).unwrap_err();
        assert!(
            !words.contains("hunter2") && !words.contains("script"),
            "{words}"
        );
    }
}

#[test]
fn text_around_an_input_is_no_part_of_its_value() {
    let field = json!({"prefix": "https://", "suffix": ".example.com"});
    for typed in [
        "acme",
        "https://acme.example.com",
        "acme.example.com",
        " https://acme ",
    ] {
        assert_eq!(one(field.clone(), typed), Ok(json!("acme")), "{typed}");
    }
    let required = json!({"suffix": ".example.com", "required": true});
    assert!(one(required, ".example.com").is_err());
}

#[test]
fn a_hostname_is_labels_with_dots() {
    let field = json!({"format": "hostname"});
    let long = format!("{}.com", "a".repeat(63));
    for typed in ["app.example.com", "A-1.x", &long] {
        assert_eq!(one(field.clone(), typed), Ok(json!(typed)));
    }
    let too_long = format!("{}.com", "a".repeat(64));
    let whole = vec!["a".repeat(49); 6].join(".");
    for typed in [
        "localhost",
        "https://a.b",
        "a.b/",
        "a.b:1",
        "a..b",
        "-a.b",
        "a-.b",
        "a b.c",
        "ä.de",
        &too_long,
        &whole,
    ] {
        let words = one(field.clone(), typed).unwrap_err();
        assert!(words.contains("name of a server"), "{typed}: {words}");
    }
}

#[test]
fn a_value_must_not_match_what_is_refused() {
    let field =
        json!({"not_pattern": "sk_test_.*", "pattern": "sk_.*", "placeholder": "sk_live_1"});
    assert_eq!(one(field.clone(), "sk_live_7"), Ok(json!("sk_live_7")));
    for typed in ["sk_test_7", "pk_live_7"] {
        assert!(one(field.clone(), typed).unwrap_err().contains("sk_live_1"));
    }
    let folded = json!({"not_pattern": "test.*", "transform": "lowercase"});
    assert!(one(folded, "TEST1").is_err());
}

fn by_choice() -> Value {
    json!([
        {"name": "edition", "type": "single_select", "required": true, "options": [
            {"label": "Cloud", "value": "cloud", "set": {"zone": "eu.example.com", "port": 443}},
            {"label": "Server", "value": "server", "set": {"zone": "example.com"}},
        ]},
        {"name": "server", "required": true, "visible_when": {"field": "edition", "is": ["server"]}},
        {"name": "key", "type": "password", "required": true, "visible_when": {"field": "edition", "is": ["server"]}},
    ])
}

#[test]
fn a_choice_fills_several_values_and_shows_fields() {
    let cloud = read_with(
        by_choice(),
        &[("edition", "cloud"), ("server", "ignored")],
        None,
    );
    assert_eq!(
        Value::Object(cloud.unwrap()),
        json!({"zone": "eu.example.com", "port": 443, "edition": "cloud"})
    );
    let posted = [("edition", "server"), ("server", "a"), ("key", "k")];
    let server = read_with(by_choice(), &posted, None).unwrap();
    assert_eq!(
        Value::Object(server),
        json!({"zone": "example.com", "edition": "server", "server": "a", "key": "k"})
    );
    let missing = read_with(by_choice(), &[("edition", "server")], None).unwrap_err();
    let named: Vec<&str> = missing.iter().map(|(name, _)| name).collect();
    assert_eq!(named, ["key", "server"]);
    let none = read_with(by_choice(), &[("edition", "other")], None).unwrap_err();
    assert!(none.of("edition").is_some());
}

#[test]
fn another_choice_removes_what_the_first_one_brought() {
    let kept = json!({"edition": "server", "server": "a", "key": true, "zone": "example.com", "port": 443});
    let cloud = read_with(by_choice(), &[("edition", "cloud")], Some(&kept)).unwrap();
    assert_eq!(
        Value::Object(cloud),
        json!({"edition": "cloud", "zone": "eu.example.com", "port": 443, "server": null, "key": null})
    );
    let server = read_with(
        by_choice(),
        &[("edition", "server"), ("server", "b")],
        Some(&kept),
    );
    assert_eq!(
        Value::Object(server.unwrap()),
        json!({"edition": "server", "zone": "example.com", "port": null, "server": "b"})
    );
}
