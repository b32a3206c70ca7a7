//! Logins at hosts that the account's values choose, where the file names the endpoints: no server gets what belongs to another.

use causeway::config::read;
use causeway::ports::Body;
use serde_json::{Value, json};
use url::Url;

use crate::account::JSON;
use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::{Visit, parameter};
use crate::outside::{World, reply};
use crate::planted_secrets::{self, Place};

const FIXED: &str = "https://login.zoned-provider.example";
const CHOSEN: &str = "https://{{zone}}.zoned-provider.example";
/// The customer's zone, or one that the way back names.
const NAMED_LATER: &str = "https://{{zone?:eu}}.zoned-provider.example";
const SECRET: &str = "secret-of-the-registered-client";

fn file(config: &Value) -> Value {
    let mut credential = json!({ "fields": [{ "name": "zone", "label": "Zone" }] });
    causeway::json::merge(&mut credential, config);
    json!({ "name": "oauth-shop", "config": {
        "base_url": "https://api.zoned-provider.example",
        "credentials": { "oauth2": { "config": credential } },
        "authorization": { "format": "bearer" },
        "resources": { "items": { "get": { "path": "/items/{{id}}" } } },
    } })
}

fn endpoints(authorize: &str, token: &str) -> Value {
    json!({ "authorizeUrl": format!("{authorize}/authorize"), "tokenUrl": format!("{token}/token") })
}

/// A customer of a provider that registers clients and grants tokens.
fn visit(config: &Value) -> Visit {
    let world = World::new();
    world.provides(|sent| {
        let body = if sent.url.ends_with("/register") {
            json!({ "client_id": "registered-1", "client_secret": SECRET })
        } else {
            json!({ "access_token": "token-of-the-zone", "expires_in": 3_600 })
        };
        reply(200, &JSON, Body::from_bytes(body.to_string()))
    });
    let everywhere = [Place::Answered, Place::Logged, Place::Stored];
    planted_secrets::plant("client_secret", SECRET, &everywhere);
    let setting = Setting::new(&world, &file(config));
    Visit::with(world, setting, &json!({ "tenant_id": "acme" }))
}

#[test]
fn a_metadata_document_is_the_client_where_the_file_fixes_the_hosts() {
    let path = format!("{FIXED}/{{{{zone}}}}");
    let cases = [
        (FIXED, FIXED, true),
        (path.as_str(), FIXED, true),
        (CHOSEN, FIXED, false),
        (FIXED, CHOSEN, false),
        (CHOSEN, CHOSEN, false),
        (FIXED, NAMED_LATER, false),
    ];
    each_case(cases, |(authorize, token, is_used)| {
        let auth = endpoints(authorize, token);
        let config = json!({ "client": { "metadataDocument": true }, "auth": auth });
        let findings = read(&file(&config)).findings;
        let paths: Vec<_> = findings.iter().map(|one| one.path.as_str()).collect();
        let place = "config.credentials.oauth2.config.client.metadataDocument";
        let expected = if is_used { vec![] } else { vec![place] };
        assert_eq!(paths, expected);
        let mut visit = visit(&config);
        let answer = visit.submit("oauth2", &[("zone", "eu")]);
        assert_eq!(answer.status, if is_used { 303 } else { 422 });
        assert!(visit.world.sent().is_empty());
        if is_used {
            let there: Url = answer.header("location").unwrap().parse().unwrap();
            let id = parameter(&there, "client_id");
            assert!(id.contains("/oauth-client/"), "{id}");
        }
    });
}

#[test]
fn a_client_is_registered_at_the_host_that_the_account_chose() {
    let cases = [
        (CHOSEN, CHOSEN, true),
        (FIXED, "https://login.other-provider.example", true),
        (FIXED, CHOSEN, false),
        (CHOSEN, FIXED, false),
    ];
    each_case(cases, |(registration, host, is_registered)| {
        let mut auth = endpoints(host, host);
        auth["registrationUrl"] = json!(format!("{registration}/register"));
        let mut visit = visit(&json!({ "auth": auth }));
        let answer = visit.submit("oauth2", &[("zone", "eu")]);
        let expected = if is_registered { (303, 1) } else { (422, 0) };
        assert_eq!((answer.status, visit.world.sent().len()), expected);
    });
}

#[test]
fn the_way_back_moves_no_registered_client_to_another_host() {
    let cases = [("", 200), ("&zone=eu", 200), ("&zone=evil", 422)];
    each_case(cases, |(more, status)| {
        let mut auth = endpoints(NAMED_LATER, NAMED_LATER);
        auth["registrationUrl"] = json!(format!("{NAMED_LATER}/register"));
        let mut visit = visit(&json!({
            "auth": auth, "fields": [], "contextFromCallback": { "zone": "zone" },
        }));
        let answer = visit.submit("oauth2", &[]);
        let there: Url = answer.header("location").unwrap().parse().unwrap();
        assert_eq!(there.host_str(), Some("eu.zoned-provider.example"));
        visit.world.sent();
        let state = parameter(&there, "state");
        let path = format!("/connect/oauth-shop/callback?code=the-code&state={state}{more}");
        let page = visit.browser.get(&path);
        assert_eq!(page.status, status, "{}", page.text());
        let sent = visit.world.sent();
        assert_eq!(sent.len(), usize::from(status == 200));
        let is_home = |url: &str| url == "https://eu.zoned-provider.example/token";
        assert!(sent.iter().all(|one| is_home(&one.url)));
    });
}
