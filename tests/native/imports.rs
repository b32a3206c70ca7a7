//! An import does what a connect does: a token is got if none came, `post_install` and `validation` run, and the answer says
//! how they ended. `run_actions: false` skips them.

use std::time::Duration;

use causeway::config::read;
use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, Reply};
use serde_json::{Value, json};

use crate::account::JSON;
use crate::cases::{each_case, shown_by_name};
use crate::client::{Answer, Setting};
use crate::connect::{Visit, events};
use crate::connect_shipped::form_of;
use crate::outside::{Fault, Pieces, Sent, World, reply};

const PROVIDER: &str = "https://imported-provider.example";
const KEY: &str = "a-secret-of-forty-characters-for-signing";

/// A file with one credential and both lifecycle actions. It has the name that `Visit` sends forms to.
fn file(format: &str, credential: &Value, authorization: &Value) -> Value {
    json!({ "name": "oauth-shop", "config": {
        "base_url": PROVIDER,
        "credentials": { format: { "config": credential } },
        "authorization": authorization,
        "resources": { "items": { "get": { "path": "/items/{{id}}" }, "create": { "method": "post", "path": "/items" } } },
        "actions": {
            "post_install": { "steps": [
                { "type": "request", "config": { "method": "post", "path": "/setup" } },
                { "type": "update_context", "config": { "expression": "{ 'team': $previous.team }" } },
            ] },
            "validation": { "type": "request", "config": { "path": "/me" } },
        },
    } })
}

/// Grants tokens, and answers the actions.
fn answer(sent: &Sent) -> Reply<Pieces> {
    let body = match path_of(sent) {
        "/token" => r#"{"access_token":"granted","refresh_token":"again-2","expires_in":3600}"#,
        "/login" => r#"{"session":"logged-in"}"#,
        "/setup" => r#"{"team":"north"}"#,
        _ => "{}",
    };
    reply(200, &JSON, Body::from_bytes(body))
}

/// The same, but for one path, which answers so.
fn answer_but(world: &World, path: &'static str, status: u16, body: &'static str) {
    world.provides(move |sent| {
        if path_of(sent) == path {
            return reply(status, &JSON, Body::from_bytes(body));
        }
        answer(sent)
    });
}

fn path_of(sent: &Sent) -> &str {
    sent.url.strip_prefix(PROVIDER).unwrap_or(&sent.url)
}

fn paths(world: &World) -> Vec<String> {
    let sent = world.sent();
    sent.iter().map(|sent| path_of(sent).to_owned()).collect()
}

/// A credential with what an import of it brings.
struct Format {
    name: &'static str,
    key: &'static str,
    credential: Value,
    authorization: Value,
    context: Value,
    /// The request that gets the token before the actions run.
    token: Option<&'static str>,
    /// What `/me` is authenticated with.
    authorized: &'static str,
}

shown_by_name!(Format);

impl Format {
    fn setting(&self) -> (World, Setting) {
        let world = World::new();
        world.provides(answer);
        let file = file(self.key, &self.credential, &self.authorization);
        assert_eq!(read(&file).findings, [], "{}", self.name);
        let setting = Setting::new(&world, &file);
        (world, setting)
    }

    fn import(&self, setting: &Setting) -> Answer {
        setting.import(self.key, &self.context)
    }
}

fn bearer() -> Value {
    json!({ "format": "bearer", "config": { "token": "{{access_token}}" } })
}

fn oauth2() -> Value {
    json!({
        "client": { "id": "our-id", "secret": "our-secret" },
        "auth": { "authorizeUrl": format!("{PROVIDER}/authorize"), "tokenUrl": format!("{PROVIDER}/token") },
    })
}

fn by_oauth2(name: &'static str, token: &Value, asked: Option<&'static str>) -> Format {
    Format {
        name,
        key: "oauth2",
        credential: oauth2(),
        authorization: bearer(),
        context: json!({ "oauth": { "token": token } }),
        token: asked,
        authorized: if asked.is_some() {
            "Bearer granted"
        } else {
            "Bearer brought"
        },
    }
}

fn client_credentials() -> Format {
    Format {
        name: "client credentials",
        key: "oauth2_client_credentials",
        credential: json!({
            "auth": { "tokenUrl": format!("{PROVIDER}/token") },
            "fields": [{ "name": "client_id", "required": true }, { "name": "client_secret", "type": "password", "required": true }],
        }),
        authorization: bearer(),
        context: json!({ "client_id": "c-1", "client_secret": "the-client-secret" }),
        token: Some("/token"),
        authorized: "Bearer granted",
    }
}

