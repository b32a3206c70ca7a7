//! Where a provider's exchange leaves RFC 6749: names, headers, parts of the callback, and steps in place of the token request.

use causeway::config::read;
use causeway::ports::Body;
use serde_json::{Value, json};
use url::Url;

use crate::account::JSON;
use crate::cases::each_case;
use crate::client::{Answer, Setting};
use crate::connect::{Visit, parameter};
use crate::connect_shipped::form_of;
use crate::outside::{World, reply};

fn file(config: &Value) -> Value {
    let mut credential = json!({
        "client": { "id": "our-id", "secret": "our-secret" },
        "auth": { "authorizeUrl": "https://login.named-provider.example/authorize", "tokenUrl": "https://login.named-provider.example/token" },
        "fields": [{ "name": "shop", "label": "Shop" }],
    });
    for (key, value) in config.as_object().unwrap() {
        // A null is a value here: a merge would remove it.
        match key.as_str() {
            "client" | "auth" => causeway::json::merge(&mut credential[key], value),
            _ => credential[key] = value.clone(),
        }
    }
    json!({
        "name": "oauth-shop",
        "config": {
            "base_url": "https://api.named-provider.example",
            "credentials": { "oauth2": { "config": credential } },
            "authorization": { "format": "bearer" },
            "resources": { "items": { "get": { "path": "/items/{{id}}" } } },
        },
    })
}

fn visit(file: &Value) -> Visit {
    assert_eq!(read(file).findings, [], "the file has no findings");
    let world = World::new();
    let setting = Setting::new(&world, file);
    Visit::with(world, setting, &json!({ "tenant_id": "acme" }))
}

fn come_back(visit: &mut Visit, query: &str) -> Answer {
    visit
        .browser
        .get(&format!("/connect/oauth-shop/callback?{query}"))
}

fn names(url: &Url) -> Vec<String> {
    let pairs = url.query_pairs();
    pairs.map(|(name, _)| name.into_owned()).collect()
}

fn accounts(visit: &Visit) -> usize {
    let list = visit.setting.client.get("/integrated-account").expect(200);
    list["result"].as_array().unwrap().len()
}

/// The paths of the findings of a file that is refused.
fn refused(file: &Value) -> Vec<String> {
    let found = read(file);
    assert!(found.integration.is_none(), "{:?}", found.findings);
    let paths = found.findings.into_iter().map(|one| one.path);
    paths
        .map(|path| path.replace("config.credentials.oauth2.config.", ""))
        .collect()
}

/// As `TikTok` for Business documents it: `app_id` and `auth_code`, JSON without `grant_type`, the token in `data`.
#[test]
fn a_provider_has_its_own_name_for_each_parameter() {
    let mut visit = visit(&file(&json!({
        "client": { "idParamName": "app_id", "secretParamName": "secret" },
        "authorizeParamNames": { "response_type": null, "state": "custom" },
        "codeParam": "auth_code",
        "tokenParamNames": { "code": "auth_code", "grant_type": null, "redirect_uri": null },
        "tokenHeaders": { "x-partner": "p-1" },
        "tokenResponsePath": "data",
        "tokenNames": { "expires_in": "life.minutes" },
        "expires_in_unit": "minutes",
        "options": { "authorizationMethod": "body", "bodyFormat": "json" },
        "pkce": false,
    })));
    let there = visit.leave();
    assert_eq!(names(&there), ["app_id", "redirect_uri", "custom"]);
    let body =
        r#"{"code":0,"message":"OK","data":{"access_token":"named-token","life":{"minutes":90}}}"#;
    visit.world.answers(200, &[], body);
    let state = parameter(&there, "custom");
    come_back(
        &mut visit,
        &format!("custom={state}&auth_code=the-code&code=another"),
    );
    let sent = visit.world.sent();
    let asked: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(
        asked,
        json!({ "auth_code": "the-code", "app_id": "our-id", "secret": "our-secret" })
    );
    assert_eq!(sent[0].header("x-partner"), Some("p-1"));
    assert_eq!(sent[0].header("content-type"), Some("application/json"));
    let account = visit.account();
    assert_eq!(account["status"], "active");
    assert!(!visit.world.at_rest().contains("named-token"));
}

