//! Encoding by place, joining, what is refused while compiling.

mod hosts;

use std::collections::BTreeSet;

use super::{PathTemplate, Pins, PlainHttp, UrlError, UrlTemplate};
use crate::expression::{AllowedHosts, TemplateScope};
use serde_json::{Value, json};

fn pins<'a>(allowed: Option<&'a AllowedHosts>, dotted: &'a BTreeSet<String>) -> Pins<'a> {
    Pins {
        allowed_hosts: allowed,
        dotted_keys: dotted,
        plain_http: PlainHttp::Allowed,
    }
}

fn join(base: &str, path: &str, context: &Value) -> Result<String, UrlError> {
    join_with(base, path, context, &[])
}

fn join_with(
    base: &str,
    path: &str,
    context: &Value,
    allowed: &[&str],
) -> Result<String, UrlError> {
    let allowed = AllowedHosts::parse(allowed.iter().copied()).unwrap();
    let dotted = BTreeSet::from(["dotted".to_owned()]);
    let base = UrlTemplate::parse(base).unwrap();
    let path = PathTemplate::parse(path).unwrap();
    let url = base.join(
        &path,
        &TemplateScope::new(context),
        &pins(Some(&allowed), &dotted),
    )?;
    Ok(url.to_string())
}

#[test]
fn base_and_path_meet_with_one_slash_and_values_are_encoded() {
    let context = json!({"id": 7, "a": "x y/z", "q": "a&b=c#d", "sub": "Acme", "u": "ü", "own": {"v": "v1"}, "bot": "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", "key": "dataAreaId='usmf',Id='1'"});
    let table = [
        ("https://api.x.com", "", "https://api.x.com/"),
        ("https://api.x.com/", "/users", "https://api.x.com/users"),
        (
            "https://api.x.com/v1/",
            "users/",
            "https://api.x.com/v1/users/",
        ),
        (
            "https://api.x.com/v1",
            "?a={{q}}",
            "https://api.x.com/v1?a=a%26b%3Dc%23d",
        ),
        ("https://api.x.com/v1/", "", "https://api.x.com/v1/"),
        (
            "https://api.x.com?k=1",
            "/u?l={{a}}",
            "https://api.x.com/u?k=1&l=x%20y%2Fz",
        ),
        (
            "https://api.x.com/{{own.v}}",
            "/u/{{a}}.json",
            "https://api.x.com/v1/u/x%20y%2Fz.json",
        ),
        // A bot's token, and an id with a comma, as their providers document them.
        (
            "https://api.x.com",
            "/bot{{bot}}/u({{key}})",
            "https://api.x.com/bot123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11/u(dataAreaId='usmf',Id='1')",
        ),
        (
            "https://api.x.com",
            "/u?k={{key}}",
            "https://api.x.com/u?k=dataAreaId%3D%27usmf%27%2CId%3D%271%27",
        ),
        (
            "https://{{sub}}.x.com",
            "/{{u}}",
            "https://acme.x.com/%C3%BC",
        ),
        (
            "https://{{sub}}-eu.api.x.com:8443",
            "/",
            "https://acme-eu.api.x.com:8443/",
        ),
        (
            "http://localhost:4873",
            "/-/all",
            "http://localhost:4873/-/all",
        ),
        ("http://[::1]:80/a", "/b", "http://[::1]/a/b"),
    ];
    for (base, path, expected) in table {
        assert_eq!(
            join(base, path, &context).as_deref(),
            Ok(expected),
            "{base} {path}"
        );
    }
}

#[test]
fn a_value_in_a_path_stays_one_segment() {
    for value in [
        "",
        ".",
        "..",
        "%2e%2e",
        "%2E",
        "..%2f..",
        "../..",
        "..\\..",
        "%252e%252e",
        "..;",
        "..;x=y",
    ] {
        let error = join("https://x.com", "/users/{{v}}/all", &json!({"v": value})).unwrap_err();
        assert_eq!(
            error,
            UrlError::Segment("/users/{{v}}/all".to_owned()),
            "{value:?}"
        );
    }
    for (template, context) in [
        ("/.{{v}}", json!({"v": "."})),
        ("/{{v}}{{w}}", json!({"v": ".", "w": "."})),
        ("/%2e{{v}}", json!({"v": "."})),
        ("/{{v:undefined}}", json!({})),
    ] {
        assert!(
            matches!(
                join("https://x.com", template, &context),
                Err(UrlError::Segment(_))
            ),
            "{template}"
        );
    }
    let context = json!({"v": "//evil.com", "w": "?a=b", "x": "#f", "y": "a\r\nb"});
    assert_eq!(
        join("https://x.com", "/{{v}}/{{w}}/{{x}}/{{y}}", &context).unwrap(),
        "https://x.com/%2F%2Fevil.com/%3Fa=b/%23f/a%0D%0Ab"
    );
}

#[test]
fn a_missing_value_is_an_error_that_names_it() {
    let error = join("https://x.com", "/users/{{id_of_user}}", &json!({})).unwrap_err();
    assert!(error.to_string().contains("id_of_user"), "{error}");
    assert!(join("https://{{sub}}.x.com", "", &json!({"sub": null})).is_err());
}

#[test]
fn what_is_not_a_url_template_is_refused_while_compiling() {
    for source in [
        "",
        "api.x.com",
        "/x",
        "ftp://x.com",
        "https://",
        "https:///x",
        "https://u@x.com",
        "https://x.com#f",
        "https://x.com\\y",
        "https://x .com",
        "{{a}}.x.com",
        "{{a}}{{b}}",
        "https://x.com:",
        "https://x.com:80a",
        "https://x.com/../y",
        "https://x.com/./",
        "https://x.com/%2e%2e",
        "https://x.com//y",
        "https:/x.com",
        "{{a:uint}}",
        "https://x.com/{{a",
        "{{a}}@x.com",
    ] {
        assert!(UrlTemplate::parse(source).is_err(), "{source}");
    }
    for source in ["//evil.com", "/a/../b", "/a#b", "/a\\b", "..", "/a\nb"] {
        assert!(PathTemplate::parse(source).is_err(), "{source}");
    }
}
