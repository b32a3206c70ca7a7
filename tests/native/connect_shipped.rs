//! Shipped files and common cases, connected from the form to the first call.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use url::Url;

use crate::cases::each_case;
use crate::client::Setting;
use crate::connect::{Browser, parameter};
use crate::integration_files::root;
use crate::outside::{Sent, World};

pub struct ConnectFlow {
    pub world: World,
    pub setting: Setting,
    pub browser: Browser,
    name: String,
    token: String,
}

impl ConnectFlow {
    pub fn of(file: &Value) -> Self {
        let world = World::new();
        let setting = Setting::new(&world, file);
        let name = file["name"].as_str().unwrap().to_owned();
        let body = json!({ "tenant_id": "acme", "integration": name });
        let made = setting.client.post("/link-token", &body).expect(201);
        Self {
            browser: Browser::of(&world),
            token: made["link_token"].as_str().unwrap().to_owned(),
            world,
            setting,
            name,
        }
    }

    pub fn shipped(name: &str) -> Self {
        let text = fs::read_to_string(root().join(format!("integrations/{name}.json"))).unwrap();
        Self::of(&serde_json::from_str(&text).unwrap())
    }

    pub fn submit(&mut self, fields: &[(&str, &str)]) -> crate::client::Answer {
        let mut pairs = vec![("link_token", self.token.as_str())];
        pairs.extend(fields);
        self.browser
            .post(&format!("/connect/{}", self.name), &pairs)
    }

    pub fn account(&self) -> Value {
        self.setting.client.get("/integrated-account").expect(200)["result"][0].clone()
    }

    fn list(&self, resource: &str) -> crate::client::Answer {
        let id = self.account()["id"].as_str().unwrap().to_owned();
        let mark = if resource.contains('?') { '&' } else { '?' };
        let path = format!("/proxy/{resource}{mark}integrated_account_id={id}");
        self.setting.client.get(&path)
    }
}

pub fn form_of(sent: &Sent) -> BTreeMap<String, String> {
    form_urlencoded::parse(&sent.body).into_owned().collect()
}

