//! A URL is signed as it was called. The platform may show `'` and a few other characters of a query percent-encoded
//! (WHATWG URL, the special-query percent-encode set): both ways are tried, and no other.

use causeway::ports::Body;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::account::Scene;
use crate::cases::each_case;
use crate::client::{Answer, Client};
use crate::outside::{ORIGIN, World};

const FORM: &str = "Body=It%27s&From=%2B1";
const SORTED: &str = "BodyIt'sFrom+1";

fn file(verification: &Value) -> Value {
    let mut config = json!({ "algorithm": "sha1", "secret": "{{webhook_secret}}", "string_type": "base64", "compare_with": "$header.x-signature" });
    causeway::json::merge(&mut config, verification);
    json!({ "name": "urls", "config": {
        "base_url": "https://api.urls.example",
        "credentials": { "api_key": { "format": "api_key", "config": { "fields": [
            { "name": "api_key", "type": "password" }, { "name": "webhook_secret", "type": "password" } ] } } },
        "webhook": { "signature_verification": { "format": "hmac", "config": config } },
    } })
}

fn open(verification: &Value) -> Scene {
    let context = json!({ "api_key": "k", "webhook_secret": "tw-secret-one" });
    Scene::new(World::new(), &file(verification), "api_key", &context)
}

fn sign(text: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(b"tw-secret-one").unwrap();
    mac.update(text.as_bytes());
    BASE64.encode(&mac.finalize().into_bytes())
}

/// Sends to the URL as the platform shows it, which signed this.
fn send(scene: &Scene, target: &str, signed: &str) -> Answer {
    let provider = Client {
        world: scene.world.clone(),
        token: String::new(),
    };
    let signature = sign(signed);
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-signature", signature.as_str()),
    ];
    provider.request("POST", target, &headers, Body::from_bytes(FORM))
}

/// The account's webhook URL.
fn address(scene: &Scene) -> String {
    let path = format!("/integrated-account/{}", scene.account);
    let url = scene.setting.client.get(&path).expect(200)["webhook_url"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(url.starts_with(ORIGIN));
    url
}

const QUERIES: &[&str] = &[
    "msg=Couldn't+find+it&n=2",
    "a=''&b='",
    "a=%22quoted%22&b=it's",
    "a=%27",
    "a=%3Cb%3E&c=d|e^f{g}",
    "a=\"<b>'",
];

#[test]
fn a_query_is_signed_as_it_was_called() {
    each_case(QUERIES, |query| {
        let cases = [
            (
                json!({ "parts": ["$url", "$form_sorted"] }),
                format!("{{url}}?{query}{SORTED}"),
            ),
            (
                json!({ "parts": ["$query", ".", "$body"] }),
                format!("{query}.{FORM}"),
            ),
            (
                json!({ "verification_content": "{{url}}|{{body}}" }),
                format!("{{url}}?{query}|{FORM}"),
            ),
        ];
        each_case(cases, |(parts, signed)| {
            let scene = open(&parts);
            let url = address(&scene);
            let signed = signed.replace("{url}", &url);
            let answer = send(&scene, &format!("{url}?{query}"), &signed);
            assert_eq!(answer.status, 200, "{query} {parts}");
        });
    });
}

#[test]
fn another_query_stays_another_query() {
    let cases = [
        ("a='", "a=%2527"),
        ("a='", "a=%60"),
        ("a=b", "a=b'"),
        ("a=%2541", "a=%41"),
        ("a=%41", "a=A"),
        ("a=b%20c", "a=b+c"),
        ("a=%26b=1", "a=&b=1"),
        ("a=%7Bb%7D", "a={b}"),
    ];
    each_case(cases, |(sent, signed)| {
        let scene = open(&json!({ "parts": ["$url", "$form_sorted"] }));
        let url = address(&scene);
        let answer = send(
            &scene,
            &format!("{url}?{sent}"),
            &format!("{url}?{signed}{SORTED}"),
        );
        assert_eq!(answer.status, 401, "{sent} {signed}");
    });
}
