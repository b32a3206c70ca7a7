//! MCP servers as providers: the server is found by its address, the client is registered or named by its document, and
//! the token stays bound to where it came from.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use causeway::ports::{Body, ObjectName, Reply};
use futures::executor::block_on;
use futures::future::join;
use serde_json::{Value, json};
use url::Url;

use crate::account::JSON;
use crate::cases::each_case;
use crate::client::{Answer, Setting};
use crate::connect::{Browser, Visit, parameter};
use crate::outside::{Pieces, Sent, World, reply};
use crate::planted_secrets::{self, Place};

pub const RESOURCE: &str = "https://mcp.notes.example/mcp";
pub const ISSUER: &str = "https://login.notes.example/t1";
pub const RESOURCE_METADATA: &str =
    "https://mcp.notes.example/.well-known/oauth-protected-resource/mcp";
pub const SERVER_METADATA: &str =
    "https://login.notes.example/.well-known/oauth-authorization-server/t1";
const REGISTER: &str = "https://login.notes.example/t1/register";
pub const TOKEN: &str = "https://login.notes.example/t1/token";
const CALLBACK: &str = "https://causeway.example/connect/oauth-shop/callback";

/// Any MCP server, by its address; with these changes of its credential.
pub fn file(changes: &Value) -> Value {
    let mut credential = json!({
        "auth": { "discover": "{{mcp_server_url}}" },
        "fields": [{ "name": "mcp_server_url", "label": "Address", "format": "url", "required": true }],
    });
    causeway::json::merge(&mut credential, changes);
    json!({ "name": "oauth-shop", "config": {
        "label": "Notes",
        "base_url": "{{mcp_server_url}}",
        "allowed_hosts": ["*"],
        "credentials": { "oauth2": { "config": credential } },
        "authorization": { "format": "bearer" },
        "resources": { "tools": { "call": { "method": "post", "path": "" } } },
    } })
}

