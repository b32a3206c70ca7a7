//! Everything an environment can hold, and its tokens.

use std::time::Duration;

use serde_json::{Value, json};

use super::scene::{Caller, Ids, Of, SECRET, Token};
use crate::client::{Client, id_of};
use crate::sftp_server::USER;

/// What was made in one environment.
pub struct Environment {
    pub ids: Ids,
    pub client: Client,
    pub account: String,
    pub link_token: String,
}

fn account_token(client: &Client, account: &str) -> String {
    let made = client
        .post(
            "/integrated-account/token",
            &json!({ "integrated_account_id": account }),
        )
        .expect(201);
    made["integrated_account_token"]
        .as_str()
        .unwrap()
        .to_owned()
}

const SCOPES: [(&str, &[&str]); 5] = [
    ("read", &["read"]),
    ("proxy", &["proxy"]),
    ("connect", &["connect"]),
    ("admin", &["admin"]),
    ("all scopes", &["read", "proxy", "connect", "admin"]),
];

impl Environment {
    /// Everything that can be named has `word` in its name.
    pub fn new(admin: &Client, word: &str) -> Self {
        let environment = admin.environment(&format!("environment-{word}"));
        let spare_environment = admin.environment(&format!("spare-{word}"));
        let client = admin.token_of(&environment, None);
        let post = |path: &str, body: Value| client.post(path, &body).expect(201);
        let override_ = json!({ "x-note": word, "environment_variables": { "word": word }, "secret_environment_variables": { "pin": format!("{SECRET}-pin") } });
        let install = id_of(&post(
            "/environment-integration",
            json!({ "integration_name": "shop", "override": override_ }),
        ));
        let spare_install = id_of(&post(
            "/environment-integration",
            json!({ "integration_name": "spare" }),
        ));
        let import = |method: &str, mut context: Value| {
            context["city"] = json!(word);
            context["webhook_secret"] = json!(format!("{SECRET}-webhook"));
            id_of(&post(
                "/integrated-account",
                json!({ "tenant_id": format!("tenant-{word}"), "environment_integration_id": install, "authentication_method": method, "context": context }),
            ))
        };
        let account = import("api_key", json!({ "api_key": format!("{SECRET}-key") }));
        let other_account = import(
            "api_key",
            json!({ "api_key": format!("{SECRET}-other-key") }),
        );
        let signed_in_account = import(
            "oauth2",
            json!({ "oauth": { "token": { "access_token": format!("{SECRET}-access"), "refresh_token": format!("{SECRET}-refresh") } } }),
        );
        let file_account = import(
            "sftp",
            json!({ "username": USER, "password": format!("{SECRET}-of-the-server") }),
        );
        let webhook = id_of(&post(
            "/webhook",
            json!({ "target_url": format!("https://{word}.example/in") }),
        ));
        let link = post(
            "/link-token",
            json!({ "tenant_id": format!("tenant-{word}"), "integration": "shop", "context": { "city": word } }),
        );
        let mcp = post(
            &format!("/integrated-account/{account}/mcp"),
            json!({ "name": format!("agent-{word}") }),
        );
        let token = id_of(&post(
            "/api-token",
            json!({ "name": format!("token-{word}") }),
        ));
        client
            .get(&format!("/proxy/orders?integrated_account_id={account}"))
            .expect(200);
        let events = client
            .get(&format!("/event?integrated_account_id={account}"))
            .expect(200);
        let event = id_of(&events["result"][0]);
        let link_token = link["link_token"].as_str().unwrap().to_owned();
        let ids = vec![
            ("environment", environment),
            ("spare_environment", spare_environment),
            ("install", install),
            ("spare_install", spare_install),
            ("account", account.clone()),
            ("other_account", other_account),
            ("signed_in_account", signed_in_account),
            ("file_account", file_account),
            ("webhook", webhook),
            ("link", id_of(&link)),
            ("token", token),
            ("event", event),
            ("mcp_id", id_of(&mcp)),
            ("mcp_text", mcp["token"].as_str().unwrap().to_owned()),
        ];
        Self {
            ids,
            client,
            account,
            link_token,
        }
    }

    /// Tokens that were good: of the API (expired, revoked) and of an account.
    pub fn stale(&self, admin: &Client) -> Vec<(&'static str, String)> {
        let text = |mut body: Value| {
            body["environment_id"] = json!(self.ids[0].1);
            body["name"] = json!("old");
            admin.post("/api-token", &body).expect(201)
        };
        let (expiring, revoked) = (
            text(json!({ "expires_at": "2023-11-14T22:14:00Z" })),
            text(json!({})),
        );
        self.client
            .delete(&format!("/api-token/{}", id_of(&revoked)))
            .expect(200);
        let account = account_token(&self.client, &self.account);
        // Account tokens live for 15 minutes.
        admin.world.pass(Duration::from_mins(16));
        let token = |made: &Value| made["token"].as_str().unwrap().to_owned();
        vec![
            ("expired API token", token(&expiring)),
            ("revoked API token", token(&revoked)),
            ("expired account token", account),
        ]
    }

    pub fn callers(&self, admin: &Client, of: Of) -> Vec<Caller> {
        let environment = &self.ids[0].1;
        let scoped = SCOPES.map(|(name, scopes)| {
            let client = admin.token_of(environment, Some(scopes));
            Caller {
                name,
                of,
                token: Token::Api(scopes),
                client,
            }
        });
        let account = |name, of, account: &str| {
            let client = admin.with_token(&account_token(&self.client, account));
            Caller {
                name,
                of,
                token: Token::Account,
                client,
            }
        };
        let mut callers = Vec::from(scoped);
        callers.push(account("account token", of, &self.account));
        if of == Of::A {
            callers.push(account(
                "token of another account",
                Of::OtherAccount,
                &self.ids[5].1,
            ));
        }
        callers
    }
}
