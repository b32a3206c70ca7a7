//! What most stories begin with: one integration, one account of it, and a caller.

use causeway::ids::AccountId;
use causeway::ports::{Body, ObjectName, SendError, System};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::client::{Answer, Setting};
use crate::outside::{Pieces, Scripted, World};

pub const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// One account, and the world around it.
pub struct Scene {
    pub world: World,
    pub setting: Setting,
    pub account: String,
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

    /// The provider's next answer is none.
    pub fn fails(&self, error: SendError) {
        self.world.scripts(Scripted {
            outcome: Err(error),
            not_before: 0,
        });
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