/// What a document, or a request, is answered with.
pub type Pages = Rc<RefCell<BTreeMap<String, (u16, Vec<(&'static str, String)>, String)>>>;

/// A server and its authorization server, as they answer.
#[derive(Clone)]
pub struct Notes {
    pub pages: Pages,
}

impl Notes {
    pub fn new(world: &World) -> Self {
        let notes = Self {
            pages: Rc::default(),
        };
        let challenge =
            format!("Bearer resource_metadata=\"{RESOURCE_METADATA}\", scope=\"tools\"");
        notes.page(RESOURCE, 401, &[("www-authenticate", challenge)], "");
        notes.json(RESOURCE_METADATA, &resource_metadata());
        notes.json(SERVER_METADATA, &server_metadata());
        let client = json!({ "client_id": "registered-1", "client_secret": "secret-of-the-registered-client", "client_secret_expires_at": 0,
            "registration_access_token": "token-of-the-registration", "registration_client_uri": "https://login.notes.example/t1/register/1" });
        notes.json(REGISTER, &client);
        notes.token("notes-token-1", "notes-refresh-1");
        let everywhere = [Place::Answered, Place::Logged, Place::Stored];
        for secret in [
            "secret-of-the-registered-client",
            "token-of-the-registration",
        ] {
            planted_secrets::plant("client_secret", secret, &everywhere);
        }
        let pages = Rc::clone(&notes.pages);
        world.provides(move |sent| answer(&pages, sent));
        notes
    }

    pub fn page(&self, url: &str, status: u16, headers: &[(&'static str, String)], body: &str) {
        let page = (status, headers.to_vec(), body.to_owned());
        self.pages.borrow_mut().insert(url.to_owned(), page);
    }

    pub fn json(&self, url: &str, body: &Value) {
        let content_type = ("content-type", "application/json".to_owned());
        self.page(url, 200, &[content_type], &body.to_string());
    }

    pub fn token(&self, access: &str, refresh: &str) {
        let token = json!({ "access_token": access, "refresh_token": refresh, "expires_in": 3_600, "token_type": "Bearer",
            "$server": { "client": { "client_id": "of-the-provider" } } });
        planted_secrets::plant_all(&token, &[Place::Answered, Place::Logged, Place::Stored]);
        self.json(TOKEN, &token);
    }
}

fn answer(pages: &Pages, sent: &Sent) -> Reply<Pieces> {
    let pages = pages.borrow();
    let is_signed = sent
        .header("authorization")
        .is_some_and(|own| own.starts_with("Bearer"));
    if sent.url == RESOURCE && is_signed {
        return reply(
            200,
            &JSON,
            Body::from_bytes(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        );
    }
    let Some((status, headers, body)) = pages.get(&sent.url) else {
        return reply(404, &JSON, Body::from_bytes("{}"));
    };
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    reply(*status, &headers, Body::from_bytes(body.clone()))
}

pub fn resource_metadata() -> Value {
    json!({ "resource": RESOURCE, "authorization_servers": [ISSUER], "scopes_supported": ["tools", "admin"] })
}

pub fn server_metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://login.notes.example/t1/authorize?tenant=1",
        "token_endpoint": TOKEN,
        "registration_endpoint": REGISTER,
        "revocation_endpoint": "https://login.notes.example/t1/revoke",
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "authorization_response_iss_parameter_supported": true,
    })
}

/// A link, and a customer who is about to type the address in.
pub fn visit(changes: &Value) -> (Notes, Visit) {
    let world = World::new();
    let notes = Notes::new(&world);
    let setting = Setting::new(&world, &file(changes));
    let visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    (notes, visit)
}

pub fn submit(visit: &mut Visit) -> Answer {
    visit.submit("oauth2", &[("mcp_server_url", RESOURCE)])
}

/// The address at the authorization server.
pub fn leave(visit: &mut Visit) -> Url {
    let answer = submit(visit);
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().parse().unwrap()
}

pub fn back(visit: &mut Visit, there: &Url, iss: Option<&str>) -> Answer {
    let state = parameter(there, "state");
    let iss = iss.map_or_else(String::new, |iss| {
        let pairs = form_urlencoded::Serializer::new(String::new())
            .append_pair("iss", iss)
            .finish();
        format!("&{pairs}")
    });
    let path = format!("/connect/oauth-shop/callback?code=the-code&state={state}{iss}");
    visit.browser.get(&path)
}

fn form_of(sent: &Sent) -> BTreeMap<String, String> {
    form_urlencoded::parse(&sent.body).into_owned().collect()
}

fn asked(visit: &Visit) -> Vec<(String, String)> {
    let sent = visit.world.sent().into_iter();
    sent.map(|sent| (sent.method, sent.url)).collect()
}

pub fn call(visit: &Visit) -> Answer {
    let account = visit.account();
    let path = format!(
        "/proxy/tools/call?integrated_account_id={}",
        account["id"].as_str().unwrap()
    );
    visit.setting.client.post(
        &path,
        &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
    )
}

#[test]
#[allow(clippy::too_many_lines)] // one account's whole life
fn a_customer_connects_by_the_address_alone() {
    let (notes, mut visit) = visit(&json!({}));
    let there = leave(&mut visit);
    let sent = visit.world.sent();
    let urls: Vec<(&str, &str)> = sent
        .iter()
        .map(|one| (one.method.as_str(), one.url.as_str()))
        .collect();
    assert_eq!(
        urls,
        [
            ("POST", RESOURCE),
            ("GET", RESOURCE_METADATA),
            ("GET", SERVER_METADATA),
            ("POST", REGISTER)
        ]
    );
    assert!(
        sent.iter().all(|one| one.header("authorization").is_none()),
        "nothing is sent before it was found"
    );
    let registered: Value = serde_json::from_slice(&sent[3].body).unwrap();
    assert_eq!(registered["redirect_uris"], json!([CALLBACK]));
    assert_eq!(
        registered["token_endpoint_auth_method"],
        "client_secret_basic"
    );
    assert!(
        there
            .as_str()
            .starts_with("https://login.notes.example/t1/authorize?tenant=1&"),
        "{there}"
    );
    each_case(
        [
            ("client_id", "registered-1"),
            ("resource", RESOURCE),
            ("scope", "tools"),
            ("code_challenge_method", "S256"),
            ("redirect_uri", CALLBACK),
        ],
        |(name, value)| assert_eq!(parameter(&there, name), value),
    );

    let page = back(&mut visit, &there, Some(ISSUER));
    assert_eq!(page.status, 200, "{}", page.text());
    let sent = visit.world.sent();
    assert_eq!(sent[0].url, TOKEN);
    let form = form_of(&sent[0]);
    assert_eq!(
        (form["code"].as_str(), form["resource"].as_str()),
        ("the-code", RESOURCE)
    );
    assert!(form["code_verifier"].len() >= 43);
    let basic = sent[0].header("authorization").unwrap();
    let basic = data_encoding::BASE64
        .decode(basic.strip_prefix("Basic ").unwrap().as_bytes())
        .unwrap();
    assert_eq!(
        String::from_utf8(basic).unwrap(),
        "registered-1:secret-of-the-registered-client"
    );
    assert_eq!(visit.account()["status"], "active");
    assert_eq!(call(&visit).expect(200)["jsonrpc"], "2.0");
    assert_eq!(
        visit.world.sent()[0].header("authorization"),
        Some("Bearer notes-token-1")
    );

    // The metadata changes: the token stays where it came from, until the customer connects again.
    let mut moved = server_metadata();
    moved["token_endpoint"] = json!("https://evil.example/token");
    notes.json(SERVER_METADATA, &moved);
    notes.token("notes-token-2", "notes-refresh-2");
    visit.world.pass(Duration::from_hours(2));
    assert_eq!(call(&visit).status, 200);
    let sent = visit.world.sent();
    let form = form_of(&sent[0]);
    assert_eq!(
        (
            sent[0].url.as_str(),
            form["refresh_token"].as_str(),
            form["resource"].as_str()
        ),
        (TOKEN, "notes-refresh-1", RESOURCE)
    );
    assert!(
        sent[0]
            .header("authorization")
            .unwrap()
            .starts_with("Basic ")
    );
    assert_eq!(
        sent[1].header("authorization"),
        Some("Bearer notes-token-2")
    );

    // After a restart, too; and the token is revoked there.
    visit.world.restart();
    visit.world.pass(Duration::from_hours(2));
    notes.token("notes-token-3", "notes-refresh-3");
    assert_eq!(call(&visit).status, 200);
    assert_eq!(visit.world.sent()[0].url, TOKEN);
    let path = format!(
        "/integrated-account/{}",
        visit.account()["id"].as_str().unwrap()
    );
    assert_eq!(visit.setting.client.delete(&path).status, 200);
    visit.world.settle();
    assert!(
        asked(&visit)
            .iter()
            .any(|(_, url)| url == "https://login.notes.example/t1/revoke")
    );
}

#[test]
fn metadata_is_looked_for_where_the_specification_says() {
    let (notes, mut visit) = visit(&json!({}));
    notes.page(RESOURCE, 405, &[], "");
    notes.pages.borrow_mut().remove(RESOURCE_METADATA);
    let root = "https://mcp.notes.example/.well-known/oauth-protected-resource";
    notes.json(root, &json!({ "resource": "https://mcp.notes.example/", "authorization_servers": [ISSUER], "scopes_supported": ["tools", "admin"] }));
    notes.pages.borrow_mut().remove(SERVER_METADATA);
    let appended = format!("{ISSUER}/.well-known/openid-configuration");
    notes.json(&appended, &server_metadata());
    let there = leave(&mut visit);
    let urls: Vec<String> = asked(&visit).into_iter().map(|(_, url)| url).collect();
    assert_eq!(
        urls,
        [
            RESOURCE,
            RESOURCE_METADATA,
            root,
            SERVER_METADATA,
            "https://login.notes.example/.well-known/openid-configuration/t1",
            appended.as_str(),
            REGISTER,
        ]
    );
    assert_eq!(parameter(&there, "resource"), "https://mcp.notes.example/");
    assert_eq!(parameter(&there, "scope"), "tools admin");
}

#[test]
fn a_server_of_the_first_specification_is_its_own_authorization_server() {
    let (notes, mut visit) = visit(&json!({}));
    notes.page(RESOURCE, 401, &[], "");
    notes.pages.borrow_mut().remove(RESOURCE_METADATA);
    let mut own = server_metadata();
    own["issuer"] = json!("https://mcp.notes.example");
    own["authorization_endpoint"] = json!("https://mcp.notes.example/authorize");
    notes.json(
        "https://mcp.notes.example/.well-known/oauth-authorization-server",
        &own,
    );
    let there = leave(&mut visit);
    assert_eq!(there.host_str(), Some("mcp.notes.example"));
    assert_eq!(parameter(&there, "resource"), RESOURCE);
    assert!(there.query_pairs().all(|(name, _)| name != "scope"));
}

#[test]
fn a_client_is_registered_once_per_install_and_metadata() {
    let (notes, mut visit) = visit(&json!({}));
    leave(&mut visit);
    assert_eq!(asked(&visit).len(), 4);
    // Within five minutes nothing is asked again, and the client is there.
    leave(&mut visit);
    assert_eq!(asked(&visit), []);
    visit.world.pass(Duration::from_secs(299));
    leave(&mut visit);
    assert_eq!(asked(&visit), []);
    visit.world.pass(Duration::from_secs(1));
    leave(&mut visit);
    assert_eq!(asked(&visit).len(), 3, "the documents alone");
    visit.world.restart();
    let there = leave(&mut visit);
    assert_eq!(asked(&visit).len(), 3, "the client was stored");
    assert_eq!(parameter(&there, "client_id"), "registered-1");
    // What the gateway says of itself has changed.
    let change = json!({ "credentials": { "oauth2": { "config": { "registration": { "client_name": "Acme" } } } } });
    visit.setting.override_install(&change).expect(200);
    notes.json(REGISTER, &json!({ "client_id": "registered-2" }));
    visit.world.pass(Duration::from_secs(200));
    let there = leave(&mut visit);
    assert_eq!(parameter(&there, "client_id"), "registered-2");
    let sent = visit.world.sent();
    let last: Value = serde_json::from_slice(&sent.last().unwrap().body).unwrap();
    assert_eq!(last["client_name"], "Acme");
    let environment = ObjectName::Environment(visit.setting.environment.parse().unwrap());
    assert_eq!(
        visit.world.rows(environment, "SELECT id FROM oauth_client"),
        2
    );
}

/// What two logins at once cost in messages and reads, where the registration takes so many seconds.
pub fn touches_of_two_logins(seconds: u64) -> usize {
    let world = World::new();
    let _notes = Notes::new(&world);
    let setting = Setting::new(&world, &file(&json!({})));
    let body = |tenant: &str| {
        let made = setting
            .client
            .post("/link-token", &json!({ "tenant_id": tenant }))
            .expect(201);
        let pairs = [
            ("link_token", made["link_token"].as_str().unwrap()),
            ("credential", "oauth2"),
            ("mcp_server_url", RESOURCE),
        ];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        Body::from_bytes(body)
    };
    let (one, other) = (body("one"), body("other"));
    world.answers_late(move |sent| {
        Duration::from_secs(if sent.url == REGISTER { seconds } else { 0 })
    });
    let client = setting.client.with_token("");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let before = world.touches();
    let both = join(
        client.request_async("POST", "/connect/oauth-shop", &headers, one),
        client.request_async("POST", "/connect/oauth-shop", &headers, other),
    );
    let (one, other) = block_on(world.run_passing(both));
    assert_eq!((one.status, other.status), (303, 303), "{}", other.text());
    world.touches() - before
}

#[test]
fn two_logins_at_once_register_once() {
    let world = World::new();
    let notes = Notes::new(&world);
    let setting = Setting::new(&world, &file(&json!({})));
    let link = |tenant: &str| {
        let made = setting
            .client
            .post("/link-token", &json!({ "tenant_id": tenant }))
            .expect(201);
        made["link_token"].as_str().unwrap().to_owned()
    };
    let body = |token: &str| {
        let pairs = [
            ("link_token", token),
            ("credential", "oauth2"),
            ("mcp_server_url", RESOURCE),
        ];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        Body::from_bytes(body)
    };
    world.answers_late(|sent| Duration::from_secs(if sent.url == REGISTER { 3 } else { 0 }));
    let client = setting.client.with_token("");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let (one, other) = (link("one"), link("other"));
    let both = join(
        client.request_async("POST", "/connect/oauth-shop", &headers, body(&one)),
        client.request_async("POST", "/connect/oauth-shop", &headers, body(&other)),
    );
    let (one, other) = block_on(world.run_passing(both));
    assert_eq!(
        (one.status, other.status),
        (303, 303),
        "{} {}",
        one.text(),
        other.text()
    );
    let registrations = world
        .sent()
        .iter()
        .filter(|sent| sent.url == REGISTER)
        .count();
    assert_eq!(registrations, 1);
    // One that fails leaves the next one free to try.
    world.answers_late(|_| Duration::ZERO);
    notes.page(REGISTER, 503, &[], "");
    setting.override_install(&json!({ "credentials": { "oauth2": { "config": { "registration": { "client_name": "B" } } } } })).expect(200);
    world.pass(Duration::from_secs(200));
    let failed = Browser::of(&world).post(
        "/connect/oauth-shop",
        &[
            ("link_token", &link("third")),
            ("credential", "oauth2"),
            ("mcp_server_url", RESOURCE),
        ],
    );
    assert_eq!(failed.status, 422, "{}", failed.text());
    notes.json(REGISTER, &json!({ "client_id": "registered-3" }));
    let next = Browser::of(&world).post(
        "/connect/oauth-shop",
        &[
            ("link_token", &link("fourth")),
            ("credential", "oauth2"),
            ("mcp_server_url", RESOURCE),
        ],
    );
    assert_eq!(next.status, 303, "{}", next.text());
}

#[test]
fn a_client_whose_secret_expires_is_registered_again() {
    let (notes, mut visit) = visit(&json!({}));
    let now = 1_700_000_000;
    let client = |id: &str, end: i64| json!({ "client_id": id, "client_secret": "secret-of-the-registered-client", "client_secret_expires_at": end });
    notes.json(REGISTER, &client("registered-1", now + 3_600));
    let there = leave(&mut visit);
    back(&mut visit, &there, Some(ISSUER));
    assert_eq!(visit.account()["status"], "active");
    // Its refresh token belongs to the old client: the customer has to connect again.
    visit.world.pass(Duration::from_secs(3_601));
    visit.world.sent();
    assert_eq!(call(&visit).code(401), "account.needs_reauth");
    assert_eq!(asked(&visit), [], "an expired secret is not sent");
    notes.json(REGISTER, &client("registered-2", 0));
    reconnect(&mut visit);
    let there = leave(&mut visit);
    assert_eq!(parameter(&there, "client_id"), "registered-2");
    back(&mut visit, &there, Some(ISSUER));
    assert_eq!(visit.account()["status"], "active");
}

/// Gives the visit a link to connect its account again.
fn reconnect(visit: &mut Visit) {
    let account = visit.account();
    let link = json!({ "integrated_account_id": account["id"] });
    let made = visit.setting.client.post("/link-token", &link).expect(201);
    made["link_token"]
        .as_str()
        .unwrap()
        .clone_into(&mut visit.token);
}

#[test]
fn a_client_that_its_server_forgot_is_registered_again() {
    let (notes, mut visit) = visit(&json!({}));
    let there = leave(&mut visit);
    notes.page(
        TOKEN,
        401,
        &JSON.map(|(name, value)| (name, value.to_owned())),
        r#"{"error":"invalid_client"}"#,
    );
    let page = back(&mut visit, &there, Some(ISSUER));
    assert_eq!(page.status, 422, "{}", page.text());
    notes.json(REGISTER, &json!({ "client_id": "registered-2" }));
    notes.token("notes-token-1", "notes-refresh-1");
    visit.world.sent();
    let there = leave(&mut visit);
    assert_eq!(parameter(&there, "client_id"), "registered-2");
    back(&mut visit, &there, Some(ISSUER));
    assert_eq!(visit.account()["status"], "active");
    // The same at a refresh: only the customer can help.
    notes.page(
        TOKEN,
        401,
        &JSON.map(|(name, value)| (name, value.to_owned())),
        r#"{"error":"invalid_client"}"#,
    );
    visit.world.pass(Duration::from_hours(2));
    assert_eq!(call(&visit).code(401), "account.needs_reauth");
    notes.json(REGISTER, &json!({ "client_id": "registered-3" }));
    reconnect(&mut visit);
    let there = leave(&mut visit);
    assert_eq!(parameter(&there, "client_id"), "registered-3");
}

#[test]
fn a_public_client_is_named_and_sends_no_secret() {
    let (notes, mut visit) = visit(&json!({}));
    let mut metadata = server_metadata();
    metadata["token_endpoint_auth_methods_supported"] = json!(["none"]);
    notes.json(SERVER_METADATA, &metadata);
    notes.json(
        REGISTER,
        &json!({ "client_id": "public-1", "token_endpoint_auth_method": "none" }),
    );
    let there = leave(&mut visit);
    visit.world.sent();
    back(&mut visit, &there, Some(ISSUER));
    let sent = visit.world.sent();
    let form = form_of(&sent[0]);
    assert_eq!(form["client_id"], "public-1");
    assert!(sent[0].header("authorization").is_none() && !form.contains_key("client_secret"));
}

#[test]
fn a_client_is_named_by_its_metadata_document() {
    let (notes, mut visit) = visit(
        &json!({ "client": { "metadataDocument": true }, "registration": { "client_name": "Acme" } }),
    );
    let mut metadata = server_metadata();
    metadata["client_id_metadata_document_supported"] = json!(true);
    notes.json(SERVER_METADATA, &metadata);
    let there = leave(&mut visit);
    let url = format!(
        "https://causeway.example/oauth-client/{}",
        visit.setting.install
    );
    assert_eq!(parameter(&there, "client_id"), url);
    assert!(asked(&visit).iter().all(|(_, url)| url != REGISTER));
    let anybody = visit.setting.client.with_token("");
    let path = url.strip_prefix("https://causeway.example").unwrap();
    let document = anybody.get(path);
    assert_eq!(document.header("content-type"), Some("application/json"));
    assert_eq!(
        document.expect(200),
        json!({
            "client_id": url, "client_name": "Acme", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        })
    );
    back(&mut visit, &there, Some(ISSUER));
    let sent = visit.world.sent();
    assert_eq!(form_of(&sent[0])["client_id"], url);
    assert!(sent[0].header("authorization").is_none());
    // Where the server does not take one, the client is registered.
    notes.json(SERVER_METADATA, &server_metadata());
    visit.world.pass(Duration::from_secs(301));
    let made = visit
        .setting
        .client
        .post("/link-token", &json!({ "tenant_id": "b" }))
        .expect(201);
    made["link_token"]
        .as_str()
        .unwrap()
        .clone_into(&mut visit.token);
    visit.browser = Browser::of(&visit.world);
    assert_eq!(parameter(&leave(&mut visit), "client_id"), "registered-1");
    assert_eq!(
        anybody
            .get("/oauth-client/0199aaaa-0000-7000-8000-000000000000")
            .code(404),
        "caller.not_found"
    );
    assert_eq!(anybody.get("/oauth-client/x").code(404), "caller.not_found");
}

#[test]
fn an_install_without_a_document_has_none() {
    let (_, visit) = visit(&json!({}));
    let path = format!("/oauth-client/{}", visit.setting.install);
    assert_eq!(
        visit.setting.client.with_token("").get(&path).code(404),
        "caller.not_found"
    );
}

#[test]
fn a_client_is_registered_at_an_address_of_the_file() {
    let world = World::new();
    let notes = Notes::new(&world);
    let file = json!({ "name": "oauth-shop", "config": {
        "base_url": "https://mcp.notes.example",
        "credentials": { "oauth2": { "config": {
            "auth": { "authorizeUrl": "https://login.notes.example/authorize", "tokenUrl": TOKEN, "registrationUrl": REGISTER },
            "registration": { "client_name": "Shop", "token_endpoint_auth_method": "client_secret_post" },
            "options": { "authorizationMethod": "body" }, "scope": ["offline_access"],
        } } },
        "authorization": { "format": "bearer" },
        "resources": { "tools": { "call": { "method": "post", "path": "/mcp" } } },
    } });
    let setting = Setting::new(&world, &file);
    let mut visit = Visit::with(world, setting, &json!({ "tenant_id": "acme" }));
    let answer = visit.submit("oauth2", &[]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let there: Url = answer.header("location").unwrap().parse().unwrap();
    assert_eq!(asked(&visit), [("POST".to_owned(), REGISTER.to_owned())]);
    assert_eq!(
        (parameter(&there, "client_id").as_str(), there.path()),
        ("registered-1", "/authorize")
    );
    assert!(there.query_pairs().all(|(name, _)| name != "resource"));
    back(&mut visit, &there, None);
    let sent = visit.world.sent();
    let form = form_of(&sent[0]);
    assert_eq!(
        (form["client_id"].as_str(), form["client_secret"].as_str()),
        ("registered-1", "secret-of-the-registered-client")
    );
    assert_eq!(visit.account()["status"], "active");
    notes.token("notes-token-2", "notes-refresh-2");
    visit.world.pass(Duration::from_hours(2));
    assert_eq!(call(&visit).status, 200);
    assert_eq!(
        form_of(&visit.world.sent()[0])["client_secret"],
        "secret-of-the-registered-client"
    );
}

#[test]
fn keys_are_rotated_and_deletion_takes_the_clients() {
    let (_, mut visit) = visit(&json!({}));
    leave(&mut visit);
    let counts = visit.setting.admin.get("/sealing").expect(200);
    let before = counts["result"].as_array().map(Vec::len);
    assert!(before.is_some() || counts.is_object(), "{counts}");
    let other = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=,k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let world = visit.world.deployed_with(&[("SEALING_KEYS", other)]);
    let notes = Notes::new(&world);
    let admin = crate::client::Client::admin(&world);
    admin.post("/sealing/rotate", &json!({})).expect(200);
    world.settle();
    let environment = ObjectName::Environment(visit.setting.environment.parse().unwrap());
    let keys = world.select(environment, "SELECT sealing_key, sealed FROM oauth_client");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0][0].as_text(), Some("k2"));
    assert!(keys[0][1].as_text().unwrap().starts_with("k2."));
    let only_new = world.deployed_with(&[(
        "SEALING_KEYS",
        "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
    )]);
    let again = Notes::new(&only_new);
    let admin = crate::client::Client::admin(&only_new);
    let made = admin
        .post(
            "/link-token",
            &json!({ "environment_id": visit.setting.environment, "tenant_id": "b" }),
        )
        .expect(201);
    let mut browser = Browser::of(&only_new);
    let sent = browser.post(
        "/connect/oauth-shop",
        &[
            ("link_token", made["link_token"].as_str().unwrap()),
            ("credential", "oauth2"),
            ("mcp_server_url", RESOURCE),
        ],
    );
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert!(
        only_new.sent().iter().all(|sent| sent.url != REGISTER),
        "the client is still there"
    );
    let path = format!(
        "/environment-integration/{}?environment_id={}",
        visit.setting.install, visit.setting.environment
    );
    assert_eq!(admin.delete(&path).status, 200);
    assert_eq!(only_new.rows(environment, "SELECT id FROM oauth_client"), 0);
    drop((notes, again));
}
