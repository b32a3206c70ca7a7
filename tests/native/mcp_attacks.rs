//! What a server may not do that is named by a customer: everything that it announces is checked before it is used, and a
//! refusal costs nothing that is kept.

use std::time::Duration;

use causeway::config::read;
use causeway::ports::{Body, ObjectName};
use causeway::settings::{INSTALL_CLIENTS, REGISTERED_CLIENTS, UNSIGNED_MISSES};
use serde_json::{Value, json};

use crate::account::JSON;
use crate::cases::each_case;
use crate::connect::{Visit, parameter};
use crate::mcp_servers::{
    ISSUER, Notes, RESOURCE, RESOURCE_METADATA, SERVER_METADATA, TOKEN, back, call, file, leave,
    resource_metadata, server_metadata, submit, touches_of_two_logins, visit,
};
use crate::outside::{World, reply};

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
            );
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
            );
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
            );
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
            );
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
            );
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
            );
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
            );
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
            );
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
            );
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
            );
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
            );
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
    visit.world.answers_late(|_| Duration::from_hours(1));
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
            (
                json!({ "auth": { "issuerOptional": true } }),
                "auth.issuerOptional",
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

/// The client id of a login at a server with these changes; `None` where it registers none.
fn client_id(changes: &Value, server: &Value) -> Option<String> {
    let (notes, mut visit) = visit(changes);
    with_server(&notes, server);
    let answer = submit(&mut visit);
    if answer.status != 303 {
        assert!(answer.text().contains(CLOSED), "{}", answer.text());
        return None;
    }
    let there = answer.header("location").unwrap().parse().unwrap();
    Some(parameter(&there, "client_id"))
}

#[test]
fn a_document_is_the_client_where_no_redirect_can_mix_servers_up() {
    let any = json!({ "client": { "metadataDocument": true } });
    let mut fixed = any.clone();
    fixed["auth"] = json!({ "issuer": ISSUER });
    let announces = json!({ "client_id_metadata_document_supported": true });
    let silent = json!({
        "client_id_metadata_document_supported": true, "authorization_response_iss_parameter_supported": null,
    });
    let documents_only = json!({
        "client_id_metadata_document_supported": true, "authorization_response_iss_parameter_supported": null,
        "registration_endpoint": null,
    });
    let is_document =
        |id: &Option<String>| id.as_ref().is_some_and(|id| id.contains("/oauth-client/"));
    assert!(is_document(&client_id(&any, &announces)));
    assert!(is_document(&client_id(&fixed, &documents_only)));
    assert_eq!(client_id(&any, &silent).as_deref(), Some("registered-1"));
    assert_eq!(client_id(&any, &documents_only), None);
}

#[test]
fn an_issuer_that_the_customer_names_fixes_none() {
    let (notes, mut visit) = visit(&json!({
        "client": { "metadataDocument": true }, "auth": { "issuer": "{{mcp_server_url}}", "issuerOptional": true },
    }));
    with_resource(&notes, &json!({ "authorization_servers": [RESOURCE] }));
    let mut metadata = server_metadata();
    causeway::json::merge(
        &mut metadata,
        &json!({
            "issuer": RESOURCE, "authorization_endpoint": "https://mcp.notes.example/authorize",
            "client_id_metadata_document_supported": true, "authorization_response_iss_parameter_supported": null,
        }),
    );
    let at = "https://mcp.notes.example/.well-known/oauth-authorization-server/mcp";
    notes.json(at, &metadata);
    assert_eq!(parameter(&leave(&mut visit), "client_id"), "registered-1");
    visit.world.pass(Duration::from_secs(301));
    metadata["authorization_endpoint"] = json!("https://honest.example/authorize");
    notes.json(at, &metadata);
    let answer = submit(&mut visit);
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains(UNSAFE), "{}", answer.text());
}

#[test]
fn a_fixed_server_may_lack_iss_where_the_file_says_so() {
    let elsewhere = json!({
        "authorization_endpoint": "https://honest.example/authorize", "authorization_response_iss_parameter_supported": null,
    });
    let (notes, mut visit) =
        visit(&json!({ "auth": { "issuer": ISSUER, "issuerOptional": true } }));
    with_server(&notes, &elsewhere);
    assert_eq!(leave(&mut visit).host_str(), Some("honest.example"));
}

/// A visit with these hosts in the file.
fn with_hosts(changes: &Value, hosts: &Value) -> (Notes, Visit) {
    let world = World::new();
    let notes = Notes::new(&world);
    let mut file = file(changes);
    file["config"]["allowed_hosts"] = hosts.clone();
    let setting = crate::client::Setting::new(&world, &file);
    let visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    (notes, visit)
}

type Misdirection<'a> = &'a dyn Fn(&Notes);

