use serde_json::{Map, Value, json};

use super::MOST_ALSO_FOR;
use crate::config::read_config;

fn found(credential: &Value, more: &Value) -> Vec<String> {
    let mut file = json!({
        "base_url": "https://api.example.com",
        "credentials": credential,
        "authorization": {"format": "bearer"}
    });
    crate::json::merge(&mut file, more);
    let findings = read_config(&file).1;
    let errors = findings
        .into_iter()
        .filter(|one| one.level == crate::config::Level::Error);
    errors.map(|one| one.path).collect()
}

fn oauth2(also: &Value) -> Value {
    json!({"oauth2": {"config": {
        "client": {"id": "{{environment_variables.id}}", "secret": "{{environment_variables.secret}}"},
        "auth": {"authorizeUrl": "https://login.example.com/a", "tokenUrl": "https://login.example.com/t"},
        "alsoFor": also
    }}})
}

#[test]
fn a_further_token_has_a_name_an_endpoint_and_a_grant() {
    let at = "config.credentials.oauth2.config.alsoFor";
    assert!(found(&oauth2(&json!({"crm": {"scope": ["a"]}})), &json!({})).is_empty());
    let named = found(&oauth2(&json!({"c.rm": {}, "": {}})), &json!({}));
    assert_eq!(named, [format!("{at}."), format!("{at}.c.rm")]);
    let many = |count: usize| -> Value {
        Value::Object(
            (0..count)
                .map(|n| (format!("n{n}"), json!({})))
                .collect::<Map<_, _>>(),
        )
    };
    assert!(found(&oauth2(&many(MOST_ALSO_FOR)), &json!({})).is_empty());
    assert_eq!(found(&oauth2(&many(MOST_ALSO_FOR + 1)), &json!({})), [at]);
    let reserved =
        json!({"crm": {"params": {"grant_type": "{{a}}", "refresh_token": "x", "audience": "y"}}});
    let reserved = found(&oauth2(&reserved), &json!({}));
    assert_eq!(
        reserved,
        [
            format!("{at}.crm.params.grant_type"),
            format!("{at}.crm.params.refresh_token")
        ]
    );
    let open = found(
        &oauth2(&json!({"crm": {"tokenUrl": "{{host}}/t"}})),
        &json!({}),
    );
    assert!(
        open.iter()
            .any(|path| path == &format!("{at}.crm.tokenUrl")),
        "{open:?}"
    );
}

#[test]
fn only_authorization_reads_one_that_is_declared() {
    let credential = oauth2(&json!({"crm": {}}));
    let read = |name: &str| format!("{{{{oauth.token.also.{name}.access_token}}}}");
    let bearer = |name: &str| json!({"format": "bearer", "config": {"token": read(name)}});
    for (more, expected) in [
        (json!({"authorization": bearer("crm")}), vec![]),
        (
            json!({"resources": {"r": {"list": {"path": "/", "authorization": [bearer("crm")]}}}}),
            vec![],
        ),
        (
            json!({"authorization": bearer("erp")}),
            vec!["config.authorization.config.token"],
        ),
        (
            json!({"headers": {"x": read("crm")}}),
            vec!["config.headers.x"],
        ),
        (json!({"body": {"x": read("crm")}}), vec!["config.body.x"]),
        (
            json!({"headers": {"authorization": read("crm")}}),
            vec!["config.headers.authorization"],
        ),
        (
            json!({"body": {"authorization": {"x": read("crm")}}}),
            vec!["config.body.authorization.x"],
        ),
        (
            json!({"resources": {"authorization": {"list": {"path": "/", "query": {"q": read("crm")}}}}}),
            vec!["config.resources.authorization.list.query.q"],
        ),
        (
            json!({"headers": {"x": "{{context.oauth.token:json}}"}}),
            vec!["config.headers.x"],
        ),
        (
            json!({"authorization": {"format": "bearer", "config": {"token": "{{oauth.token.also}}"}}}),
            vec!["config.authorization.config.token"],
        ),
        (json!({"headers": {"x": "{{oauth.token.scope}}"}}), vec![]),
        (
            json!({"resources": {"r": {"list": {"path": "/", "query": {"q": read("crm")}}}}}),
            vec!["config.resources.r.list.query.q"],
        ),
    ] {
        assert_eq!(found(&credential, &more), expected, "{more}");
    }
    let whole = json!({"headers": {"x": "{{oauth.token:json}}"}});
    assert!(found(&oauth2(&json!({})), &whole).is_empty());
}

#[test]
fn a_request_that_gets_a_token_carries_none() {
    let token = "{{oauth.token.also.crm.access_token}}";
    let bearer = json!({"format": "bearer", "config": {"token": token}});
    let request = json!({"type": "request", "config": {"path": "/", "authorization": bearer}});
    for (name, is_found) in [
        ("refresh_token", true),
        ("exchange_code", true),
        ("go", false),
    ] {
        let action = json!({"actions": {name: {"steps": [{"any_of": [request]}]}}});
        let at =
            format!("config.actions.{name}.steps[0].any_of[0].config.authorization.config.token");
        let paths = found(&oauth2(&json!({"crm": {}})), &action);
        assert_eq!(paths.contains(&at), is_found, "{name}: {paths:?}");
    }
}

#[test]
fn one_that_no_request_carries_is_noted() {
    let computed = |source: &str| json!({"format": "header", "config": {"expression": source}});
    for (authorization, is_noted) in [
        (json!({"format": "bearer"}), true),
        (computed("{'x': context.oauth.token.access_token}"), true),
        (
            computed("{'x': context.oauth.token.also.crm.access_token}"),
            false,
        ),
        (
            json!([{"format": "bearer", "config": {"token": "{{oauth.token.also.crm.access_token}}"}}]),
            false,
        ),
    ] {
        let mut file =
            json!({"base_url": "https://api.example.com", "authorization": authorization});
        file["credentials"] = oauth2(&json!({"crm": {}}));
        let noted = read_config(&file).1.into_iter().any(|one| {
            one.level == crate::config::Level::Warning
                && one.path == "config.credentials.oauth2.config.alsoFor.crm"
        });
        assert_eq!(noted, is_noted, "{authorization}");
    }
}
