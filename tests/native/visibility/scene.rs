//! Two environments with everything an environment can hold, and a caller for every kind of token.

use std::rc::Rc;

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::outside::{Sent, World, reply};
use crate::sftp_server::{FileServer, HOST, HOST_KEY};

use super::environment::Environment;
use super::rows::Row;

/// Every text of environment A that a stranger could recognise it by holds this word.
pub const CANARY: &str = "canary-of-a";
/// Every secret of both environments holds this word.
pub const SECRET: &str = "sEcReT-cAnArY";

/// The owner of a caller's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// No owner: absent, invented, expired, revoked, or a token for something else.
    NoOwner,
    /// Environment A, or its account.
    A,
    /// Another account of environment A.
    OtherAccount,
    /// Environment B, or its account.
    B,
    /// The operator.
    Operator,
}

/// What kind of token it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Token {
    Admin,
    Api(&'static [&'static str]),
    /// Good ones, expired ones and forged ones.
    Account,
    Nothing,
}

pub struct Caller {
    pub name: &'static str,
    pub of: Of,
    pub token: Token,
    pub client: Client,
}

impl Caller {
    /// Sends a row's request with these ids.
    pub fn ask(&self, row: &Row, ids: &Ids) -> Answer {
        let (method, path, body) = (row.0, filled(row.1, ids), filled(row.2, ids));
        let body = if body.is_empty() {
            Body::Empty
        } else {
            Body::from_bytes(body)
        };
        self.client
            .request(method, &path, &[("content-type", "application/json")], body)
    }
}

/// `{word}` → id
pub type Ids = Vec<(&'static str, String)>;

pub struct Scene {
    pub world: World,
    pub callers: Vec<Caller>,
    pub ids: Ids,
}

fn file() -> Value {
    let methods = json!({
        "list": { "path": "/orders", "description": "Lists orders." }, "get": { "path": "/orders/{{id}}" }, "create": { "method": "post", "path": "/orders" },
        "update": { "method": "patch", "path": "/orders/{{id}}" }, "delete": { "method": "delete", "path": "/orders/{{id}}" },
        "search": { "method": "post", "path": "/orders/search" },
    });
    json!({ "name": "shop", "config": {
        "label": "Shop",
        "base_url": "https://api.shop.example",
        "credentials": {
            "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "public", "secret": format!("{SECRET}-of-the-client") },
                "auth": { "tokenHost": "https://login.shop.example", "authorizePath": "/authorize", "tokenPath": "/token" } } },
            "api_key": { "format": "api_key", "config": { "fields": [
                { "name": "city", "label": "City", "type": "text" },
                { "name": "api_key", "label": "Key", "type": "password" }] } },
            "sftp": { "format": "sftp", "config": {
                "fields": [{ "name": "username" }, { "name": "password", "type": "password" }],
                "host": HOST, "username": "{{username}}", "password": "{{password}}", "host_keys": [HOST_KEY] } },
        },
        "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token|api_key}}" } },
        "resources": { "orders": methods },
        "syncs": { "orders": { "resource": "orders", "record_id": "order" } },
        "actions": { "greet": { "type": "transform", "config": "{ 'city': $context.city }" } },
        "webhook": { "signature_verification": { "format": "hmac", "config": { "secret": "{{webhook_secret}}", "compare_with": "$header.x-signature" } } },
    } })
}

fn provider(sent: &Sent) -> causeway::ports::Reply<crate::outside::Pieces> {
    let token = json!({ "access_token": format!("{SECRET}-fresh"), "refresh_token": format!("{SECRET}-refresh"), "expires_in": 3600 });
    let (status, body) = match sent.url.as_str() {
        url if url.ends_with("/token") => (200, token.to_string()),
        url if url.ends_with("/orders") && sent.method == "GET" => {
            (200, format!(r#"[{{"order":"{CANARY}"}}]"#))
        }
        _ => (200, format!(r#"{{"order":"{CANARY}"}}"#)),
    };
    reply(
        status,
        &[("content-type", "application/json")],
        Body::from_bytes(body),
    )
}

impl Scene {
    pub fn new() -> Self {
        let world = World::new();
        world.provides(provider);
        let server = FileServer::new();
        server.password.replace(format!("{SECRET}-of-the-server"));
        world.0.sftp.replace(Some(Rc::new(server)));
        let admin = Client::admin(&world);
        admin.send("PUT", "/integration/shop", &file()).expect(201);
        let spare = json!({ "name": "spare", "config": { "base_url": "https://spare.example" } });
        admin.send("PUT", "/integration/spare", &spare).expect(201);
        let unused =
            json!({ "name": "unused", "config": { "base_url": "https://unused.example" } });
        admin
            .send("PUT", "/integration/unused", &unused)
            .expect(201);
        let (a, b) = (
            Environment::new(&admin, CANARY),
            Environment::new(&admin, "of-b"),
        );
        let stale = a.stale(&admin);
        let mut callers = a.callers(&admin, Of::A);
        callers.extend(b.callers(&admin, Of::B));
        callers.extend(unauthenticated(&admin, &a, stale));
        let (name, of, token) = ("ADMIN_TOKEN", Of::Operator, Token::Admin);
        callers.push(Caller {
            name,
            of,
            token,
            client: admin,
        });
        // The accounts' syncs run.
        futures::executor::block_on(world.run_passing(world.ring_alarms()));
        world.sent();
        Self {
            world,
            callers,
            ids: a.ids,
        }
    }

    /// Ids of the right form that name nothing.
    pub fn made_up(&self) -> Ids {
        let turned = |id: &String| {
            let (first, last) = id.split_at(id.len() - 4);
            format!("{first}{}", if last == "0000" { "0001" } else { "0000" })
        };
        self.ids
            .iter()
            .map(|(word, id)| (*word, turned(id)))
            .collect()
    }
}

pub fn filled(text: &str, ids: &Ids) -> String {
    ids.iter().fold(text.to_owned(), |text, (word, id)| {
        text.replace(&format!("{{{word}}}"), id)
    })
}

fn unauthenticated(
    admin: &Client,
    a: &Environment,
    stale: Vec<(&'static str, String)>,
) -> Vec<Caller> {
    let random = "A".repeat(43);
    let hex = |id: &str| id.replace('-', "");
    let mut tokens = vec![
        ("no token", String::new()),
        ("garbage", "garbage".to_owned()),
        (
            "forged API token",
            format!("ct_{}_{random}", hex(&a.ids[0].1)),
        ),
        (
            "forged account token",
            format!("at_{}_{random}", hex(&a.account)),
        ),
        ("link token", a.link_token.clone()),
        ("an id", a.account.clone()),
    ];
    tokens.extend(stale);
    let caller = |(name, text): (&'static str, String)| {
        let token = if name.ends_with("account token") {
            Token::Account
        } else {
            Token::Nothing
        };
        Caller {
            name,
            of: Of::NoOwner,
            token,
            client: admin.with_token(&text),
        }
    };
    tokens.into_iter().map(caller).collect()
}
