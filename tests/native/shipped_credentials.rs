//! The ways to authenticate that the shipped files show, each from what a customer types to the first call.

use causeway::crypto::{Hash, hmac};
use causeway::ports::Body;
use data_encoding::BASE64;
use serde_json::{Value, json};
use url::Url;

use crate::account::{JSON, Scene};
use crate::cases::each_case;
use crate::connect::parameter;
use crate::connect_shipped::{ConnectFlow, form_of};
use crate::integration_files::{load, root};
use crate::oauth1_sign_in::parameters;
use crate::outside::{Sent, World, reply};
use crate::signed_tokens::{private, verified};

const TOKEN: &str = r#"{"access_token":"granted","token_type":"Bearer","expires_in":3600}"#;

fn shipped(name: &str) -> Value {
    load(&root().join(format!("integrations/{name}.json")))
}

/// What an import and one call send, in order. Requests that get a token are answered with `token`.
fn sent_by(
    name: &str,
    method: &str,
    context: &Value,
    call: &str,
    token: &'static str,
) -> Vec<Sent> {
    let world = World::new();
    world.provides(move |sent| {
        let is_of_token = sent.url.contains("/token") || sent.url.ends_with("/access_tokens");
        let body = if is_of_token { token } else { "{}" };
        reply(200, &JSON, Body::from_bytes(body))
    });
    let scene = Scene::new(world, &shipped(name), method, context);
    let before = scene.world.sent();
    let answer = scene.get(call);
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    let at_rest = scene.world.at_rest();
    let keys = ["rsa", "ec"].map(|kind| private(kind).lines().nth(1).unwrap().to_owned());
    assert!(!keys.iter().any(|key| at_rest.contains(key)), "{name}");
    before.into_iter().chain(scene.world.sent()).collect()
}

/// The request that a call sends: the last one.
fn called(sent: &[Sent]) -> &Sent {
    sent.last().unwrap()
}

#[test]
fn a_key_goes_where_its_file_says() {
    let basic = |text: &str| format!("Basic {}", BASE64.encode(text.as_bytes()));
    let cases = [
        (
            "brevo",
            json!({ "api_key": "k-1" }),
            "/custom/account",
            ("api-key", "k-1".to_owned()),
        ),
        (
            "jira",
            json!({ "email": "jo@example.com", "api_token": "k-1", "subdomain": "acme" }),
            "/custom/myself",
            ("authorization", basic("jo@example.com:k-1")),
        ),
        (
            "trello",
            json!({ "api_key": "k-1", "token": "t-1" }),
            "/custom/members/me",
            (
                "authorization",
                r#"OAuth oauth_consumer_key="k-1", oauth_token="t-1""#.to_owned(),
            ),
        ),
    ];
    each_case(cases, |(name, context, call, (header, value))| {
        let sent = sent_by(name, "api_key", &context, call, TOKEN);
        assert_eq!(called(&sent).header(header), Some(value.as_str()), "{name}");
    });
    let context = json!({ "api_key": "k 1" });
    let sent = sent_by("giphy", "api_key", &context, "/custom/gifs/x", TOKEN);
    let url = Url::parse(&called(&sent).url).unwrap();
    assert_eq!(parameter(&url, "api_key"), "k 1");
}

#[test]
fn client_credentials_give_a_bearer_token_for_a_header() {
    let context = json!({ "client_id": "id", "client_secret": "secret" });
    let method = "oauth2_client_credentials";
    let sent = sent_by("paypal", method, &context, "/custom/v1/x", TOKEN);
    let asked = &sent[0];
    assert!(asked.url.ends_with("/v1/oauth2/token"), "{}", asked.url);
    assert_eq!(form_of(asked)["grant_type"], "client_credentials");
    let client = format!("Basic {}", BASE64.encode(b"id:secret"));
    assert_eq!(asked.header("authorization"), Some(client.as_str()));
    assert_eq!(
        called(&sent).header("authorization"),
        Some("Bearer granted")
    );
}

/// <https://developer.okta.com/docs/guides/build-self-signed-jwt/-/main/>
#[test]
fn a_client_is_known_by_its_key() {
    let context = json!({ "domain": "acme.okta.com", "client_id": "0oa1", "key_id": "k-1", "private_key": private("rsa") });
    let method = "oauth2_client_credentials";
    let sent = sent_by("okta", method, &context, "/custom/users", TOKEN);
    assert_eq!(sent[0].url, "https://acme.okta.com/oauth2/v1/token");
    assert_eq!(sent[0].header("authorization"), None);
    let form = form_of(&sent[0]);
    assert_eq!(form["grant_type"], "client_credentials");
    assert_eq!(
        form["scope"],
        "okta.users.read okta.groups.read okta.apps.read okta.logs.read"
    );
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    let (header, claims) = verified(&form["client_assertion"], "rsa");
    assert_eq!(
        header,
        json!({ "alg": "RS256", "typ": "JWT", "kid": "k-1" })
    );
    assert_eq!(
        (&claims["iss"], &claims["sub"]),
        (&json!("0oa1"), &json!("0oa1"))
    );
    assert_eq!(claims["aud"], "https://acme.okta.com/oauth2/v1/token");
    assert_eq!(
        called(&sent).header("authorization"),
        Some("Bearer granted")
    );
}