fn custom_token() -> Format {
    Format {
        name: "custom_token",
        key: "custom_token",
        credential: json!({
            "fields": [{ "name": "login", "required": true }, { "name": "password", "type": "password", "required": true }],
            "steps": [{ "type": "request", "config": { "method": "post", "path": "/login", "body": { "user": "{{login}}", "password": "{{password}}" } } }],
            "token": { "access_token": "session" },
        }),
        authorization: bearer(),
        context: json!({ "login": "ada", "password": "the-password" }),
        token: Some("/login"),
        authorized: "Bearer logged-in",
    }
}

fn api_key(name: &'static str, authorization: Value, authorized: &'static str) -> Format {
    Format {
        name,
        key: "api_key",
        credential: json!({ "fields": [
            { "name": "user", "required": true }, { "name": "api_key", "type": "password", "required": true },
        ] }),
        authorization,
        context: json!({ "user": "ada", "api_key": "the-key-of-ada" }),
        token: None,
        authorized,
    }
}

fn by_jwt(format: &'static str, token: Option<&'static str>) -> Format {
    let mut credential = json!({
        "fields": [{ "name": "robot" }, { "name": "secret", "type": "password", "required": true }],
        "jwt": { "algorithm": "HS256", "key": "{{secret}}", "key_format": "utf8", "claims": { "iss": "{{robot}}" } },
    });
    if token.is_some() {
        credential["auth"] = json!({ "tokenUrl": format!("{PROVIDER}/token") });
    }
    Format {
        name: format,
        key: format,
        credential,
        authorization: bearer(),
        context: json!({ "robot": "r-1", "secret": KEY }),
        token,
        authorized: if token.is_some() {
            "Bearer granted"
        } else {
            "Bearer eyJ"
        },
    }
}

fn oauth1() -> Format {
    Format {
        name: "oauth 1.0a with a token that came",
        key: "oauth",
        credential: json!({ "consumer": { "id": "{{consumer_key}}", "secret": "{{consumer_secret}}" }, "fields": [
            { "name": "consumer_key", "required": true }, { "name": "consumer_secret", "type": "password", "required": true },
            { "name": "token_id", "required": true }, { "name": "token_secret", "type": "password", "required": true },
        ] }),
        authorization: json!({ "format": "oauth1", "config": { "token": "{{token_id}}", "token_secret": "{{token_secret}}" } }),
        context: json!({ "consumer_key": "ck", "consumer_secret": "cs-secret", "token_id": "tk", "token_secret": "ts-secret" }),
        token: None,
        authorized: "OAuth oauth_consumer_key=\"ck\"",
    }
}

fn sigv4() -> Format {
    let config = json!({ "access_key_id": "{{user}}", "secret_access_key": "{{api_key}}", "region": "eu-central-1", "service": "s3" });
    let authorization = json!({ "format": "aws_sigv4", "config": config });
    api_key(
        "aws_sigv4",
        authorization,
        "AWS4-HMAC-SHA256 Credential=ada/",
    )
}

fn formats() -> Vec<Format> {
    let expired = json!({ "access_token": "expired", "refresh_token": "again-1", "expires_at": "2020-01-01T00:00:00Z" });
    let basic = json!({ "format": "basic", "config": { "username": "{{user}}", "password": "{{api_key}}" } });
    let header = json!({ "format": "header", "config": { "name": "authorization", "value": "Key {{api_key}}" } });
    vec![
        by_oauth2(
            "a token that came",
            &json!({ "access_token": "brought" }),
            None,
        ),
        by_oauth2(
            "a refresh token alone",
            &json!({ "refresh_token": "again-1" }),
            Some("/token"),
        ),
        by_oauth2("a token that expired", &expired, Some("/token")),
        client_credentials(),
        custom_token(),
        by_jwt("jwt", None),
        by_jwt("jwt_bearer", Some("/token")),
        api_key("api_key", header, "Key the-key-of-ada"),
        api_key("basic", basic, "Basic YWRhOnRoZS1rZXktb2YtYWRh"),
        oauth1(),
        sigv4(),
    ]
}

