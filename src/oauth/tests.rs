//! Where requests go: no value of a context moves one to another host.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::expression::{AllowedHosts, PlainHttp};

/// A client with the file's settings over some usual ones, for a context that knows its id and secret.
pub(super) fn with_client(config: &Value, context: &Value, act: impl FnOnce(&GrantClient)) {
    with_pins(config, context, None, act);
}

fn with_pins(
    config: &Value,
    context: &Value,
    allowed_hosts: Option<&AllowedHosts>,
    act: impl FnOnce(&GrantClient),
) {
    let mut whole = json!({
        "auth": {
            "tokenHost": "https://login.x.com", "tokenPath": "/token", "authorizePath": "/authorize",
            "revokePath": "/revoke", "introspectPath": "/introspect"
        }
    });
    crate::json::merge(&mut whole, config);
    let config: OAuth2 = serde_json::from_value(whole).unwrap();
    let mut known = json!({ "client_id": "id", "client_secret": "s3cret" });
    crate::json::merge(&mut known, context);
    let (variables, dotted_keys) = (json!({ "var": "v" }), BTreeSet::new());
    let scope = TemplateScope::new(&known).with_environment_variables(&variables);
    let pins = Pins {
        allowed_hosts,
        dotted_keys: &dotted_keys,
        plain_http: PlainHttp::Refused,
    };
    let moment = super::JwtMoment {
        now: crate::time::Timestamp::from_millis(1_700_000_000_000),
        id: [1; 16],
        random: [2; 32],
    };
    act(&GrantClient {
        moment,
        server: None,
        config: &config,
        scope: &scope,
        pins: &pins,
    });
}

pub(super) fn verifier() -> Verifier {
    Verifier::new([7; 32])
}

fn urls(client: &GrantClient) -> Vec<Result<Url, OAuthError>> {
    let verifier = verifier();
    let login = Authorize {
        state: "s",
        redirect_uri: "https://gate.example/callback",
        scopes: None,
        verifier: Some(&verifier),
    };
    vec![
        authorization_url(client, &login),
        exchange(
            client,
            "c",
            "https://gate.example/callback",
            Some(&verifier),
        )
        .map(|r| r.url),
        refresh(client, "r").map(|r| r.url),
        client_credentials(client, None).map(|r| r.url),
        keka(client).map(|r| r.url),
        revoke(client, "t").map(|r| r.unwrap().url),
        introspect(client, "t").map(|r| r.unwrap().url),
    ]
}

#[test]
fn no_subdomain_moves_a_request_to_another_host() {
    let config = json!({ "auth": { "tokenHost": "https://{{subdomain}}.x.com", "tokenPath": "/{{tenant}}/token" } });
    for subdomain in [
        "evil.com/",
        "a@evil.com",
        "evil.com#",
        "evil.com?",
        "evil.com\\",
        "evil.com:443",
        "x.y",
        "",
        "evil。com",
        "evil．com",
        "ｅvil",
        "evil\u{200b}",
        "еvil",
        "a\r\nHost: evil.com",
        "%2f",
        "..",
        "-",
        "a b",
        "xn--80ak6aa92e.com",
    ] {
        let context = json!({ "subdomain": subdomain, "tenant": "t", "api_key": "k" });
        with_client(&config, &context, |client| {
            for url in urls(client) {
                assert_eq!(
                    url,
                    Err(UrlError::Host("subdomain".to_owned()).into()),
                    "{subdomain:?}"
                );
            }
        });
    }
    for tenant in [
        "//evil.com",
        "?a",
        "#a",
        "@evil.com",
        "a\r\nb",
        "a/b",
        "\\\\evil.com",
    ] {
        let context = json!({ "subdomain": "acme", "tenant": tenant, "api_key": "k" });
        with_client(&config, &context, |client| {
            let url = refresh(client, "r").unwrap().url;
            assert_eq!(url.host_str(), Some("acme.x.com"), "{tenant}");
            assert!(
                url.path().ends_with("/token") && url.query().is_none(),
                "{url}"
            );
        });
    }
    with_client(
        &config,
        &json!({ "subdomain": "acme", "tenant": ".." }),
        |client| {
            assert!(refresh(client, "r").is_err());
        },
    );
}

#[test]
fn a_whole_origin_goes_only_where_the_file_allows() {
    let allowed = AllowedHosts::parse(["*.my.x.com"]).unwrap();
    let config = json!({ "auth": { "tokenHost": "{{instance_url}}" } });
    let table = [
        ("https://acme.my.x.com", Some("https://acme.my.x.com/token")),
        (
            "https://acme.my.x.com/base/",
            Some("https://acme.my.x.com/base/token"),
        ),
        ("https://evil.com", None),
        ("https://evil.com#.my.x.com", None),
        ("https://evil.com/.my.x.com", None),
        ("https://evil.com?.my.x.com", None),
        ("https://a.my.x.com@evil.com", None),
        ("https://evil.com\\.my.x.com", None),
        ("https://a.my.x.com:8443", None),
        ("https://my.x.com", None),
        ("http://acme.my.x.com", None),
        ("https://acme。my.x.com", None),
        ("//acme.my.x.com", None),
    ];
    for (instance, expected) in table {
        let context = json!({ "instance_url": instance });
        with_pins(&config, &context, Some(&allowed), |client| {
            let url = refresh(client, "r").map(|request| request.url.to_string());
            assert_eq!(url.ok().as_deref(), expected, "{instance}");
        });
        with_client(&config, &context, |client| {
            assert!(refresh(client, "r").is_err(), "{instance}");
        });
    }
}

#[test]
fn an_endpoint_the_file_does_not_name_is_an_error() {
    let config = json!({ "auth": null });
    with_client(&config, &json!({ "api_key": "k" }), |client| {
        let verifier = verifier();
        let token = OAuthError::NoEndpoint("token");
        let exchanged = exchange(client, "c", "r", Some(&verifier)).unwrap_err();
        assert_eq!(exchanged, token);
        assert_eq!(client_credentials(client, None).unwrap_err(), token);
        assert_eq!(keka(client).unwrap_err(), token);
        assert_eq!(
            refresh(client, "r").unwrap_err(),
            OAuthError::NoEndpoint("refresh")
        );
        assert!(revoke(client, "t").unwrap().is_none());
        assert!(introspect(client, "t").unwrap().is_none());
    });
}