/// <https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app>
#[test]
fn an_app_gets_a_token_of_its_installation_by_a_signed_one() {
    let context = json!({ "app_id": "Iv1.8a61f9b3a7aba766", "installation_id": "7", "private_key": private("rsa") });
    let token = r#"{"token":"ghs_16C7","expires_at":"2030-07-11T22:14:10Z","permissions":{"issues":"write"}}"#;
    let sent = sent_by(
        "github-app",
        "custom_token",
        &context,
        "/custom/rate_limit",
        token,
    );
    let asked = &sent[0];
    assert_eq!(
        (asked.method.as_str(), asked.url.as_str()),
        (
            "POST",
            "https://api.github.com/app/installations/7/access_tokens"
        )
    );
    assert!(asked.body.is_empty(), "nothing that was typed is sent");
    assert_eq!(asked.header("accept"), Some("application/vnd.github+json"));
    let signed = asked.header("authorization").unwrap();
    let (header, claims) = verified(signed.strip_prefix("Bearer ").unwrap(), "rsa");
    assert_eq!(header, json!({ "alg": "RS256", "typ": "JWT" }));
    assert_eq!(claims["iss"], "Iv1.8a61f9b3a7aba766");
    let time = |name: &str| claims[name].as_i64().unwrap();
    assert!(time("exp") - time("iat") <= 600, "ten minutes at most");
    assert_eq!(
        called(&sent).header("authorization"),
        Some("Bearer ghs_16C7")
    );
}

/// <https://developer.apple.com/documentation/appstoreconnectapi/generating-tokens-for-api-requests>
#[test]
fn a_team_key_signs_the_token_that_calls_carry() {
    let context = json!({ "issuer_id": "57246542-96fe-1a63-e053-0824d011072a", "key_id": "2X9R4HXF34", "private_key": private("ec") });
    let sent = sent_by("app-store-connect", "jwt", &context, "/custom/apps", TOKEN);
    assert_eq!(sent.len(), 1);
    let signed = sent[0].header("authorization").unwrap();
    let (header, claims) = verified(signed.strip_prefix("Bearer ").unwrap(), "ec");
    assert_eq!(
        header,
        json!({ "alg": "ES256", "typ": "JWT", "kid": "2X9R4HXF34" })
    );
    assert_eq!(claims["iss"], "57246542-96fe-1a63-e053-0824d011072a");
    assert_eq!(claims["aud"], "appstoreconnect-v1");
    let time = |name: &str| claims[name].as_i64().unwrap();
    assert!(time("exp") - time("iat") <= 1200, "20 minutes at most");
}

/// <https://developers.google.com/identity/protocols/oauth2/service-account>
#[test]
fn a_service_account_gets_a_token_by_its_assertion() {
    let context = json!({ "client_email": "reports@project.iam.gserviceaccount.com", "private_key": private("rsa") });
    let call = "/custom/accountSummaries";
    let sent = sent_by("google-analytics", "jwt_bearer", &context, call, TOKEN);
    assert_eq!(sent[0].url, "https://oauth2.googleapis.com/token");
    let form = form_of(&sent[0]);
    assert_eq!(
        form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let claims = verified(&form["assertion"], "rsa").1;
    assert_eq!(claims["iss"], "reports@project.iam.gserviceaccount.com");
    assert_eq!(claims["aud"], "https://oauth2.googleapis.com/token");
    assert_eq!(
        claims["scope"],
        "https://www.googleapis.com/auth/analytics.readonly https://www.googleapis.com/auth/analytics.edit"
    );
    let time = |name: &str| claims[name].as_i64().unwrap();
    assert!(time("exp") - time("iat") <= 3600, "an hour at most");
    assert_eq!(
        called(&sent).header("authorization"),
        Some("Bearer granted")
    );
}

/// RFC 5849, section 3.4, written out once more.
#[test]
fn a_token_that_is_typed_in_signs_calls() {
    let context = json!({ "account_domain": "1234567-sb1", "account_id": "1234567_SB1", "consumer_key": "ck", "consumer_secret": "cs", "token_id": "tk", "token_secret": "ts" });
    let call = "/custom/record/v1/customer?limit=2";
    let sent = sent_by("netsuite", "oauth", &context, call, TOKEN);
    let url = "https://1234567-sb1.suitetalk.api.netsuite.com/services/rest/record/v1/customer";
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].url, format!("{url}?limit=2"));
    let said = parameters(&sent[0]);
    let text = |name: &str| said[name].as_str().unwrap();
    assert_eq!(text("realm"), "1234567_SB1");
    let encoded = |text: &str| -> String {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
            .to_string()
            .replace("%2E", ".")
            .replace("%2D", "-")
            .replace("%5F", "_")
            .replace("%7E", "~")
    };
    let names = [
        "oauth_consumer_key",
        "oauth_nonce",
        "oauth_signature_method",
        "oauth_timestamp",
        "oauth_token",
        "oauth_version",
    ];
    let pairs = names.map(|name| format!("{name}={}", encoded(text(name))));
    let pairs = format!("limit=2&{}", pairs.join("&"));
    let base = format!("GET&{}&{}", encoded(url), encoded(&pairs));
    let signature = BASE64.encode(&hmac(Hash::Sha256, b"cs&ts", base.as_bytes()));
    assert_eq!(text("oauth_signature_method"), "HMAC-SHA256");
    assert_eq!(
        (text("oauth_consumer_key"), text("oauth_token")),
        ("ck", "tk")
    );
    assert_eq!(text("oauth_signature"), signature, "{base}");
}

