//! What a server may not do that is named by a customer: everything that it announces is checked before it is used, and a
//! refusal costs nothing that is kept.

use std::time::Duration;

use causeway::config::read;
use causeway::ports::ObjectName;
use serde_json::{Value, json};

use crate::cases::each_case;
use crate::connect::parameter;
use crate::mcp_servers::{
    ISSUER, Notes, RESOURCE, RESOURCE_METADATA, SERVER_METADATA, back, file, leave,
    resource_metadata, server_metadata, submit, visit,
};

const UNKNOWN: &str = "does not say how to sign in";
const UNSAFE: &str = "sign-in cannot be used";
const CLOSED: &str = "does not allow new applications";
const UNREACHABLE: &str = "could not be connected";

/// An attack: what is changed, what the customer reads, and how many requests were sent at most.
type Attack = (&'static str, fn(&Notes), &'static str, usize);

fn with_server(notes: &Notes, changes: &Value) {
    let mut metadata = server_metadata();
    causeway::json::merge(&mut metadata, changes);
    notes.json(SERVER_METADATA, &metadata);
}

fn with_resource(notes: &Notes, changes: &Value) {
    let mut metadata = resource_metadata();
    causeway::json::merge(&mut metadata, changes);
    notes.json(RESOURCE_METADATA, &metadata);
}

fn challenged(notes: &Notes, url: &str) {
    let value = format!("Bearer resource_metadata=\"{url}\"");
    notes.page(RESOURCE, 401, &[("www-authenticate", value)], "");
}

