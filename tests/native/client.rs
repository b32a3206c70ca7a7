//! A caller of the API, as the stories tell it.

use std::fmt;

use causeway::account::token::{TokenKind, address};
use causeway::api;
use causeway::ids::AccountId;
use causeway::ports::{Body, Incoming, System};
use futures::executor::block_on;
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};
use url::Url;

use crate::openapi;
use crate::outside::{ADMIN, Pieces, World, as_platform_shows, collect, on_wire};
use crate::planted_secrets::{self, Place};

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.body);
        write!(formatter, "{} {text}", self.status)
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&self.body)))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The JSON of an answer that must have this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The `code` of an error that must have this status.
    #[track_caller]
    pub fn code(self, status: u16) -> String {
        let body = self.expect(status);
        assert_eq!(body["statusCode"], status);
        body["code"].as_str().unwrap().to_owned()
    }
}

/// A caller with a token.
#[derive(Clone)]
pub struct Client {
    pub world: World,
    pub token: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the client with the token {:?}", self.token)
    }
}

impl Client {
    pub fn admin(world: &World) -> Self {
        Self {
            world: world.clone(),
            token: ADMIN.to_owned(),
        }
    }

    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], Body::Empty)
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.request("DELETE", path, &[], Body::Empty)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, body)
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        block_on(self.world.run(self.send_async(method, path, body)))
    }

    pub async fn send_async(&self, method: &str, path: &str, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        let body = Body::from_bytes(body.to_string());
        self.request_async(method, path, &json, body).await
    }

    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<Pieces>,
    ) -> Answer {
        block_on(
            self.world
                .run(self.request_async(method, path, headers, body)),
        )
    }

    /// A story may name a webhook's URL by the id alone; it is then sent to as `webhook_url` says it.
    fn signed(&self, path: &str) -> String {
        let kinds = [
            ("/integrated-account-webhook/", TokenKind::AccountWebhook),
            (
                "/environment-integration-webhook/",
                TokenKind::InstallWebhook,
            ),
        ];
        let Ok(ring) = self.world.settings().keyring() else {
            return path.to_owned();
        };
        for (start, kind) in kinds {
            let Some(rest) = path.strip_prefix(start) else {
                continue;
            };
            let (id, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
            if let Ok(id) = id.parse::<AccountId>() {
                return format!("{start}{}{query}", address(ring, kind, id).unwrap());
            }
        }
        path.to_owned()
    }

    /// A path is one of the gateway's; an address says all of it.
    fn url_of(&self, path: &str) -> Url {
        let at = if path.starts_with('/') {
            format!("{}{}", self.world.origin(), self.signed(path))
        } else {
            path.to_owned()
        };
        at.parse().unwrap()
    }

    pub async fn request_async(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<Pieces>,
    ) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        self.request_bytes(method, path, headers, body).await
    }

    /// The same with header fields of any bytes.
    pub async fn request_bytes(
        &self,
        method: &str,
        path: &str,
        wire: HeaderMap,
        body: Body<Pieces>,
    ) -> Answer {
        let mut map = as_platform_shows(&wire);
        if !self.token.is_empty() {
            map.insert(
                "authorization",
                format!("Bearer {}", self.token).parse().unwrap(),
            );
        }
        if let Body::Bytes(bytes) = &body {
            let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
            let everywhere = [Place::Answered, Place::Logged, Place::Stored];
            planted_secrets::plant_all(&document, &everywhere);
        }
        let request = Incoming {
            method: method.parse().unwrap(),
            url: self.url_of(path),
            raw_target: None,
            headers: map,
            body,
        };
        let reply = api::handle(
            &self.world,
            (&self.world.isolate(), &self.world.leases()),
            Ok(request),
        )
        .await;
        let reply = reply.into_reply();
        assert!(
            reply.headers.contains_key("x-request-id"),
            "every answer has its id"
        );
        let answer = Answer {
            status: reply.status.as_u16(),
            headers: on_wire(&reply.headers),
            body: collect(reply.body).await,
        };
        openapi::check(method, self.url_of(path).path(), &answer);
        planted_secrets::look_at(&answer, method, path);
        answer
    }

    /// A new environment's id.
    pub fn environment(&self, name: &str) -> String {
        id_of(
            &self
                .post("/environment", &json!({ "name": name }))
                .expect(201),
        )
    }

    /// A token of an environment with all scopes, or these.
    pub fn token_of(&self, environment: &str, scopes: Option<&[&str]>) -> Self {
        let mut body = json!({ "environment_id": environment, "name": "t" });
        if let Some(scopes) = scopes {
            body["scopes"] = json!(scopes);
        }
        self.with_token(
            self.post("/api-token", &body).expect(201)["token"]
                .as_str()
                .unwrap(),
        )
    }
}

pub fn id_of(body: &Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

/// An environment with an integration installed and a token for it.
pub struct Setting {
    pub admin: Client,
    pub client: Client,
    pub environment: String,
    pub install: String,
}

impl Setting {
    /// Publishes `file`, installs it in a new environment, makes a token.
    pub fn new(world: &World, file: &Value) -> Self {
        let admin = Client::admin(world);
        let name = file["name"].as_str().unwrap();
        admin
            .send("PUT", &format!("/integration/{name}"), file)
            .expect(201);
        let environment = admin.environment("test");
        let client = admin.token_of(&environment, None);
        let install = id_of(
            &client
                .post(
                    "/environment-integration",
                    &json!({ "integration_name": name }),
                )
                .expect(201),
        );
        Self {
            admin,
            client,
            environment,
            install,
        }
    }

    /// A client with a token of this account alone, as its customer has it.
    pub fn customer(&self, account: &str) -> Client {
        let body = json!({ "integrated_account_id": account });
        let made = self.client.post("/integrated-account/token", &body);
        let token = made.expect(201)["integrated_account_token"].clone();
        self.client.with_token(token.as_str().unwrap())
    }

    /// Changes the install's override by the environment's own token.
    pub fn override_install(&self, change: &Value) -> Answer {
        self.override_install_as(&self.client, change)
    }

    pub fn override_install_as(&self, client: &Client, change: &Value) -> Answer {
        let Self {
            install,
            environment,
            ..
        } = self;
        let path = format!("/environment-integration/{install}?environment_id={environment}");
        client.send("PATCH", &path, &json!({ "override": change }))
    }

    /// Imports an account with this context and without its lifecycle actions; its id.
    pub fn account(&self, method: &str, context: &Value) -> String {
        let mut body = self.import_body(method, context);
        body["run_actions"] = json!(false);
        id_of(&self.client.post("/integrated-account", &body).expect(201))
    }

    /// Imports an account with this context, as an import does it by default, while the clock goes on.
    pub fn import(&self, method: &str, context: &Value) -> Answer {
        let body = self.import_body(method, context);
        let import = self.client.send_async("POST", "/integrated-account", &body);
        block_on(self.client.world.run_passing(import))
    }

    fn import_body(&self, method: &str, context: &Value) -> Value {
        json!({ "tenant_id": "acme", "environment_integration_id": self.install, "authentication_method": method, "context": context })
    }
}