#[test]
fn a_customer_signs_in_by_oauth_1_and_calls_carry_their_token() {
    let mut flow = ConnectFlow::shipped("trello");
    let variables = json!({ "environment_variables": { "consumer_key": "our-key" }, "secret_environment_variables": { "consumer_secret": "our-secret" } });
    flow.setting.override_install(&variables).expect(200);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let asked = "oauth_token=ask-1&oauth_token_secret=s-1&oauth_callback_confirmed=true";
    flow.world.answers(200, &form, asked);
    let redirected = flow.submit(&[("credential", "oauth")]);
    assert_eq!(redirected.status, 303, "{}", redirected.text());
    let there = Url::parse(redirected.header("location").unwrap()).unwrap();
    assert_eq!(
        there.as_str(),
        "https://trello.com/1/OAuthAuthorizeToken?name=Causeway&scope=read,write&expiration=never&oauth_token=ask-1"
    );
    let asked = flow.world.sent().remove(0);
    assert_eq!(asked.url, "https://trello.com/1/OAuthGetRequestToken");
    let callback = parameters(&asked)["oauth_callback"].clone();
    let state = parameter(&Url::parse(callback.as_str().unwrap()).unwrap(), "state");
    flow.world.answers(
        200,
        &form,
        "oauth_token=token-1&oauth_token_secret=token-secret-1",
    );
    flow.world.answers(200, &JSON, r#"{"id":"m-1"}"#);
    let back =
        format!("/connect/trello/callback?state={state}&oauth_token=ask-1&oauth_verifier=v1");
    let connected = flow.browser.get(&back);
    assert_eq!(connected.status, 200, "{}", connected.text());
    let sent = flow.world.sent();
    assert_eq!(sent[0].url, "https://trello.com/1/OAuthGetAccessToken");
    assert_eq!(
        sent[1].header("authorization"),
        Some(r#"OAuth oauth_consumer_key="our-key", oauth_token="token-1""#)
    );
    assert_eq!(flow.account()["status"], "active");
}

/// The rows of the table of docs/providers.md: file, credential, and `authorization` where the row names one.
fn rows() -> Vec<(String, String, Option<String>)> {
    let text = std::fs::read_to_string(root().join("docs/providers.md")).unwrap();
    let table = text.split("## Ways to authenticate").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.map(|line| line.trim_matches('|').split(" | ").collect::<Vec<_>>());
    let named = |cell: &str, key: &str| {
        let at = cell.split(&format!("`{key}.")).nth(1)?;
        Some(at.split('`').next()?.to_owned())
    };
    cells
        .map(|cells| {
            let file = cells[2].split('`').nth(1).unwrap().to_owned();
            let credential = named(cells[1], "credentials").unwrap();
            (file, credential, named(cells[1], "authorization"))
        })
        .collect()
}

#[test]
fn the_table_of_ways_names_files_that_show_them() {
    let rows = rows();
    let mut shown: Vec<_> = rows
        .iter()
        .map(|(_, credential, _)| credential.as_str())
        .collect();
    shown.sort_unstable();
    shown.dedup();
    let mut formats = causeway::config::credentials::FORMATS.to_vec();
    formats.sort_unstable();
    assert_eq!(shown, formats, "each credential of the schema has its file");
    each_case(rows, |(name, credential, authorization)| {
        let config = &shipped(&name)["config"];
        assert!(
            config["credentials"][&credential].is_object(),
            "{name} {credential}"
        );
        let format = &config["authorization"]["format"];
        if let Some(expected) = authorization {
            assert_eq!(format, expected.as_str(), "{name}");
        }
    });
}
