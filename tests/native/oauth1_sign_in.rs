//! OAuth 1.0a: a customer signs in at the provider, or types in a token, and calls are signed.

use causeway::config::read;
use causeway::crypto::{Oauth1Keys, Oauth1Method, Oauth1Request};
use causeway::ports::{Body, Reply};
use serde_json::{Value, json};
use url::Url;

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::{Visit, parameter};
use crate::outside::{Pieces, Sent, World, reply, streamed};

const PROVIDER: &str = "https://oauth1-provider.example";
const CONSUMER_SECRET: &str = "secret-of-the-consumer";

fn file(credential: &Value, authorization: &Value) -> Value {
    json!({ "name": "oauth-shop", "config": {
        "base_url": PROVIDER,
        "credentials": { "oauth": { "config": credential } },
        "authorization": { "format": "oauth1", "config": authorization },
        "resources": { "items": {
            "get": { "path": "/items/{{id}}" },
            "create": { "method": "post", "path": "/items", "body_format": "form", "body": { "status": "{{body.status}}" } },
            "update": { "method": "put", "path": "/items/{{id}}", "body_format": "raw" },
        } },
    } })
}

fn sign_in() -> Value {
    json!({
        "consumer": { "id": "our-key", "secret": CONSUMER_SECRET },
        "requestTokenUrl": format!("{PROVIDER}/request"),
        "authorizeUrl": format!("{PROVIDER}/authorize?scope=read"),
        "tokenUrl": format!("{PROVIDER}/token"),
        "contextFromToken": { "user": "user_id" },
    })
}

/// The parameters of an `Authorization` header, decoded.
pub fn parameters(sent: &Sent) -> Value {
    let header = sent.header("authorization").unwrap();
    let header = header.strip_prefix("OAuth ").unwrap();
    let pairs = header.split(", ").map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        let value = value.trim_matches('"');
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        (name.to_owned(), Value::from(value.unwrap().as_ref()))
    });
    Value::Object(pairs.collect())
}

/// Whether a request is signed by these secrets: it is signed again, by the names that its header has.
fn is_signed_by(sent: &Sent, secrets: (&str, &str), form: &[u8]) -> bool {
    let said = parameters(sent);
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let more = ["oauth_version", "oauth_callback", "oauth_verifier"];
    let more: Vec<(&str, String)> = more.into_iter().map(|name| (name, text(name))).collect();
    let more: Vec<(&str, &str)> = more
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let token = Some((text("oauth_token"), secrets.1.to_owned()));
    let keys = Oauth1Keys {
        consumer_key: text("oauth_consumer_key"),
        consumer_secret: secrets.0.to_owned(),
        token: token.filter(|(token, _)| !token.is_empty()),
        method: Oauth1Method::HmacSha1,
        realm: None,
    };
    let header = keys.header(&Oauth1Request {
        method: sent.method.as_str(),
        url: &Url::parse(&sent.url).unwrap(),
        form,
        more: &more,
        timestamp: text("oauth_timestamp").parse().unwrap(),
        nonce: &text("oauth_nonce"),
    });
    header == sent.header("authorization").unwrap()
}

fn answer(sent: &Sent) -> Reply<Pieces> {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let body = match sent.url.strip_prefix(PROVIDER).unwrap() {
        "/request" => {
            "oauth_token=ask-1&oauth_token_secret=ask-secret-1&oauth_callback_confirmed=true"
        }
        "/token" => "oauth_token=token-1&oauth_token_secret=token-secret-1&user_id=7",
        _ => return reply(200, &JSON, Body::from_bytes("{}")),
    };
    reply(200, &form, Body::from_bytes(body))
}

fn visit() -> Visit {
    let world = World::new();
    world.provides(answer);
    let setting = Setting::new(&world, &file(&sign_in(), &json!({})));
    Visit::with(world, setting, &json!({ "tenant_id": "acme" }))
}