#[test]
fn a_state_counts_under_its_names_alone() {
    let named = json!({ "authorizeParamNames": { "state": "custom" } });
    let cases = [
        (&named, "custom", true),
        (&named, "state", true),
        (&named, "other", false),
        (&json!({}), "state", true),
        (&json!({}), "custom", false),
    ];
    each_case(cases, |(config, name, is_accepted)| {
        let mut visit = visit(&file(config));
        let there = visit.leave();
        let own = if config.get("authorizeParamNames").is_some() {
            "custom"
        } else {
            "state"
        };
        let state = parameter(&there, own);
        visit.world.answers(200, &[], r#"{"access_token":"t"}"#);
        come_back(&mut visit, &format!("{name}={state}&code=c"));
        assert_eq!(accounts(&visit), usize::from(is_accepted));
        assert_eq!(visit.world.sent().len(), usize::from(is_accepted));
    });
}

/// As Apollo documents it: a page that reads its parameters behind `#`.
#[test]
fn parameters_go_behind_the_fragment_and_random_is_new_each_time() {
    let file = file(&json!({
        "auth": { "authorizeUrl": "https://login.named-provider.example/?app=1&state=x" },
        "authorizeFragment": "/oauth/authorize",
        "params": { "nonce": "{{random}}", "response_type": "authorization" },
    }));
    let mut visit = visit(&file);
    let [first, second] = [0, 1].map(|_| {
        let there = visit.leave();
        assert_eq!(there.query(), Some("app=1"));
        let fragment = there.fragment().unwrap();
        let query = fragment.strip_prefix("/oauth/authorize?").unwrap();
        let behind: Url = format!("https://x.example/?{query}").parse().unwrap();
        assert_eq!(parameter(&behind, "response_type"), "authorization");
        assert_eq!(parameter(&behind, "code_challenge_method"), "S256");
        let nonce = parameter(&behind, "nonce");
        assert_eq!(nonce.len(), 32);
        let state = parameter(&behind, "state");
        assert_ne!(nonce, state);
        (nonce, state)
    });
    assert_ne!(first.0, second.0);
    visit.world.answers(200, &[], r#"{"access_token":"t"}"#);
    come_back(&mut visit, &format!("state={}&code=c", second.1));
    assert!(visit.account()["context"].get("random").is_none());
}

/// As Microsoft documents it: an administrator consents, and the callback has no code; the client is the customer's own.
fn consented() -> Value {
    json!({
        "client": { "id": "{{client_id}}", "secret": "{{client_secret}}" },
        "auth": {
            "authorizeUrl": "https://login.named-provider.example/adminconsent",
            "tokenUrl": "https://login.named-provider.example/{{tenant}}/oauth2/v2.0/token",
        },
        "callbackGrant": "client_credentials",
        "contextFromCallback": { "tenant": "tenant" },
        "scope": ["https://api.named-provider.example/.default"],
        "fields": [{ "name": "client_id" }, { "name": "client_secret", "type": "password" }],
    })
}

#[test]
fn a_callback_without_a_code_is_followed_by_another_grant() {
    let mut visit = visit(&file(&consented()));
    let answer = visit.submit("oauth2", &[("client_id", "c-1"), ("client_secret", "s-1")]);
    let there: Url = answer.header("location").unwrap().parse().unwrap();
    let state = parameter(&there, "state");
    visit.world.answers(
        200,
        &[],
        r#"{"access_token":"of-tenant","expires_in":3600}"#,
    );
    come_back(
        &mut visit,
        &format!("admin_consent=True&tenant=a8990e1f&state={state}"),
    );
    let sent = visit.world.sent();
    assert_eq!(
        sent[0].url,
        "https://login.named-provider.example/a8990e1f/oauth2/v2.0/token"
    );
    let asked = form_of(&sent[0]);
    assert_eq!(asked["grant_type"], "client_credentials");
    assert!(!asked.contains_key("code") && !asked.contains_key("code_verifier"));
    let account = visit.account();
    assert_eq!(account["context"]["tenant"], "a8990e1f");
    // The next token is requested in the same way.
    visit
        .world
        .answers(200, &[], r#"{"access_token":"second","expires_in":3600}"#);
    let id = account["id"].as_str().unwrap();
    let refresh = json!({ "id": id });
    let path = "/integrated-account/refresh-credentials";
    visit.setting.client.post(path, &refresh).expect(200);
    assert_eq!(
        form_of(&visit.world.sent()[0])["grant_type"],
        "client_credentials"
    );
}

#[test]
fn the_operators_client_gets_no_token_for_what_a_callback_names() {
    let mut wrong = consented();
    wrong["client"] = json!({ "id": "{{environment_variables.id}}", "secret": "{{environment_variables.secret}}" });
    let paths = refused(&file(&wrong));
    assert!(paths.contains(&"auth.tokenUrl".to_owned()), "{paths:?}");
}

#[test]
fn a_denied_consent_gets_no_token() {
    let cases = [("error=access_denied", ""), ("", "state=forged")];
    each_case(cases, |(query, state)| {
        let mut visit = visit(&file(&consented()));
        let answer = visit.submit("oauth2", &[("client_id", "c-1"), ("client_secret", "s-1")]);
        let there: Url = answer.header("location").unwrap().parse().unwrap();
        let own = format!("state={}", parameter(&there, "state"));
        let state = if state.is_empty() { &own } else { state };
        come_back(&mut visit, &format!("{query}&{state}"));
        assert_eq!(visit.world.sent().len(), 0);
        assert_eq!(accounts(&visit), 0);
    });
}

#[test]
fn claims_fill_the_context() {
    let mut visit = visit(&file(
        &json!({ "contextFromClaims": { "person": "sub", "team": "org.id" } }),
    ));
    let there = visit.leave();
    let claims = data_encoding::BASE64URL_NOPAD.encode(br#"{"sub":"p-7","org":{"id":"o-1"}}"#);
    let body = json!({ "access_token": "opaque", "id_token": format!("e30.{claims}.c2ln") });
    visit.world.answers(200, &[], body.to_string().as_str());
    let state = parameter(&there, "state");
    come_back(&mut visit, &format!("state={state}&code=c"));
    let context = visit.account()["context"].clone();
    assert_eq!(context["person"], "p-7");
    assert_eq!(context["team"], "o-1");
}

/// As Meta documents it: a code gives a short token, and that a long one.
fn with_steps() -> Value {
    let mut file = file(&json!({ "pkce": "S256", "contextFromToken": { "shop_id": "shop.id" } }));
    file["config"]["credentials"]["oauth2"]["config"]["auth"]
        .as_object_mut()
        .unwrap()
        .shift_remove("tokenUrl");
    file["config"]["credentials"]["oauth2"]["config"]["client"] = json!({ "id": "{{environment_variables.id}}", "secret": "{{environment_variables.secret}}" });
    file["config"]["actions"] = json!({ "exchange_code": { "steps": [
        { "type": "request", "config": { "method": "post", "path": "/short", "body": {
            "code": "{{body.code}}", "back": "{{body.redirect_uri}}", "verifier": "{{body.code_verifier}}", "state": "{{body.state}}",
            "secret": "{{environment_variables.secret}}" } } },
        { "type": "request", "config": { "path": "/long", "query": { "token": "{{body.token}}", "secret": "{{environment_variables.secret}}" } } },
        { "type": "transform", "config": "{ \"access_token\": $previous.long, \"expires_in\": 5184000, \"shop\": { \"id\": $headers.\"x-shop\" } }" },
    ] } });
    file
}

fn steps_visit() -> Visit {
    let file = with_steps();
    assert_eq!(read(&file).findings, []);
    let world = World::new();
    let setting = Setting::new(&world, &file);
    let variables = json!({ "override": { "secret_environment_variables": { "id": "our-id", "secret": "our-secret" } } });
    let path = format!("/environment-integration/{}", setting.install);
    setting.client.send("PATCH", &path, &variables).expect(200);
    Visit::with(world, setting, &json!({ "tenant_id": "acme" }))
}

#[test]
fn steps_exchange_the_code() {
    let mut visit = steps_visit();
    let there = visit.leave();
    let state = parameter(&there, "state");
    visit.world.provides(|sent| {
        if sent.url.contains("/short") {
            return reply(200, &JSON, Body::from_bytes(r#"{"token":"short"}"#));
        }
        let headers = [JSON[0], ("x-shop", "s-9")];
        reply(200, &headers, Body::from_bytes(r#"{"long":"long-token"}"#))
    });
    come_back(&mut visit, &format!("state={state}&code=the-code"));
    let sent = visit.world.sent();
    assert_eq!(sent.len(), 2);
    let first: Value = serde_json::from_slice(&sent[0].body).unwrap();
    assert_eq!(first["code"], "the-code");
    assert_eq!(first["state"], state.as_str());
    assert_eq!(first["secret"], "our-secret");
    assert!(
        first["back"]
            .as_str()
            .unwrap()
            .ends_with("/connect/oauth-shop/callback")
    );
    assert_eq!(first["verifier"].as_str().unwrap().len(), 43);
    assert_eq!(sent[0].header("authorization"), None);
    assert!(sent[1].url.contains("token=short"), "{}", sent[1].url);
    let account = visit.account();
    assert_eq!(account["status"], "active");
    assert_eq!(account["context"]["shop_id"], "s-9");
    assert!(!visit.world.at_rest().contains("long-token"));
    let id = account["id"].as_str().unwrap();
    let path = format!("/proxy/_/exchange_code?integrated_account_id={id}");
    let called = visit.setting.client.post(&path, &json!({}));
    assert_eq!(called.code(404), "caller.not_found", "no caller runs it");
}

#[test]
fn steps_that_are_refused_connect_nothing_and_repeat_no_code() {
    let mut visit = steps_visit();
    let there = visit.leave();
    let state = parameter(&there, "state");
    visit.world.provides(|sent| {
        let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        let said = json!({ "error": "bad", "error_description": format!("{} {}", body["code"], body["verifier"]) });
        reply(400, &JSON, Body::from_bytes(said.to_string()))
    });
    let page = come_back(&mut visit, &format!("state={state}&code=the-secret-code"));
    assert!(!page.text().contains("the-secret-code"), "{}", page.text());
    assert_eq!(accounts(&visit), 0);
    let without_code = come_back(&mut visit, &format!("state={state}"));
    assert!(without_code.status >= 400);
}

#[test]
fn a_refused_exchange_repeats_neither_the_code_nor_its_verifier() {
    for names in [
        json!({}),
        json!({ "code": "auth_code", "code_verifier": "proof" }),
    ] {
        let mut visit = visit(&file(&json!({ "tokenParamNames": names })));
        let there = visit.leave();
        let state = parameter(&there, "state");
        visit.world.provides(|sent| {
            let pairs = form_urlencoded::parse(&sent.body).into_owned();
            let said: Vec<String> = pairs.map(|(_, value)| value).collect();
            let said = json!({ "error": "invalid_grant", "error_description": said.join(" ") });
            reply(400, &JSON, Body::from_bytes(said.to_string()))
        });
        let page = come_back(&mut visit, &format!("state={state}&code=the-secret-code"));
        let sent = visit.world.sent().remove(0);
        let pairs = form_urlencoded::parse(&sent.body).into_owned();
        let secrets = pairs.filter(|(_, value)| value == "the-secret-code" || value.len() == 43);
        let secrets: Vec<String> = secrets.map(|(_, value)| value).collect();
        assert_eq!(secrets.len(), 2, "the code and the verifier");
        for secret in secrets {
            assert!(!page.text().contains(&secret), "{}", page.text());
        }
        assert_eq!(accounts(&visit), 0);
    }
}

#[test]
fn steps_find_an_error_in_a_success_to_be_a_refusal() {
    let mut visit = steps_visit();
    let there = visit.leave();
    let state = parameter(&there, "state");
    let body = r#"{"error":"invalid_grant","error_description":"The code is used."}"#;
    visit
        .world
        .provides(move |_| reply(200, &JSON, Body::from_bytes(body)));
    let page = come_back(&mut visit, &format!("state={state}&code=the-code"));
    assert!(page.status >= 400 || page.header("location").is_some());
    assert_eq!(accounts(&visit), 0);
}

#[test]
fn what_a_callback_brings_next_to_the_code_opens_nothing_of_the_operators() {
    let mut wrong = with_steps();
    wrong["config"]["actions"]["exchange_code"]["steps"][0]["config"]["path"] =
        json!("/{{body.callback.tenant}}/token");
    let paths = refused(&wrong);
    assert!(
        paths.contains(&"config.actions.exchange_code.steps[0].config".to_owned()),
        "{paths:?}"
    );
}

#[test]
fn what_makes_no_exchange_is_an_error_of_the_file() {
    let cases = [
        (
            json!({ "authorizeParamNames": { "state": null } }),
            "authorizeParamNames.state",
        ),
        (
            json!({ "authorizeParamNames": { "scope": "state" } }),
            "authorizeParamNames.scope",
        ),
        (
            json!({ "authorizeParamNames": { "scope": "code_challenge" } }),
            "authorizeParamNames.scope",
        ),
        (
            json!({ "tokenParamNames": { "code": null } }),
            "tokenParamNames.code",
        ),
        (
            json!({ "tokenParamNames": { "code_verifier": null } }),
            "tokenParamNames.code_verifier",
        ),
        (
            json!({ "tokenParamNames": { "refresh_token": null } }),
            "tokenParamNames.refresh_token",
        ),
        (
            json!({ "tokenParamNames": { "code": "client_secret" } }),
            "tokenParamNames.code",
        ),
        (
            json!({ "tokenParamNames": { "code": "" } }),
            "tokenParamNames.code",
        ),
        (
            json!({ "tokenHeaders": { "content-type": "text/plain" } }),
            "tokenHeaders.content-type",
        ),
        (
            json!({ "tokenHeaders": { "Authorization": "x" } }),
            "tokenHeaders.Authorization",
        ),
        (
            json!({ "tokenHeaders": { "a b": "x" } }),
            "tokenHeaders.a b",
        ),
        (json!({ "codeParam": "state" }), "codeParam"),
        (json!({ "codeParam": "" }), "codeParam"),
        (json!({ "authorizeFragment": "/a?b" }), "authorizeFragment"),
        (json!({ "callbackGrant": "jwt_bearer" }), ""),
        (
            json!({ "contextFromToken": { "a": "b" }, "contextFromClaims": { "a": "c" } }),
            "contextFromClaims.a",
        ),
    ];
    each_case(cases, |(config, place)| {
        let paths = refused(&file(&config));
        let whole = "config.credentials.oauth2.config".to_owned();
        let expected = if place.is_empty() {
            whole
        } else {
            place.to_owned()
        };
        assert!(paths.contains(&expected), "{paths:?}");
    });
}

#[test]
fn parameters_in_the_url_leave_the_body_empty() {
    let mut visit = visit(&file(&json!({
        "options": { "bodyFormat": "query", "credentialsEncoding": "raw" },
        "client": { "secret": "p+/=:%" },
    })));
    let there = visit.leave();
    visit.world.answers(200, &[], r#"{"access_token":"t"}"#);
    let state = parameter(&there, "state");
    come_back(&mut visit, &format!("state={state}&code=the-code"));
    let sent = visit.world.sent();
    let url: Url = sent[0].url.parse().unwrap();
    assert_eq!(parameter(&url, "code"), "the-code");
    assert_eq!(parameter(&url, "grant_type"), "authorization_code");
    assert_eq!(sent[0].body, b"");
    let basic = data_encoding::BASE64.encode(b"our-id:p+/=:%");
    assert_eq!(
        sent[0].header("authorization"),
        Some(format!("Basic {basic}").as_str())
    );
}