#[test]
fn salesforce_asks_for_the_domain_learns_the_end_of_the_token_and_sets_the_label() {
    let mut flow = ConnectFlow::shipped("salesforce");
    let variables = json!({ "environment_variables": { "client_id": "our-id" }, "secret_environment_variables": { "client_secret": "our-secret" } });
    flow.setting.override_install(&variables).expect(200);
    let there = flow.submit(&[("login_domain", "MyCompany.my")]);
    let there: Url = there.header("location").unwrap().parse().unwrap();
    assert_eq!(there.host_str(), Some("mycompany.my.salesforce.com"));
    flow.world.answers(200, &[], r#"{"access_token":"00D","refresh_token":"5Aep","instance_url":"https://mycompany.my.salesforce.com","id":"https://login.salesforce.com/id/1","issued_at":"1700000000000"}"#);
    flow.world
        .answers(200, &[], r#"{"active":true,"exp":1700007200}"#);
    flow.world.answers(200, &[], "{}");
    let state = parameter(&there, "state");
    let back = flow.browser.get(&format!(
        "/connect/salesforce/callback?code=c&state={state}"
    ));
    assert_eq!(back.status, 200, "{}", back.text());
    let account = flow.account();
    assert_eq!(account["status"], "active");
    assert_eq!(account["context"]["label"], "Salesforce mycompany.my");
    assert_eq!(
        account["context"]["instance_url"],
        "https://mycompany.my.salesforce.com"
    );
    let sent = flow.world.sent();
    assert_eq!(
        sent[0].url,
        "https://mycompany.my.salesforce.com/services/oauth2/token"
    );
    assert_eq!(form_of(&sent[0])["client_secret"], "our-secret");
    assert_eq!(
        sent[1].url,
        "https://mycompany.my.salesforce.com/services/oauth2/introspect"
    );
    assert!(
        sent[2]
            .url
            .starts_with("https://mycompany.my.salesforce.com/services/data/")
    );
    // Two hours less five minutes later it is refreshed before the call.
    flow.world.pass(std::time::Duration::from_secs(7_000));
    flow.world.answers(
        200,
        &[],
        r#"{"access_token":"00E","issued_at":"1700007000000"}"#,
    );
    flow.world
        .answers(200, &[], r#"{"active":true,"exp":1700014200}"#);
    flow.world.answers(200, &[], r#"{"records":[]}"#);
    flow.list("query?q=SELECT+Id+FROM+Account").expect(200);
    let sent = flow.world.sent();
    assert_eq!(form_of(&sent[0])["grant_type"], "refresh_token");
    assert_eq!(sent[2].header("authorization"), Some("Bearer 00E"));
}

#[test]
fn keka_is_connected_by_its_form_alone() {
    let mut flow = ConnectFlow::shipped("keka");
    flow.world.answers(
        200,
        &[],
        r#"{"access_token":"keka-token","expires_in":86400,"token_type":"Bearer"}"#,
    );
    flow.world.answers(200, &[], r#"{"data":[]}"#);
    let fields = [
        ("subdomain", "Acme"),
        ("client_id", "id"),
        ("client_secret", "secret"),
        ("api_key", "key"),
    ];
    let done = flow.submit(&fields);
    assert_eq!(done.status, 200, "{}", done.text());
    let sent = flow.world.sent();
    let asked = form_of(&sent[0]);
    let cases = [
        ("grant_type", "kekaapi"),
        ("scope", "kekaapi"),
        ("client_id", "id"),
        ("client_secret", "secret"),
        ("api_key", "key"),
    ];
    each_case(cases, |(name, value)| {
        assert_eq!(asked[name], value);
    });
    assert!(sent[1].url.starts_with("https://acme.keka.com/"));
    assert_eq!(sent[1].header("authorization"), Some("Bearer keka-token"));
    assert_eq!(flow.account()["status"], "active");
}

/// A token by client credentials, placed by a template.
fn by_client(authorization: &Value, refused: bool) -> (ConnectFlow, Vec<Sent>) {
    let mut flow = ConnectFlow::of(&json!({ "name": "odd-oauth", "config": {
        "base_url": "https://api.odd-oauth.example",
        "credentials": { "oauth2_client_credentials": { "format": "oauth2_client_credentials", "config": {
            "auth": { "tokenHost": "https://login.odd-oauth.example", "tokenPath": "/oauth/token" },
            "options": { "bodyFormat": "json", "authorizationMethod": "body" },
            "tokenParams": { "audience": "https://api.odd-oauth.example" },
            "tokenResponsePath": "data",
            "fields": [{ "name": "client_id", "required": true }, { "name": "client_secret", "type": "password", "required": true }],
        } } },
        "authorization": authorization,
        "resources": { "parts": { "list": { "path": "/parts" } } },
    } }));
    if refused {
        flow.world.answers(
            401,
            &[],
            r#"{"error":"invalid_client","error_description":"No such client"}"#,
        );
        let page = flow.submit(&[("client_id", "id"), ("client_secret", "wrong-secret")]);
        assert_eq!(page.status, 422);
        assert!(page.text().contains("No such client") && page.text().contains("value=\"id\""));
        assert!(!page.text().contains("wrong-secret"));
        assert_eq!(flow.account(), Value::Null);
    }
    flow.world.answers(
        200,
        &[],
        r#"{"data":{"access_token":"kit/token","expires_in":"3600"}}"#,
    );
    let done = flow.submit(&[("client_id", "id"), ("client_secret", "secret")]);
    assert_eq!(done.status, 200, "{}", done.text());
    flow.world.answers(200, &[], "[]");
    flow.list("parts").expect(200);
    let sent = flow.world.sent();
    (flow, sent)
}

#[test]
fn a_token_by_client_credentials_goes_where_a_template_puts_it() {
    let header = json!({ "format": "header", "config": { "name": "X-Access", "value": "Kit {{oauth.token.access_token}}" } });
    let (_, sent) = by_client(&header, true);
    let asked: Value = serde_json::from_slice(&sent[1].body).unwrap();
    assert_eq!(
        asked,
        json!({ "grant_type": "client_credentials", "client_id": "id", "client_secret": "secret", "audience": "https://api.odd-oauth.example" })
    );
    assert_eq!(sent[2].header("x-access"), Some("Kit kit/token"));
    let query = json!({ "format": "query", "config": { "name": "auth", "value": "{{oauth.token.access_token}}" } });
    let (_, sent) = by_client(&query, false);
    assert_eq!(
        sent[1].url,
        "https://api.odd-oauth.example/parts?auth=kit%2Ftoken"
    );
}

#[test]
fn signing_in_is_offered_first_and_only_where_the_operator_has_set_the_client() {
    let mut flow = ConnectFlow::shipped("github");
    let path = format!("/connect/github?link_token={}", flow.token);
    let page = flow.browser.get(&path);
    assert!(page.text().contains("name=\"api_key\"") && !page.text().contains("credential=oauth2"));
    let variables = json!({ "environment_variables": { "client_id": "our-id" } });
    flow.setting.override_install(&variables).expect(200);
    let page = flow.browser.get(&path);
    assert!(
        page.text().contains("name=\"credential\" value=\"oauth2\""),
        "{}",
        page.text()
    );
    assert!(page.text().contains("credential=api_key"));
}