const ATTACKS: &[Attack] = &[
    (
        "another issuer",
        |notes| with_server(notes, &json!({ "issuer": "https://evil.example" })),
        UNSAFE,
        3,
    ),
    (
        "another resource",
        |notes| with_resource(notes, &json!({ "resource": "https://evil.example/mcp" })),
        UNSAFE,
        2,
    ),
    (
        "a resource next to it",
        |notes| {
            with_resource(
                notes,
                &json!({ "resource": "https://mcp.notes.example/other" }),
            )
        },
        UNSAFE,
        2,
    ),
    (
        "no authorization server",
        |notes| with_resource(notes, &json!({ "authorization_servers": [] })),
        UNSAFE,
        2,
    ),
    (
        "a server over http",
        |notes| {
            with_resource(
                notes,
                &json!({ "authorization_servers": ["http://login.notes.example/t1"] }),
            )
        },
        UNSAFE,
        2,
    ),
    (
        "a server at a private address",
        |notes| {
            with_resource(
                notes,
                &json!({ "authorization_servers": ["https://169.254.169.254"] }),
            )
        },
        UNSAFE,
        2,
    ),
    (
        "a server on loopback",
        |notes| {
            with_resource(
                notes,
                &json!({ "authorization_servers": ["https://localhost:8080"] }),
            )
        },
        UNSAFE,
        2,
    ),
    (
        "metadata over http",
        |notes| challenged(notes, "http://mcp.notes.example/meta"),
        UNSAFE,
        1,
    ),
    (
        "metadata at a private address",
        |notes| challenged(notes, "https://10.0.0.1/meta"),
        UNSAFE,
        1,
    ),
    (
        "metadata that is no URL",
        |notes| challenged(notes, "/meta"),
        UNSAFE,
        1,
    ),
    (
        "a token endpoint over http",
        |notes| {
            with_server(
                notes,
                &json!({ "token_endpoint": "http://login.notes.example/token" }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "a token endpoint at a private address",
        |notes| {
            with_server(
                notes,
                &json!({ "token_endpoint": "https://127.0.0.1/token" }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "an authorization endpoint of a script",
        |notes| {
            with_server(
                notes,
                &json!({ "authorization_endpoint": "javascript:alert(1)" }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "a registration at a private address",
        |notes| {
            with_server(
                notes,
                &json!({ "registration_endpoint": "https://[::1]/register" }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "a revocation over http",
        |notes| {
            with_server(
                notes,
                &json!({ "revocation_endpoint": "http://login.notes.example/revoke" }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "no PKCE",
        |notes| with_server(notes, &json!({ "code_challenge_methods_supported": null })),
        UNSAFE,
        3,
    ),
    (
        "PKCE by plain alone",
        |notes| {
            with_server(
                notes,
                &json!({ "code_challenge_methods_supported": ["plain"] }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "the authorization endpoint of an honest server, without iss",
        |notes| {
            with_server(
                notes,
                &json!({
                    "authorization_endpoint": "https://honest.example/authorize", "authorization_response_iss_parameter_supported": null,
                }),
            )
        },
        UNSAFE,
        3,
    ),
    (
        "a document that is no JSON",
        |notes| notes.page(SERVER_METADATA, 200, &[], "<html>"),
        UNSAFE,
        3,
    ),
    (
        "a document that is a list",
        |notes| notes.page(RESOURCE_METADATA, 200, &[], "[]"),
        UNSAFE,
        2,
    ),
    (
        "a document that is too deep",
        |notes| {
            let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
            notes.page(SERVER_METADATA, 200, &[], &format!("{{\"a\":{deep}}}"));
        },
        UNSAFE,
        3,
    ),
    (
        "a document that is too large",
        |notes| with_server(notes, &json!({ "x": "a".repeat(65_536) })),
        UNSAFE,
        3,
    ),
    (
        "a redirect to another host",
        |notes| {
            notes.page(
                SERVER_METADATA,
                302,
                &[("location", "https://evil.example/meta".to_owned())],
                "",
            );
        },
        UNKNOWN,
        5,
    ),
    (
        "a redirect of the resource's metadata",
        |notes| {
            notes.page(
                RESOURCE_METADATA,
                307,
                &[("location", "https://10.0.0.1/".to_owned())],
                "",
            );
        },
        UNKNOWN,
        4,
    ),
    (
        "no metadata at all",
        |notes| {
            notes.page(RESOURCE, 401, &[], "");
            notes.pages.borrow_mut().remove(RESOURCE_METADATA);
        },
        UNKNOWN,
        5,
    ),
    (
        "a server that fails",
        |notes| notes.page(SERVER_METADATA, 500, &[], ""),
        UNREACHABLE,
        3,
    ),
    (
        "no registration",
        |notes| with_server(notes, &json!({ "registration_endpoint": null })),
        CLOSED,
        3,
    ),
    (
        "a registration that is refused",
        |notes| {
            notes.page(
                "https://login.notes.example/t1/register",
                403,
                &[],
                r#"{"error":"access_denied","error_description":"by invitation"}"#,
            );
        },
        CLOSED,
        4,
    ),
    (
        "a registration that is not there",
        |notes| {
            notes
                .pages
                .borrow_mut()
                .remove("https://login.notes.example/t1/register");
        },
        CLOSED,
        4,
    ),
    (
        "a registration with another redirect URI",
        |notes| {
            notes.json(
                "https://login.notes.example/t1/register",
                &json!({ "client_id": "a", "redirect_uris": ["https://evil.example/"] }),
            );
        },
        UNREACHABLE,
        4,
    ),
    (
        "a registration that redirects",
        |notes| {
            notes.page(
                "https://login.notes.example/t1/register",
                307,
                &[("location", "https://10.0.0.1/".to_owned())],
                "",
            );
        },
        CLOSED,
        4,
    ),
];

#[test]
fn what_a_server_announces_is_checked_before_anything_is_kept() {
    each_case(ATTACKS, |(name, attack, heading, most)| {
        let (notes, mut visit) = visit(&json!({}));
        attack(&notes);
        let answer = submit(&mut visit);
        assert_eq!(answer.status, 422, "{name}: {}", answer.text());
        assert!(answer.text().contains(heading), "{name}: {}", answer.text());
        let sent = visit.world.sent();
        assert!(sent.len() <= *most, "{name}: {} requests", sent.len());
        for one in &sent {
            let host = url::Url::parse(&one.url).unwrap();
            let host = host.host_str().unwrap().to_owned();
            assert!(host.ends_with(".notes.example"), "{name}: {}", one.url);
        }
        let list = visit.setting.client.get("/integrated-account").expect(200);
        assert_eq!(list["result"], json!([]), "{name}");
        let environment = ObjectName::Environment(visit.setting.environment.parse().unwrap());
        assert_eq!(
            visit.world.rows(environment, "SELECT id FROM oauth_client"),
            0,
            "{name}"
        );
        // The same link works when the server is as it should be.
        visit.world.pass(Duration::from_secs(301));
        let good = Notes::new(&visit.world);
        let again = submit(&mut visit);
        assert_eq!(again.status, 303, "{name}: {}", again.text());
        drop(good);
    });
}

#[test]
fn documents_are_read_up_to_their_limit() {
    let (notes, mut visit) = visit(&json!({}));
    let length = server_metadata().to_string().len() + r#","x":"""#.len();
    with_server(&notes, &json!({ "x": "a".repeat(65_536 - length) }));
    leave(&mut visit);
}

#[test]
fn a_server_that_never_answers_ends_the_login_in_time() {
    let (_, visit) = visit(&json!({}));
    visit.world.answers_late(|_| Duration::from_secs(3_600));
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("link_token", visit.token.as_str()),
            ("credential", "oauth2"),
            ("mcp_server_url", RESOURCE),
        ])
        .finish();
    let before = causeway::ports::System::now(&visit.world);
    let answer = visit.browser.ask_passing(
        "POST",
        "/connect/oauth-shop",
        causeway::ports::Body::from_bytes(body),
    );
    let taken = causeway::ports::System::now(&visit.world).since(before);
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(taken <= Duration::from_secs(17), "{taken:?}");
}

#[test]
fn an_address_that_is_not_public_is_not_asked() {
    for address in [
        "https://10.0.0.1/mcp",
        "https://localhost/mcp",
        "https://169.254.169.254/latest",
        "https://mcp.internal/mcp",
    ] {
        let (_, mut visit) = visit(&json!({}));
        let answer = visit.submit("oauth2", &[("mcp_server_url", address)]);
        assert_eq!(answer.status, 422, "{address}");
        assert!(visit.world.sent().is_empty(), "{address}");
    }
    let (_, mut visit) = visit(&json!({}));
    let answer = visit.submit(
        "oauth2",
        &[("mcp_server_url", "http://mcp.notes.example/mcp")],
    );
    assert_eq!(answer.status, 422);
    assert!(visit.world.sent().is_empty());
}

#[test]
fn the_callback_comes_from_the_server_that_was_found() {
    for iss in [
        None,
        Some("https://evil.example"),
        Some("https://login.notes.example/t1/"),
        Some(""),
    ] {
        let (_, mut visit) = visit(&json!({}));
        let there = leave(&mut visit);
        visit.world.sent();
        let page = back(&mut visit, &there, iss);
        assert_eq!(page.status, 422, "{iss:?}: {}", page.text());
        assert!(visit.world.sent().is_empty(), "{iss:?}: no code is sent");
    }
    // A server that does not announce it, at its own origin: what comes is compared, and nothing need come.
    for (iss, status) in [
        (None, 200),
        (Some(ISSUER), 200),
        (Some("https://evil.example"), 422),
    ] {
        let (notes, mut visit) = visit(&json!({}));
        with_server(
            &notes,
            &json!({ "authorization_response_iss_parameter_supported": null }),
        );
        let there = leave(&mut visit);
        assert_eq!(back(&mut visit, &there, iss).status, status, "{iss:?}");
    }
}

#[test]
fn hosts_of_the_file_hold_for_what_is_announced() {
    let world = crate::outside::World::new();
    let notes = Notes::new(&world);
    let mut file = file(&json!({}));
    file["config"]["allowed_hosts"] = json!(["*.notes.example"]);
    let setting = crate::client::Setting::new(&world, &file);
    let mut visit = crate::connect::Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    with_server(
        &notes,
        &json!({ "token_endpoint": "https://login.other.example/token" }),
    );
    let answer = submit(&mut visit);
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains(UNSAFE), "{}", answer.text());
    visit.world.pass(Duration::from_secs(301));
    with_server(&notes, &json!({}));
    leave(&mut visit);
}

/// The first error of a file, at its place.
fn error(changes: &Value, hosts: &Value) -> Option<String> {
    let mut file = file(changes);
    file["config"]["allowed_hosts"] = hosts.clone();
    let findings = read(&file).findings.into_iter();
    let mut errors = findings.filter(|one| one.level == causeway::config::Level::Error);
    errors.next().map(|one| one.path)
}

#[test]
fn the_operators_client_goes_only_where_the_file_says() {
    let client = json!({ "client": { "id": "{{environment_variables.id}}", "secret": "{{environment_variables.secret}}" } });
    let at = "config.credentials.oauth2.config";
    assert_eq!(
        error(&client, &json!(["*"])),
        Some(format!("{at}.client.id"))
    );
    assert_eq!(error(&client, &json!(["*.notes.example"])), None);
    let mut fixed = client.clone();
    fixed["auth"] = json!({ "issuer": ISSUER });
    assert_eq!(error(&fixed, &json!(["*"])), None);
    fixed["auth"] = json!({ "issuer": "{{mcp_server_url}}" });
    assert_eq!(
        error(&fixed, &json!(["*"])),
        Some(format!("{at}.client.id"))
    );

    // With the issuer fixed, another one gets nothing.
    let fixed = json!({ "client": { "id": "operators-id", "secret": "secret-of-the-operator" }, "auth": { "issuer": ISSUER } });
    let (notes, mut visit) = visit(&fixed);
    with_resource(
        &notes,
        &json!({ "authorization_servers": ["https://evil.example"] }),
    );
    assert_eq!(submit(&mut visit).status, 422);
    assert!(
        visit
            .world
            .sent()
            .iter()
            .all(|sent| !sent.url.contains("evil"))
    );
    with_resource(
        &notes,
        &json!({ "authorization_servers": ["https://evil.example", ISSUER] }),
    );
    let there = leave(&mut visit);
    assert_eq!(parameter(&there, "client_id"), "operators-id");
    visit.world.sent();
    assert_eq!(back(&mut visit, &there, Some(ISSUER)).status, 200);
    assert!(
        visit.world.sent()[0]
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
}

#[test]
fn what_cannot_work_is_found_when_the_file_is_saved() {
    let at = "config.credentials.oauth2.config";
    let any = json!(["*"]);
    each_case(
        [
            (
                json!({ "auth": { "tokenUrl": "https://a.example/t" } }),
                "auth.tokenUrl",
            ),
            (
                json!({ "auth": { "registrationUrl": "https://a.example/r" } }),
                "auth.registrationUrl",
            ),
            (
                json!({ "auth": { "tokenHost": "https://a.example", "revokePath": "/r" } }),
                "auth.tokenHost",
            ),
            (json!({ "pkce": false }), "pkce"),
            (json!({ "params": { "resource": "x" } }), "params.resource"),
            (json!({ "callbackGrant": "client_credentials" }), "auth"),
            (
                json!({ "client": { "secret": "{{client_secret}}" } }),
                "client.secret",
            ),
            (
                json!({ "client": { "id": "{{client_id}}", "metadataDocument": true } }),
                "client.metadataDocument",
            ),
            (
                json!({ "options": { "authorizationMethod": "private_key_jwt" } }),
                "options.authorizationMethod",
            ),
            (
                json!({ "registration": { "grant_types": ["client_credentials"] } }),
                "registration.grant_types",
            ),
            (
                json!({ "registration": { "response_types": ["token"] } }),
                "registration.response_types",
            ),
            (
                json!({ "registration": { "logo_uri": "http://a.example/logo" } }),
                "registration.logo_uri",
            ),
            (
                json!({ "registration": { "client_name": "" } }),
                "registration.client_name",
            ),
            (
                json!({ "registration": { "redirect_uris": [] } }),
                "registration.redirect_uris",
            ),
            (
                json!({ "registration": { "contacts": vec!["a"; 21] } }),
                "registration.contacts",
            ),
        ],
        |(changes, place)| {
            assert_eq!(
                error(&changes, &any),
                Some(format!("{at}.{place}")),
                "{changes}"
            );
        },
    );
    assert_eq!(
        error(
            &json!({ "registration": { "contacts": vec!["a"; 20], "client_name": "a".repeat(2_000) } }),
            &any
        ),
        None
    );
    let without_hosts = error(&json!({}), &Value::Null);
    assert!(
        without_hosts.is_some(),
        "an open host needs `allowed_hosts`"
    );
}

#[test]
fn an_imported_account_does_not_say_where_its_token_is_refreshed() {
    let (_, visit) = visit(&json!({}));
    let server = json!({
        "endpoints": { "issuer": ISSUER, "authorization_endpoint": "https://evil.example/a", "token_endpoint": "https://evil.example/t",
            "resource": RESOURCE, "sends_iss": false },
        "client": { "client_id": "x" },
    });
    let token = json!({ "access_token": "imported-token", "refresh_token": "imported-refresh", "expires_at": "2000-01-01T00:00:00Z", "$server": server });
    let context = json!({ "mcp_server_url": RESOURCE, "oauth": { "token": token } });
    let id = visit.setting.account("oauth2", &context);
    let refreshed = visit.setting.client.post(
        "/integrated-account/refresh-credentials",
        &json!({ "id": id }),
    );
    assert_eq!(refreshed.code(422), "account.not_refreshable");
    let path = format!("/integrated-account/{id}/credentials");
    visit
        .setting
        .client
        .send(
            "PATCH",
            &path,
            &json!({ "context": { "oauth": { "token": token } } }),
        )
        .expect(200);
    let refreshed = visit.setting.client.post(
        "/integrated-account/refresh-credentials",
        &json!({ "id": id }),
    );
    assert_eq!(refreshed.code(422), "account.not_refreshable");
    assert!(visit.world.sent().is_empty());
}