/// The redirect to the provider: its address, and `state` of the callback that it was given.
fn left(visit: &mut Visit) -> (Url, String) {
    let redirected = visit.submit("oauth", &[]);
    assert_eq!(redirected.status, 303, "{}", redirected.text());
    let there = Url::parse(redirected.header("location").unwrap()).unwrap();
    let asked = visit.world.sent().remove(0);
    assert_eq!(
        (asked.method.as_str(), asked.url.as_str()),
        ("POST", "https://oauth1-provider.example/request")
    );
    assert!(is_signed_by(&asked, (CONSUMER_SECRET, ""), b""));
    let said = parameters(&asked);
    assert_eq!(said["oauth_consumer_key"], "our-key");
    let callback = Url::parse(said["oauth_callback"].as_str().unwrap()).unwrap();
    assert!(
        callback.path().ends_with("/connect/oauth-shop/callback"),
        "{callback}"
    );
    (there, parameter(&callback, "state"))
}

#[test]
fn a_customer_signs_in_and_calls_are_signed_by_their_token() {
    let mut visit = visit();
    let page = format!("/connect/oauth-shop?link_token={}", visit.token);
    let page = visit.browser.get(&page);
    assert!(
        page.text().contains("You will sign in at"),
        "{}",
        page.text()
    );
    let (there, state) = left(&mut visit);
    assert_eq!(
        there.as_str(),
        "https://oauth1-provider.example/authorize?scope=read&oauth_token=ask-1"
    );
    let back = format!(
        "/connect/oauth-shop/callback?state={state}&oauth_token=ask-1&oauth_verifier=v%2F1"
    );
    let connected = visit.browser.get(&back);
    assert_eq!(connected.status, 200, "{}", connected.text());
    let exchanged = visit.world.sent().remove(0);
    assert_eq!(exchanged.url, format!("{PROVIDER}/token"));
    assert!(is_signed_by(
        &exchanged,
        (CONSUMER_SECRET, "ask-secret-1"),
        b""
    ));
    assert_eq!(parameters(&exchanged)["oauth_verifier"], "v/1");
    let account = visit.account();
    assert_eq!(account["status"], "active");
    assert_eq!(account["context"]["user"], "7");
    assert!(!account.to_string().contains("token-1"), "{account}");
    let at_rest = visit.world.at_rest();
    for secret in [CONSUMER_SECRET, "ask-secret-1", "token-secret-1"] {
        assert!(!at_rest.contains(secret), "{secret}");
    }
    let id = account["id"].as_str().unwrap();
    let path = format!("/proxy/items/1?x=a%20b&integrated_account_id={id}");
    assert_eq!(visit.setting.client.get(&path).status, 200);
    let called = visit.world.sent().remove(0);
    assert!(is_signed_by(
        &called,
        (CONSUMER_SECRET, "token-secret-1"),
        b""
    ));
    assert_eq!(parameters(&called)["oauth_token"], "token-1");
    let again = visit.browser.get(&back);
    assert_ne!(again.status, 200, "a login is used once");
}

#[test]
fn a_callback_that_is_not_the_logins_or_has_no_verifier_connects_nothing() {
    let cases = [
        "&oauth_token=ask-2&oauth_verifier=v",
        "&oauth_token=ask-1",
        "&denied=ask-1",
        "&oauth_token=ask-1&oauth_verifier=v&oauth_verifier=w",
    ];
    each_case(cases, |query| {
        let mut visit = visit();
        let (_, state) = left(&mut visit);
        let back = format!("/connect/oauth-shop/callback?state={state}{query}");
        let refused = visit.browser.get(&back);
        assert_ne!(refused.status, 200, "{}", refused.text());
        assert!(visit.world.sent().is_empty());
        let list = visit.setting.client.get("/integrated-account").expect(200);
        assert_eq!(list["result"], json!([]));
    });
}

#[test]
fn temporary_credentials_that_are_refused_or_unconfirmed_end_the_sign_in() {
    let cases = [
        (401, "oauth_problem=consumer_key_unknown"),
        (200, "oauth_token=ask-1&oauth_token_secret=ask-secret-1"),
        (200, "<html>"),
    ];
    each_case(cases, |(status, body)| {
        let mut visit = visit();
        visit
            .world
            .provides(move |_| reply(status, &[], Body::from_bytes(body)));
        let refused = visit.submit("oauth", &[]);
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(!refused.text().contains(CONSUMER_SECRET));
    });
}

