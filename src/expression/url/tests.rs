//! Host pinning, encoding by place, joining.

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
    let context =
        json!({"id": 7, "a": "x y/z", "q": "a&b=c#d", "sub": "Acme", "u": "ü", "own": {"v": "v1"}});
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
fn no_value_moves_the_host() {
    let values = [
        "evil.com/",
        "a@evil.com",
        "evil.com#",
        "evil.com?",
        "x.y",
        "a\\",
        "a\t",
        "a\n",
        "",
        "-a",
        "a-",
        "ａ",
        "a%2eb",
        "%2e%2e",
        "evil。com",
        "a:1",
        "a/../..",
        "xn--a b",
        "a\u{200b}b",
    ];
    for value in values {
        let error = join("https://{{sub}}.x.com", "/", &json!({"sub": value})).unwrap_err();
        assert_eq!(error, UrlError::Host("sub".to_owned()), "{value:?}");
    }
    assert_eq!(
        join("https://{{dotted}}.x.com", "/", &json!({"dotted": "a.b"})).unwrap(),
        "https://a.b.x.com/"
    );
    assert!(join("https://{{dotted}}.x.com", "/", &json!({"dotted": "a..b"})).is_err());
    assert!(
        join(
            "https://{{dotted|sub}}.x.com",
            "/",
            &json!({"dotted": "a.b"})
        )
        .is_err()
    );
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
        "https://x.com/%2F%2Fevil.com/%3Fa%3Db/%23f/a%0D%0Ab"
    );
}

#[test]
fn a_missing_value_is_an_error_that_names_it() {
    let error = join("https://x.com", "/users/{{id_of_user}}", &json!({})).unwrap_err();
    assert!(error.to_string().contains("id_of_user"), "{error}");
    assert!(join("https://{{sub}}.x.com", "", &json!({"sub": null})).is_err());
}

#[test]
fn a_host_is_pinned_by_its_own_last_two_labels() {
    let table = [
        ("https://api.x.com", true),
        ("http://localhost:4873", true),
        ("https://{{a}}.x.com", true),
        ("https://{{a}}-eu.x.com", true),
        ("https://{{a}}-x.com", false),
        ("https://{{a}}x.com", false),
        ("https://{{a}}.com", false),
        ("https://api.{{a}}", false),
        ("https://{{a}}", false),
        ("https://{{a}}.x.com:{{port}}", false),
        ("{{scheme}}://api.x.com", false),
        ("{{a}}", false),
        ("{{a}}/services", false),
        ("https://api.x.com/{{a}}?b={{c}}", true),
        ("https://{{a}}..com", false),
    ];
    for (source, pinned) in table {
        assert_eq!(
            UrlTemplate::parse(source).unwrap().host_is_pinned(),
            pinned,
            "{source}"
        );
    }
}

#[test]
fn where_the_host_is_not_pinned_allowed_hosts_decides() {
    let table = [
        (
            "{{u}}/services",
            "https://acme.my.x.com",
            "*.my.x.com",
            Ok("https://acme.my.x.com/services/p"),
        ),
        (
            "{{u}}",
            "https://acme.my.x.com/base/",
            "*.my.x.com",
            Ok("https://acme.my.x.com/base/p"),
        ),
        (
            "{{u}}",
            "https://evil.com",
            "*.my.x.com",
            Err(UrlError::NotAllowed("{{u}}".to_owned())),
        ),
        (
            "{{u}}",
            "https://acme.my.x.com:8443",
            "*.my.x.com",
            Err(UrlError::NotAllowed("{{u}}".to_owned())),
        ),
        (
            "{{u}}",
            "http://acme.my.x.com",
            "*.my.x.com",
            Err(UrlError::NotAllowed("{{u}}".to_owned())),
        ),
        (
            "{{u}}",
            "https://own.server:8443/api",
            "*",
            Ok("https://own.server:8443/api/p"),
        ),
        (
            "{{u}}",
            "acme.my.x.com",
            "*",
            Err(UrlError::Origin("u".to_owned())),
        ),
        (
            "{{u}}",
            "https://u@acme.my.x.com",
            "*",
            Err(UrlError::Origin("u".to_owned())),
        ),
        (
            "{{u}}",
            "https://a.x.com?x=",
            "*",
            Err(UrlError::Origin("u".to_owned())),
        ),
        (
            "https://{{u}}.com",
            "evil",
            "good.com",
            Err(UrlError::NotAllowed("https://{{u}}.com".to_owned())),
        ),
        (
            "https://{{u}}.com",
            "good",
            "good.com",
            Ok("https://good.com/p"),
        ),
        (
            "https://a.x.com:{{u}}",
            "8443",
            "a.x.com:8443",
            Ok("https://a.x.com:8443/p"),
        ),
        (
            "https://a.x.com:{{u}}",
            "80@evil.com",
            "*",
            Err(UrlError::SchemeOrPort("u".to_owned())),
        ),
        (
            "{{u}}://a.x.com",
            "javascript",
            "*",
            Err(UrlError::SchemeOrPort("u".to_owned())),
        ),
    ];
    for (base, value, allowed, expected) in table {
        let result = join_with(base, "/p", &json!({"u": value}), &[allowed]);
        assert_eq!(result, expected.map(str::to_owned), "{base} {value}");
    }
}

#[test]
fn plain_http_needs_the_callers_word() {
    let (dotted, context) = (BTreeSet::new(), json!({}));
    let refused = Pins {
        plain_http: PlainHttp::Refused,
        ..pins(None, &dotted)
    };
    let base = UrlTemplate::parse("http://localhost:4873").unwrap();
    let scope = TemplateScope::new(&context);
    assert!(matches!(
        base.render(&scope, &refused),
        Err(UrlError::PlainHttp(_))
    ));
    assert!(base.render(&scope, &pins(None, &dotted)).is_ok());
}

#[test]
fn the_keys_of_an_origin_are_those_before_the_path() {
    let url = UrlTemplate::parse(
        "https://{{context.sub|environment_variables.sub}}.{{zone?:eu}}.x.com/{{id}}/{{v}}",
    )
    .unwrap();
    assert_eq!(
        url.origin_keys(),
        BTreeSet::from(["sub".to_owned(), "zone".to_owned()])
    );
    let whole = UrlTemplate::parse("{{oauth.token.instance_url}}/x").unwrap();
    assert_eq!(whole.origin_keys(), BTreeSet::from(["oauth".to_owned()]));
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