fn list(setting: &Setting) -> Vec<Value> {
    let list = setting.client.get("/integrated-account").expect(200);
    list["result"].as_array().unwrap().clone()
}

fn call(setting: &Setting, account: &Value) -> Answer {
    let id = account["id"].as_str().unwrap();
    let path = format!("/proxy/items/1?integrated_account_id={id}");
    setting.client.get(&path)
}

#[test]
fn each_format_gets_its_token_and_runs_the_actions_in_order() {
    each_case(formats(), |case| {
        let (world, setting) = case.setting();
        let account = case.import(&setting).expect(201);
        assert_eq!(account["status"], "active", "{}: {account}", case.name);
        assert_eq!(account["context"]["team"], "north", "{}", case.name);
        let ran = &account["last_action_run_result"];
        assert_eq!(
            (&ran["action"], &ran["success"]),
            (&json!("validation"), &json!(true))
        );
        let expected = case.token.into_iter().chain(["/setup", "/me"]);
        let sent = world.sent();
        let asked: Vec<_> = sent.iter().map(path_of).collect();
        assert_eq!(asked, expected.collect::<Vec<_>>(), "{}", case.name);
        let authorized = sent.last().unwrap().header("authorization").unwrap();
        assert!(
            authorized.starts_with(case.authorized),
            "{}: {authorized}",
            case.name
        );
        assert_eq!(
            events(&world, &account),
            ["created", "active"],
            "{}",
            case.name
        );
        let path = format!("/integrated-account/{}", account["id"].as_str().unwrap());
        assert_eq!(
            setting.client.get(&path).expect(200),
            account,
            "{}",
            case.name
        );
        assert_eq!(call(&setting, &account).status, 200, "{}", case.name);
        let at_rest = world.at_rest();
        for secret in [
            "granted",
            "logged-in",
            "brought",
            "again-2",
            "the-password",
            "the-key-of-ada",
            "ts-secret",
            KEY,
        ] {
            assert!(!at_rest.contains(secret), "{}: {secret}", case.name);
        }
    });
}

#[test]
fn without_its_actions_an_import_is_active_at_once_and_a_call_gets_the_token() {
    each_case(formats(), |case| {
        let (world, setting) = case.setting();
        let account = setting.account(case.key, &case.context);
        let path = format!("/integrated-account/{account}");
        let account = setting.client.get(&path).expect(200);
        assert_eq!(account["status"], "active", "{}", case.name);
        assert_eq!(account["last_action_run_result"], Value::Null);
        assert_eq!(
            events(&world, &account),
            ["created", "active"],
            "{}",
            case.name
        );
        // Of these the values are the only way to a token.
        let at_once = ["custom_token", "jwt_bearer"].contains(&case.key);
        let before = case.token.filter(|_| at_once);
        assert_eq!(
            paths(&world),
            before.into_iter().collect::<Vec<_>>(),
            "{}",
            case.name
        );
        assert_eq!(call(&setting, &account).status, 200, "{}", case.name);
        let by_call = case.token.filter(|_| !at_once);
        let expected = by_call.into_iter().chain(["/items/1"]);
        assert_eq!(paths(&world), expected.collect::<Vec<_>>(), "{}", case.name);
    });
}

/// What is seen of an account, without what differs between any two.
fn seen(world: &World, account: &Value) -> Value {
    let mut seen = account.clone();
    for key in ["id", "created_at", "updated_at", "webhook_url"] {
        seen.as_object_mut().unwrap().shift_remove(key);
    }
    if let Some(run) = seen["last_action_run_result"].as_object_mut() {
        run.shift_remove("at");
    }
    json!({ "account": seen, "events": events(world, account), "requests": paths(world) })
}

fn connected(case: &Format, prepare: impl Fn(&World)) -> Value {
    let (world, setting) = case.setting();
    prepare(&world);
    let mut visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    let context = case.context.as_object().unwrap();
    let fields: Vec<_> = context
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    visit.submit(case.key, &fields);
    let found = list(&visit.setting);
    found
        .first()
        .map_or(Value::Null, |account| seen(&visit.world, account))
}

fn imported(case: &Format, prepare: impl Fn(&World)) -> Value {
    let (world, setting) = case.setting();
    prepare(&world);
    case.import(&setting);
    let found = list(&setting);
    found
        .first()
        .map_or(Value::Null, |account| seen(&world, account))
}

type Answers = fn(&World);