fn typed_in() -> (Value, Value) {
    let credential = json!({
        "consumer": { "id": "{{consumer_key}}", "secret": "{{consumer_secret}}" },
        "signatureMethod": "HMAC-SHA256", "realm": "{{account_id}}",
        "fields": [
            { "name": "account_id", "required": true }, { "name": "consumer_key", "required": true },
            { "name": "consumer_secret", "type": "password", "required": true },
            { "name": "token_id", "required": true },
            { "name": "token_secret", "type": "password", "required": true },
        ],
    });
    let authorization = json!({ "token": "{{token_id}}", "token_secret": "{{token_secret}}" });
    (credential, authorization)
}

#[test]
fn a_token_that_is_typed_in_needs_no_sign_in() {
    let (credential, authorization) = typed_in();
    let world = World::new();
    world.provides(answer);
    let context = json!({ "account_id": "123456_SB1", "consumer_key": "ck", "consumer_secret": "cs-secret", "token_id": "tk", "token_secret": "ts-secret" });
    let scene = Scene::new(world, &file(&credential, &authorization), "oauth", &context);
    let ok = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    assert_eq!(ok.status, 200, "{}", ok.text());
    let sent = scene.world.sent().remove(0);
    let said = parameters(&sent);
    assert_eq!(said["realm"], "123456_SB1");
    assert_eq!(said["oauth_signature_method"], "HMAC-SHA256");
    assert_eq!(said["oauth_token"], "tk");
    assert!(!scene.world.at_rest().contains("ts-secret"));
    let (credential, authorization) = typed_in();
    let world = World::new();
    world.provides(answer);
    let setting = Setting::new(&world, &file(&credential, &authorization));
    let mut visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    let fields = [
        ("account_id", "a"),
        ("consumer_key", "c"),
        ("consumer_secret", "s"),
        ("token_id", "t"),
        ("token_secret", "ts"),
    ];
    let connected = visit.submit("oauth", &fields);
    assert_eq!(connected.status, 200, "{}", connected.text());
    assert_eq!(visit.account()["status"], "active");
    assert!(visit.world.sent().is_empty());
}