#[test]
fn metadata_is_read_at_hosts_of_the_file() {
    const ELSEWHERE: &str = "https://login.other.example/t1";
    const METADATA: &str = "https://login.other.example/.well-known/oauth-authorization-server/t1";
    let hosts = json!(["*.notes.example"]);
    let moved = |notes: &Notes| {
        with_resource(notes, &json!({ "authorization_servers": [ELSEWHERE] }));
        let mut metadata = server_metadata();
        metadata["issuer"] = json!(ELSEWHERE);
        metadata["authorization_endpoint"] = json!("https://login.notes.example/authorize");
        notes.json(METADATA, &metadata);
    };
    let challenge = |notes: &Notes| {
        notes.json("https://meta.other.example/resource", &resource_metadata());
        challenged(notes, "https://meta.other.example/resource");
    };
    let attacks: [(&str, Misdirection); 2] = [("issuer", &moved), ("challenge", &challenge)];
    for (name, attack) in attacks {
        let (notes, mut visit) = with_hosts(&json!({}), &hosts);
        attack(&notes);
        let answer = submit(&mut visit);
        assert_eq!(answer.status, 422, "{name}");
        assert!(answer.text().contains(UNSAFE), "{name}: {}", answer.text());
        let sent = visit.world.sent();
        assert!(
            sent.iter().all(|one| !one.url.contains("other.example")),
            "{name}"
        );
        // Where any host may answer, they are asked.
        let (notes, mut visit) = with_hosts(&json!({}), &json!(["*"]));
        attack(&notes);
        leave(&mut visit);
    }
    let (notes, mut visit) = with_hosts(&json!({}), &hosts);
    notes.json("https://meta.notes.example/resource", &resource_metadata());
    challenged(&notes, "https://meta.notes.example/resource");
    leave(&mut visit);
    // The issuer of the file needs no host of its own.
    let (notes, mut visit) = with_hosts(&json!({ "auth": { "issuer": ELSEWHERE } }), &hosts);
    moved(&notes);
    leave(&mut visit);
}

fn insert_clients(world: &World, environment: ObjectName, install: &str, count: i64, at: i64) {
    let statement = format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO oauth_client (id, install_id, stored_at, sealing_key, sealed) \
         SELECT '{install}-' || i, '{install}', {at}, 'k1', '' FROM n"
    );
    world.select(environment, &statement);
}

#[test]
fn an_install_does_not_cost_the_others_their_clients() {
    let (_notes, mut visit) = visit(&json!({}));
    let environment = ObjectName::Environment(visit.setting.environment.parse().unwrap());
    let own = visit.setting.install.clone();
    let count = |visit: &Visit, install: &str| {
        let statement = format!("SELECT id FROM oauth_client WHERE install_id = '{install}'");
        i64::try_from(visit.world.rows(environment, &statement)).unwrap()
    };
    let rename = |visit: &mut Visit, name: &str| {
        let registration = json!({ "registration": { "client_name": name } });
        let change = json!({ "credentials": { "oauth2": { "config": registration } } });
        visit.setting.override_install(&change).expect(200);
        visit.world.pass(Duration::from_secs(150));
    };
    let others = REGISTERED_CLIENTS - INSTALL_CLIENTS;
    insert_clients(&visit.world, environment, &own, INSTALL_CLIENTS - 1, 2);
    insert_clients(&visit.world, environment, "other", others, 1);
    leave(&mut visit);
    assert_eq!(
        (count(&visit, &own), count(&visit, "other")),
        (INSTALL_CLIENTS, others)
    );
    // One more of the install takes the place of its own oldest.
    rename(&mut visit, "B");
    leave(&mut visit);
    assert_eq!(
        (count(&visit, &own), count(&visit, "other")),
        (INSTALL_CLIENTS, others)
    );
    // Of all of them there is an end, too.
    insert_clients(&visit.world, environment, "third", 2, 2);
    rename(&mut visit, "C");
    leave(&mut visit);
    assert_eq!(
        (
            count(&visit, &own),
            count(&visit, "third"),
            count(&visit, "other")
        ),
        (INSTALL_CLIENTS, 2, others - 2)
    );
}

#[test]
fn a_login_that_waits_for_a_registration_asks_seldom() {
    let more = touches_of_two_logins(15).saturating_sub(touches_of_two_logins(0));
    assert!(more <= 20, "{more}");
}

