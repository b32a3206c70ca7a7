//! What most stories begin with: one integration, one account of it, and a caller.

use std::fmt;
use std::time::Duration;

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, SendError, System};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Setting};
use crate::connect::events;
use crate::outside::{Pieces, World, reply};

pub const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// One account, and the world around it.
pub struct Scene {
    pub world: World,
    pub setting: Setting,
    pub account: String,
}

impl fmt::Debug for Scene {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the account {}", self.account)
    }
}

impl Scene {
    /// An account of the integration in `file`, which signs in by `method` with this context.
    pub fn new(world: World, file: &Value, method: &str, context: &Value) -> Self {
        let setting = Setting::new(&world, file);
        let account = setting.account(method, context);
        Self {
            world,
            setting,
            account,
        }
    }

    /// The same with the API key `k`, where the operator has set these variables.
    pub fn with_key(variables: &[(&str, &str)], file: &Value) -> Self {
        let context = json!({ "api_key": "k" });
        Self::new(World::with(variables), file, "api_key", &context)
    }

    /// The same with this token of OAuth.
    pub fn with_token(variables: &[(&str, &str)], file: &Value, token: &Value) -> Self {
        let context = json!({ "oauth": { "token": token } });
        Self::new(World::with(variables), file, "oauth2", &context)
    }

    /// An account with this context as `api_key`, whose provider answers every request with this JSON.
    pub fn answering(file: &Value, context: &Value, body: &'static str) -> Self {
        let scene = Self::new(World::new(), file, "api_key", context);
        scene
            .world
            .provides(move |_| reply(200, &JSON, Body::from_bytes(body)));
        scene
    }

    /// The path with the account in its query.
    pub fn path(&self, path: &str) -> String {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}integrated_account_id={}", self.account)
    }

    pub fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<Pieces>,
    ) -> Answer {
        let client = &self.setting.client;
        client.request(method, &self.path(path), headers, body)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &[], Body::Empty)
    }

    /// A call during which the clock goes on while it waits.
    pub fn call_passing(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<Pieces>,
    ) -> Answer {
        let path = self.path(path);
        let client = &self.setting.client;
        let call = client.request_async(method, &path, headers, body);
        block_on(self.world.run_passing(call))
    }

    /// The same; what is no GET has `{}` as its body.
    pub fn ask_passing(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let body = match method {
            "GET" => Body::Empty,
            _ => Body::from_bytes("{}"),
        };
        self.call_passing(method, path, headers, body)
    }

    /// The same as `call_passing`, and how many milliseconds it took.
    pub fn call_timed(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body<Pieces>,
    ) -> (Answer, u64) {
        let began = self.world.now();
        let answer = self.call_passing(method, path, headers, body);
        let millis = self.world.now().since(began).as_millis();
        (answer, u64::try_from(millis).unwrap())
    }

    /// Stores this file, and waits until no cache holds the one before.
    pub fn publish(&self, file: &Value) {
        let path = format!("/integration/{}", file["name"].as_str().unwrap());
        self.setting.admin.send("PUT", &path, file).expect(200);
        self.world.pass(Duration::from_secs(121));
    }

    /// Changes the install's override by the environment's own token.
    pub fn override_install(&self, change: &Value) -> Answer {
        self.setting.override_install(change)
    }

    pub fn override_install_as(&self, client: &Client, change: &Value) -> Answer {
        self.setting.override_install_as(client, change)
    }

    /// Changes the account's override by the environment's own token.
    pub fn override_account(&self, change: &Value) -> Answer {
        self.override_account_as(&self.setting.client, change)
    }

    pub fn override_account_as(&self, client: &Client, change: &Value) -> Answer {
        let body = json!({ "integration_override": change });
        client.send("PATCH", &self.record_path(), &body)
    }

    /// Changes the account's context; `route` is empty, or `/credentials`.
    pub fn change_context(&self, route: &str, context: &Value) -> Answer {
        let path = self.record_path() + route;
        let body = json!({ "context": context });
        self.setting.client.send("PATCH", &path, &body)
    }

    pub fn run_action(&self, name: &str, input: &Value) -> Answer {
        let path = self.path(&format!("/proxy/_/{name}"));
        self.setting.client.post(&path, input)
    }

    fn record_path(&self) -> String {
        format!("/integrated-account/{}", self.account)
    }

    /// The account as the API shows it.
    pub fn record(&self) -> Value {
        self.setting.client.get(&self.record_path()).expect(200)
    }

    pub fn status(&self) -> String {
        self.record()["status"].as_str().unwrap().to_owned()
    }

    /// The names of the account's events, in order.
    pub fn events(&self) -> Vec<String> {
        events(&self.world, &json!({ "id": self.account }))
    }

    /// Writes to the storage of the account's object so far.
    pub fn writes(&self) -> usize {
        self.world.writes(self.object())
    }

    /// The provider's next answer is none.
    pub fn fails(&self, error: SendError) {
        self.world.fails(error);
    }

    /// How many requests the provider got since the last look.
    pub fn sent(&self) -> usize {
        self.world.sent().len()
    }

    /// The account's object.
    pub fn object(&self) -> ObjectName {
        ObjectName::Account(self.account.parse::<AccountId>().unwrap())
    }

    /// How many rows the account's object has in this table; none where it has no such table.
    pub fn rows(&self, table: &str) -> usize {
        let tables = format!("SELECT name FROM sqlite_master WHERE name = '{table}'");
        if self.world.rows(self.object(), &tables) == 0 {
            return 0;
        }
        let rows = format!("SELECT 1 FROM {table}");
        self.world.rows(self.object(), &rows)
    }
}