#[test]
fn the_fields_of_a_form_are_signed_as_they_are_sent() {
    let world = World::new();
    world.provides(answer);
    let context = json!({ "oauth": { "token": { "access_token": "token-1", "token_secret": "token-secret-1" } } });
    let scene = Scene::new(world, &file(&sign_in(), &json!({})), "oauth", &context);
    let body = Body::from_bytes(r#"{"status":"Hello + &"}"#);
    let ok = scene.call_passing("POST", "/proxy/items", &JSON, body);
    assert_eq!(ok.status, 200, "{}", ok.text());
    let sent = scene.world.sent().remove(0);
    assert!(!sent.body.is_empty());
    let secrets = (CONSUMER_SECRET, "token-secret-1");
    assert!(is_signed_by(&sent, secrets, &sent.body));
    assert!(!is_signed_by(&sent, secrets, b""));
    // A form that streams is held; another body is not signed, and streams.
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let scene_sends = |headers: &[(&str, &str)]| {
        let body = streamed(&[b"a=b+c"], None);
        let ok = scene.call_passing("PUT", "/proxy/items/1", headers, body);
        assert_eq!(ok.status, 200, "{}", ok.text());
        scene.world.sent().remove(0)
    };
    assert!(is_signed_by(&scene_sends(&form), secrets, b"a=b+c"));
    assert!(is_signed_by(
        &scene_sends(&[("content-type", "text/plain")]),
        secrets,
        b""
    ));
}

#[test]
fn a_refused_token_needs_its_customer() {
    let world = World::new();
    world.provides(|_| reply(401, &JSON, Body::from_bytes("{}")));
    let context = json!({ "oauth": { "token": { "access_token": "token-1", "token_secret": "token-secret-1" } } });
    let scene = Scene::new(world, &file(&sign_in(), &json!({})), "oauth", &context);
    scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    scene.world.pass(std::time::Duration::from_secs(90));
    let refused = scene.call_passing("GET", "/proxy/items/1", &[], Body::Empty);
    assert_eq!(refused.code(401), "account.needs_reauth");
    assert_eq!(scene.status(), "needs_reauth");
}

/// <https://developer.x.com/en/docs/authentication/oauth-1-0a/creating-a-signature>, and the same of the older version.
#[test]
fn the_published_example_of_a_provider_is_signed_as_printed() {
    let keys = Oauth1Keys {
        consumer_key: "xvz1evFS4wEEPTGEFPHBog".to_owned(),
        consumer_secret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw".to_owned(),
        token: Some((
            "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb".to_owned(),
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE".to_owned(),
        )),
        method: Oauth1Method::HmacSha1,
        realm: None,
    };
    for (version, signature) in [
        ("1.1", "hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D"),
        ("1", "tnnArxj06cWHq44gCs1OSKk%2FjLY%3D"),
    ] {
        let url =
            format!("https://api.twitter.com/{version}/statuses/update.json?include_entities=true");
        let header = keys.header(&Oauth1Request {
            method: "post",
            url: &Url::parse(&url).unwrap(),
            form: b"status=Hello%20Ladies%20%2b%20Gentlemen%2c%20a%20signed%20OAuth%20request%21",
            more: &[("oauth_version", "1.0")],
            timestamp: 1_318_622_958,
            nonce: "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg",
        });
        assert!(
            header.ends_with(&format!("oauth_signature=\"{signature}\"")),
            "{header}"
        );
    }
}

/// The findings of a file with these settings, as `path: message`.
fn findings(credential: &Value, authorization: &Value, more: &Value) -> Vec<String> {
    let mut file = file(credential, authorization);
    causeway::json::merge(&mut file["config"], more);
    let findings = read(&file).findings.into_iter();
    findings
        .map(|one| format!("{}: {}", one.path, one.message))
        .collect()
}

#[test]
fn a_consumer_of_the_operators_goes_to_hosts_that_the_file_fixes() {
    assert_eq!(
        findings(&sign_in(), &json!({}), &json!({})),
        Vec::<String>::new()
    );
    let open = json!({ "base_url": "https://{{host}}", "allowed_hosts": ["*"] });
    let mut credential = sign_in();
    credential["fields"] = json!([{ "name": "host" }]);
    let found = findings(&credential, &json!({}), &open);
    assert!(
        found.iter().any(|one| one
            .starts_with("config.credentials.oauth.config.consumer.secret: the operator's key")),
        "{found:?}"
    );
    credential["consumer"]["secret"] = json!("{{environment_variables.secret}}");
    let found = findings(&credential, &json!({}), &open);
    assert!(
        found
            .iter()
            .any(|one| one
                .contains("consumer.secret: `environment_variables.secret` is the operator's")),
        "{found:?}"
    );
}

#[test]
fn a_sign_in_has_all_its_steps_and_a_signature_its_client() {
    let mut credential = sign_in();
    credential["tokenUrl"] = Value::Null;
    let found = findings(&credential, &json!({ "token": "{{a?:}}" }), &json!({}));
    assert!(found.contains(&"config.credentials.oauth.config.tokenUrl: `requestTokenUrl`, `authorizeUrl` and `tokenUrl` go together".to_owned()), "{found:?}");
    assert!(
        found.contains(&"config.authorization: `token` and `token_secret` go together".to_owned()),
        "{found:?}"
    );
    let other = json!({ "credentials": { "oauth": null, "api_key": { "config": {} } } });
    let found = findings(&sign_in(), &json!({}), &other);
    assert!(
        found.contains(
            &"config.authorization: `oauth1` needs `consumer`, or a credential `oauth`".to_owned()
        ),
        "{found:?}"
    );
}