/// The account does not have the secret yet, so only the request knows it.
#[test]
fn a_refused_first_exchange_repeats_no_secret_of_the_registered_client() {
    const SECRET: &str = "secret-of-the-registered-client";
    let (_notes, mut visit) = visit(&json!({}));
    let there = leave(&mut visit);
    visit.world.sent();
    visit.world.provides(|sent| {
        let header = sent.header("authorization").unwrap_or_default();
        let said = format!("{header} has the secret {SECRET}, which is wrong");
        let body = json!({ "error": "invalid_client", "error_description": said });
        reply(401, &JSON, Body::from_bytes(body.to_string()))
    });
    let page = back(&mut visit, &there, Some(ISSUER));
    assert_eq!(page.status, 422, "{}", page.text());
    let text = page.text();
    assert!(text.contains("secret [redacted], which is wrong"), "{text}");
    let sent = visit.world.sent();
    let header = sent[0].header("authorization").unwrap();
    let encoded = header.strip_prefix("Basic ").unwrap();
    assert!(!text.contains(SECRET) && !text.contains(encoded), "{text}");
    let lines = visit.world.0.logs.borrow();
    let refused = lines.iter().map(Value::to_string);
    let refused: Vec<_> = refused
        .filter(|line| line.contains("which is wrong"))
        .collect();
    assert!(!refused.is_empty(), "the operator reads why");
    assert!(refused.iter().all(|line| !line.contains(SECRET)));
}

#[test]
fn a_token_that_is_written_is_not_refreshed_where_the_login_was() {
    let (notes, mut visit) = visit(&json!({}));
    let there = leave(&mut visit);
    assert_eq!(back(&mut visit, &there, Some(ISSUER)).status, 200);
    let account = visit.account();
    let id = account["id"].as_str().unwrap();
    let path = format!("/integrated-account/{id}/credentials");
    let change = |context: Value| {
        let body = json!({ "context": context });
        visit.setting.client.send("PATCH", &path, &body).expect(200);
    };
    // Another value leaves the token as it is.
    change(json!({ "note": "x" }));
    notes.token("notes-token-2", "notes-refresh-2");
    visit.world.pass(Duration::from_hours(2));
    visit.world.sent();
    assert_eq!(call(&visit).status, 200);
    assert_eq!(visit.world.sent()[0].url, TOKEN);
    let token = json!({ "access_token": "imported-token", "refresh_token": "imported-refresh", "expires_at": "2000-01-01T00:00:00Z" });
    change(json!({ "oauth": { "token": token } }));
    visit.world.sent();
    let refreshed = visit.setting.client.post(
        "/integrated-account/refresh-credentials",
        &json!({ "id": id }),
    );
    assert_eq!(refreshed.code(422), "account.not_refreshable");
    assert!(visit.world.sent().is_empty());
}

/// The path of a document that does not exist.
fn unknown_document(number: usize) -> String {
    format!("/oauth-client/0199aaaa-0000-8000-8000-{number:012}")
}

#[test]
fn documents_that_do_not_exist_have_a_count_of_their_own() {
    let (_notes, visit) = visit(&json!({ "client": { "metadataDocument": true } }));
    let anybody = visit.setting.client.with_token("");
    let own = format!("/oauth-client/{}", visit.setting.install);
    for number in 0..UNSIGNED_MISSES {
        assert_eq!(anybody.get(&unknown_document(number)).status, 404);
    }
    let before = visit.world.touches();
    assert_eq!(anybody.get(&unknown_document(UNSIGNED_MISSES)).status, 429);
    assert_eq!(visit.world.touches(), before);
    let webhook = format!("/environment-integration-webhook/{}", visit.setting.install);
    let sent = anybody.request("POST", &webhook, &[], Body::Empty);
    assert_ne!(sent.status, 429, "{}", sent.text());
    visit.world.pass(Duration::from_mins(1));
    assert_eq!(anybody.get(&own).status, 200);
    // What the isolate knows is given, no matter how many others are asked for.
    for number in 0..UNSIGNED_MISSES {
        assert_eq!(anybody.get(&unknown_document(number)).status, 404);
    }
    let another = unknown_document(UNSIGNED_MISSES + 1);
    assert_eq!(anybody.get(&another).status, 429);
    assert_eq!(anybody.get(&own).status, 200);
}

#[test]
fn an_address_that_asks_for_unknown_documents_may_send_webhooks() {
    let (_notes, visit) = visit(&json!({ "client": { "metadataDocument": true } }));
    visit.world.0.failed_auth.set(Some(3));
    let anybody = visit.setting.client.with_token("");
    let ask = |method: &str, path: &str| {
        let headers = [("cf-connecting-ip", "203.0.113.9")];
        anybody.request(method, path, &headers, Body::Empty).status
    };
    for number in 0..3 {
        assert_eq!(ask("GET", &unknown_document(number)), 404);
    }
    assert_eq!(ask("GET", &unknown_document(3)), 429);
    let webhook = format!("/environment-integration-webhook/{}", visit.setting.install);
    assert_ne!(ask("POST", &webhook), 429);
}