/// How a provider can answer.
const ANSWERS: [(&str, Answers); 6] = [
    ("everything", |_| {}),
    ("no set-up", |world| {
        answer_but(world, "/setup", 403, r#"{"why":"no seat"}"#);
    }),
    ("a broken set-up", |world| {
        answer_but(world, "/setup", 500, "{}");
    }),
    ("no validation", |world| {
        answer_but(world, "/me", 401, r#"{"why":"no such key"}"#);
    }),
    ("no token", |world| {
        answer_but(world, "/token", 400, r#"{"error":"invalid_client"}"#);
    }),
    ("no login", |world| {
        answer_but(world, "/login", 401, r#"{"message":"Wrong password."}"#);
    }),
];

#[test]
fn an_import_and_a_form_with_the_same_values_end_alike() {
    let formats: Vec<_> = formats()
        .into_iter()
        .filter(|case| case.key != "oauth2")
        .collect();
    let cases = formats
        .iter()
        .flat_map(|case| ANSWERS.iter().map(move |answers| (case, answers)));
    each_case(cases, |(case, (name, prepare))| {
        assert_eq!(
            imported(case, prepare),
            connected(case, prepare),
            "{}: {name}",
            case.name
        );
    });
}

#[test]
fn a_step_that_fails_is_named_in_the_answer_and_the_account_stays() {
    let cases = [
        (
            "/setup",
            403,
            "post_install",
            "post_install_error",
            ["/login", "/setup"].as_slice(),
        ),
        (
            "/me",
            401,
            "validation",
            "validation_error",
            &["/login", "/setup", "/me"],
        ),
        (
            "/me",
            503,
            "validation",
            "validation_error",
            &["/login", "/setup", "/me"],
        ),
    ];
    each_case(cases, |(path, status, action, expected, requests)| {
        let case = custom_token();
        let (world, setting) = case.setting();
        answer_but(&world, path, status, r#"{"why":"the-password is wrong"}"#);
        let made = case.import(&setting);
        assert!(!made.text().contains("the-password"), "{}", made.text());
        let account = made.expect(201);
        assert_eq!(account["status"], expected, "{account}");
        let ran = &account["last_action_run_result"];
        assert_eq!(
            (&ran["action"], &ran["success"]),
            (&json!(action), &json!(false))
        );
        assert_eq!(ran["error"]["message"], account["last_error"]);
        let mut asked = paths(&world);
        asked.dedup();
        assert_eq!(asked, requests);
        assert_eq!(events(&world, &account), ["created", expected]);
        assert_eq!(call(&setting, &account).code(409), "account.not_ready");
        // A link connects the same account again.
        world.provides(answer);
        let link = json!({ "integrated_account_id": account["id"], "integration": "oauth-shop" });
        let mut visit = Visit::with(world, setting, &link);
        let again = visit.submit(
            "custom_token",
            &[("login", "ada"), ("password", "the-password")],
        );
        assert_eq!(again.status, 200, "{}", again.text());
        assert_eq!(
            (&visit.account()["id"], &visit.account()["status"]),
            (&account["id"], &json!("active"))
        );
    });
}

fn replace(setting: &Setting, account: &Value, context: &Value) -> Answer {
    let id = account["id"].as_str().unwrap();
    let path = format!("/integrated-account/{id}/credentials");
    let body = json!({ "context": context });
    setting.client.send("PATCH", &path, &body)
}

#[test]
fn new_credentials_set_an_account_up_that_is_not_active() {
    let (key, token) = (
        json!({ "password": "another-password" }),
        json!({ "access_token": "brought", "refresh_token": "again-1", "expires_at": "2030-01-01T00:00:00Z" }),
    );
    let token = json!({ "oauth": { "token": token } });
    let dead = by_oauth2("dead", &json!({ "refresh_token": "dead" }), None);
    let cases = [
        (custom_token(), "/setup", 403, "post_install_error", &key),
        (custom_token(), "/me", 401, "validation_error", &key),
        (dead, "/token", 400, "needs_reauth", &token),
    ];
    each_case(cases, |(case, path, status, failed, new)| {
        let (world, setting) = case.setting();
        answer_but(&world, path, status, r#"{"error":"invalid_grant"}"#);
        let account = case.import(&setting).expect(201);
        assert_eq!(account["status"], failed, "{account}");
        let before = events(&world, &account);
        world.provides(answer);
        world.sent();
        let account = replace(&setting, &account, new).expect(200);
        assert_eq!(account["status"], "active", "{account}");
        assert_eq!(account["last_error"], Value::Null);
        assert_eq!(account["last_action_run_result"]["success"], true);
        let expected = case.token.into_iter().chain(["/setup", "/me"]);
        assert_eq!(paths(&world), expected.collect::<Vec<_>>());
        let end = if failed == "needs_reauth" {
            "reactivated"
        } else {
            "active"
        };
        assert_eq!(events(&world, &account)[before.len()..], ["updated", end]);
        assert_eq!(call(&setting, &account).status, 200);
    });
}

#[test]
fn new_credentials_that_are_refused_leave_an_account_that_failed() {
    let case = custom_token();
    let (world, setting) = case.setting();
    answer_but(&world, "/me", 401, r#"{"why":"no such user"}"#);
    case.import(&setting).expect(201);
    let before = list(&setting).remove(0);
    let new = json!({ "password": "another-password" });
    // Without a token nothing is stored, as with an import.
    answer_but(&world, "/login", 401, r#"{"message":"Wrong password."}"#);
    world.sent();
    let refused = replace(&setting, &before, &new);
    assert!(refused.text().contains("Wrong password."));
    assert_eq!(refused.code(422), "account.connection_error");
    assert_eq!(paths(&world), ["/login"]);
    assert_eq!(list(&setting), std::slice::from_ref(&before));
    // With one the actions run, and the validation says no again.
    answer_but(&world, "/me", 403, r#"{"why":"no seat"}"#);
    let account = replace(&setting, &before, &new).expect(200);
    assert_eq!(account["status"], "validation_error", "{account}");
    assert_ne!(account["last_error"], before["last_error"]);
    let ran = &account["last_action_run_result"];
    assert_eq!(ran["error"]["message"], account["last_error"]);
    assert_eq!(paths(&world), ["/login", "/setup", "/me"]);
    let failed = "validation_error";
    assert_eq!(
        events(&world, &account),
        ["created", failed, "updated", failed]
    );
    assert_eq!(call(&setting, &account).code(409), "account.not_ready");
}

#[test]
fn new_credentials_of_an_active_account_are_stored_and_nothing_is_asked() {
    let case = custom_token();
    let (world, setting) = case.setting();
    let account = case.import(&setting).expect(201);
    world.sent();
    let new = json!({ "password": "another-password" });
    let account = replace(&setting, &account, &new).expect(200);
    assert_eq!(account["status"], "active");
    assert!(paths(&world).is_empty());
    assert_eq!(events(&world, &account), ["created", "active", "updated"]);
    assert_eq!(call(&setting, &account).status, 200);
    assert_eq!(paths(&world), ["/login", "/items/1"]);
}

/// Another import, refused or failing, changes nothing of the account that is there.
#[test]
fn an_import_without_a_token_is_refused_and_what_is_there_stays() {
    let cases = [
        client_credentials(),
        custom_token(),
        by_jwt("jwt_bearer", Some("/token")),
    ];
    each_case(cases, |case| {
        let (world, setting) = case.setting();
        case.import(&setting).expect(201);
        let (before, objects) = (list(&setting), world.objects_with_data());
        world.sent();
        let refusals = [
            (
                400,
                r#"{"error":"invalid_client"}"#,
                422,
                "account.connection_error",
            ),
            (200, "{}", 422, "account.connection_error"),
            (503, "{}", 503, "provider.token_endpoint"),
        ];
        for (status, body, expected, code) in refusals {
            answer_but(&world, case.token.unwrap(), status, body);
            assert_eq!(
                case.import(&setting).code(expected),
                code,
                "{}: {status}",
                case.name
            );
        }
        assert!(
            paths(&world).iter().all(|path| path == case.token.unwrap()),
            "no action ran"
        );
        assert_eq!(
            (list(&setting), world.objects_with_data()),
            (before.clone(), objects),
            "{}",
            case.name
        );
        world.provides(answer);
        assert_eq!(call(&setting, &before[0]).status, 200, "{}", case.name);
    });
}

#[test]
fn a_refresh_token_that_is_refused_leaves_an_account_that_needs_its_customer() {
    each_case(
        [
            json!({ "refresh_token": "dead" }),
            json!({ "access_token": "old", "refresh_token": "dead", "expires_at": 1 }),
        ],
        |token| {
            let case = by_oauth2("dead", &token, None);
            let (world, setting) = case.setting();
            answer_but(&world, "/token", 400, r#"{"error":"invalid_grant"}"#);
            let account = case.import(&setting).expect(201);
            assert_eq!(account["status"], "needs_reauth", "{account}");
            assert!(
                account["last_error"]
                    .as_str()
                    .unwrap()
                    .contains("invalid_grant"),
                "{account}"
            );
            assert_eq!(paths(&world), ["/token"], "no action ran");
            assert_eq!(
                events(&world, &account),
                ["created", "authentication_error"]
            );
            world.pass(Duration::from_hours(1));
            world.settle();
            assert!(paths(&world).is_empty(), "nothing is tried again");
            assert_eq!(call(&setting, &account).code(401), "account.needs_reauth");
        },
    );
}

/// The provider may have rotated it: it is stored before it is used.
#[test]
fn a_refresh_token_that_cannot_be_used_now_is_kept_and_the_alarm_goes_on() {
    let case = by_oauth2("later", &json!({ "refresh_token": "again-1" }), None);
    let (world, setting) = case.setting();
    answer_but(&world, "/token", 503, "{}");
    let client = setting.client.clone();
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": "oauth2", "context": case.context });
    let import = client.send_async("POST", "/integrated-account", &body);
    let account = futures::executor::block_on(world.run_passing(import)).expect(201);
    assert_eq!(account["status"], "connecting");
    let early = call(&setting, &account);
    assert_eq!(early.header("retry-after"), Some("2"));
    assert_eq!(early.code(503), "account.connecting");
    world.provides(answer);
    world.sent();
    world.pass(Duration::from_mins(2));
    world.settle();
    let account = list(&setting).remove(0);
    assert_eq!(account["status"], "active", "{account}");
    assert_eq!(paths(&world), ["/token", "/setup", "/me"]);
    assert_eq!(events(&world, &account), ["created", "active"]);
}

#[test]
fn a_refresh_token_is_sent_as_the_file_says_and_its_successor_is_stored() {
    let case = by_oauth2(
        "alone",
        &json!({ "refresh_token": "again-1" }),
        Some("/token"),
    );
    let (world, setting) = case.setting();
    let account = case.import(&setting).expect(201);
    let sent = world.sent();
    let form = form_of(&sent[0]);
    assert_eq!(
        (form["grant_type"].as_str(), form["refresh_token"].as_str()),
        ("refresh_token", "again-1")
    );
    world.pass(Duration::from_hours(2));
    assert_eq!(call(&setting, &account).status, 200);
    assert_eq!(form_of(&world.sent()[0])["refresh_token"], "again-2");
}

/// The object stops between the two actions; the alarm runs them, as for a customer who connects.
#[test]
fn actions_that_a_restart_cut_off_are_run_by_the_alarm() {
    let case = client_credentials();
    let (world, setting) = case.setting();
    world.answers_late(|sent| {
        let is_late = path_of(sent) == "/me";
        Duration::from_secs(if is_late { 30 } else { 0 })
    });
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": case.key, "context": case.context });
    {
        let import = setting
            .client
            .send_async("POST", "/integrated-account", &body);
        assert!(futures::FutureExt::now_or_never(import).is_none());
    }
    world.restart();
    let account = list(&setting).remove(0);
    assert_eq!(account["status"], "connecting");
    assert_eq!(account["context"]["team"], "north");
    assert_eq!(paths(&world), ["/token", "/setup", "/me"]);
    world.answers_late(|_| Duration::ZERO);
    world.pass(Duration::from_mins(2));
    world.settle();
    let account = list(&setting).remove(0);
    assert_eq!(account["status"], "active");
    assert_eq!(events(&world, &account), ["created", "active"]);
    assert_eq!(paths(&world), ["/setup", "/me"], "the token is stored");
}

#[test]
fn actions_that_take_over_a_minute_fail_as_those_of_a_connect_do() {
    let case = client_credentials();
    let (world, setting) = case.setting();
    world.answers_late(|sent| Duration::from_secs(if path_of(sent) == "/setup" { 61 } else { 0 }));
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": case.key, "context": case.context });
    let import = setting
        .client
        .send_async("POST", "/integrated-account", &body);
    let account = futures::executor::block_on(world.run_passing(import)).expect(201);
    assert_eq!(account["status"], "post_install_error", "{account}");
    assert_eq!(events(&world, &account), ["created", "post_install_error"]);
}

#[test]
fn an_import_whose_index_entry_fails_runs_no_action_and_stores_nothing() {
    each_case([Fault::Lost, Fault::AnswerLost], |fault| {
        let case = client_credentials();
        let (world, setting) = case.setting();
        world
            .0
            .faults
            .borrow_mut()
            .push_back(("index_account".into(), fault));
        assert_eq!(case.import(&setting).code(503), "internal.storage");
        assert_eq!(paths(&world), ["/token"]);
        assert!(list(&setting).is_empty());
        world.restart();
        world.pass(Duration::from_mins(2));
        world.settle();
        assert!(list(&setting).is_empty());
        assert!(paths(&world).is_empty());
    });
}

/// An import has no key that makes it idempotent: each makes an account.
#[test]
fn a_repeated_import_makes_another_account_and_leaves_the_first() {
    let case = custom_token();
    let (world, setting) = case.setting();
    let first = case.import(&setting).expect(201);
    let second = case.import(&setting).expect(201);
    assert_ne!(first["id"], second["id"]);
    for account in [&first, &second] {
        assert_eq!(account["status"], "active");
        assert_eq!(events(&world, account), ["created", "active"]);
        let path = format!("/integrated-account/{}", account["id"].as_str().unwrap());
        assert_eq!(&setting.client.get(&path).expect(200), account);
    }
}

#[test]
fn a_sandbox_account_is_set_up_and_refuses_writes_afterwards() {
    let case = custom_token();
    let (world, setting) = case.setting();
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": case.key, "context": case.context, "is_sandbox": true });
    let account = setting
        .client
        .post("/integrated-account", &body)
        .expect(201);
    assert_eq!(
        (&account["status"], &account["is_sandbox"]),
        (&json!("active"), &json!(true))
    );
    assert_eq!(paths(&world), ["/login", "/setup", "/me"]);
    let path = format!(
        "/proxy/items?integrated_account_id={}",
        account["id"].as_str().unwrap()
    );
    assert_eq!(
        setting.client.post(&path, &json!({})).code(405),
        "caller.method_not_allowed"
    );
    assert!(paths(&world).is_empty());
}

#[test]
fn who_may_not_import_sends_nothing_to_the_provider() {
    let case = custom_token();
    let (world, setting) = case.setting();
    let body = json!({ "tenant_id": "acme", "environment_integration_id": setting.install, "authentication_method": case.key, "context": case.context });
    let reader = setting
        .admin
        .token_of(&setting.environment, Some(&["read", "proxy"]));
    assert_eq!(reader.post("/integrated-account", &body).status, 403);
    let elsewhere = setting.admin.environment("another");
    let stranger = setting.admin.token_of(&elsewhere, None);
    assert_eq!(
        stranger.post("/integrated-account", &body).code(404),
        "caller.not_found"
    );
    let mut wrong = body.clone();
    wrong["run_actions"] = json!("no");
    assert_eq!(
        setting.client.post("/integrated-account", &wrong).code(422),
        "caller.invalid"
    );
    let install = format!("/environment-integration/{}", setting.install);
    setting
        .client
        .send("PATCH", &install, &json!({ "is_enabled": false }))
        .expect(200);
    assert_eq!(
        setting.client.post("/integrated-account", &body).code(409),
        "account.install_disabled"
    );
    assert!(world.sent().is_empty());
    assert!(list(&setting).is_empty());
}

/// Nothing of an unfinished import is callable, and its object knows that it is not finished.
#[test]
fn an_unfinished_import_is_marked_and_a_finished_one_is_not() {
    let case = client_credentials();
    let (world, setting) = case.setting();
    let account = case.import(&setting).expect(201);
    let id: AccountId = account["id"].as_str().unwrap().parse().unwrap();
    let rows = world.select(
        ObjectName::Account(id),
        "SELECT record, pending FROM account",
    );
    let record: Value = serde_json::from_str(rows[0][0].as_text().unwrap()).unwrap();
    assert!(
        record["set_up"].is_null() && rows[0][1].as_text().is_none(),
        "{record}"
    );
    world.pass(Duration::from_mins(2));
    world.settle();
    assert_eq!(
        paths(&world),
        ["/token", "/setup", "/me"],
        "no alarm repeats an action"
    );
}
