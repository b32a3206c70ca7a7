//! Host pinning: no value moves scheme, host or port.

use std::collections::BTreeSet;

use super::{join, join_with, pins};
use crate::expression::TemplateScope;
use crate::expression::url::{Pins, PlainHttp, UrlError, UrlTemplate};
use serde_json::json;

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
