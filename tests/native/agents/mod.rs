//! What agents use: tools, MCP and batches.

mod arrays;
mod attacks;
mod batch;
mod bounds;
mod calls;
mod confirmations;
mod origins;
mod protocol;
mod tokens;
mod tools;

use causeway::ports::Body;
use serde_json::{Value, json};

use crate::client::{Answer, Client, Setting};
use crate::outside::World;
use crate::planted_secrets::{self, Place};

pub const CONTACTS: &str = "https://api.acme.example/contacts";

/// A provider of contacts and reports.
pub fn crm() -> Value {
    let text = json!({ "type": "string", "description": "A text." });
    json!({ "name": "acme-crm", "config": {
        "label": "Acme CRM",
        "base_url": "https://api.acme.example",
        "credentials": { "oauth2": { "config": {
            "auth": { "authorizeUrl": "https://login.acme.example/a", "tokenUrl": "https://login.acme.example/t" },
            "client": { "id": "c", "secret": "s" },
            "fields": [{ "name": "pin", "label": "PIN", "type": "password" }] } } },
        "authorization": { "format": "bearer" },
        "pagination": { "format": "cursor", "config": { "cursor_path": "next", "cursor_key": "after", "limit_key": "per_page", "max_limit": 50 } },
        "tool_tags": { "contacts": ["crm"] },
        "resources": {
            "contacts": {
                "list": { "path": "/contacts", "response_path": "items", "description": "Lists contacts.",
                    "query_schema": { "type": "object", "properties": { "city": text } }, "scopes": ["contacts:read"],
                    "response_schema": { "type": "object" } },
                "get": { "path": "/contacts/{{id}}", "description": "Gets a contact." },
                "create": { "method": "post", "path": "/contacts", "description": "Makes a contact.", "scopes": ["contacts:write"],
                    "body_schema": { "type": "object", "required": ["name"], "properties": { "name": text, "age": { "type": "integer" } } } },
                "update": { "method": "patch", "path": "/contacts/{{id}}", "description": "Changes a contact.",
                    "body_schema": { "type": "object", "properties": { "name": text } } },
                "delete": { "method": "delete", "path": "/contacts/{{id}}", "query": { "pin": "{{pin:undefined}}" }, "description": "Deletes a contact." },
                "hide": { "method": "post", "path": "/hide" },
            },
            "reports": { "render": { "method": "post", "path": "/reports", "body_format": "form", "description": "Renders a report." } },
        },
    } })
}

/// A context whose token has these scopes.
pub fn context(scope: &Value) -> Value {
    json!({ "pin": "4711", "oauth": { "token": { "access_token": "token-of-the-crm", "scope": scope, "expires_at": "2030-01-01T00:00:00.000Z" } } })
}

/// An agent with an MCP token of an account.
pub struct Agent {
    pub setting: Setting,
    pub account: String,
    pub id: String,
    /// `/mcp/{token}`
    pub path: String,
    /// A client without a token of the API.
    pub anonymous: Client,
}

impl Agent {
    pub fn new(world: &World, config: &Value) -> Self {
        Self::with(Setting::new(world, &crm()), &context(&Value::Null), config)
    }

    pub fn with(setting: Setting, context: &Value, config: &Value) -> Self {
        let account = setting.account("oauth2", context);
        let made = token(&setting.client, &account, config);
        Self {
            anonymous: setting.admin.with_token(""),
            path: format!("/mcp/{}", made["token"].as_str().unwrap()),
            id: made["id"].as_str().unwrap().to_owned(),
            account,
            setting,
        }
    }

    pub fn world(&self) -> &World {
        &self.setting.client.world
    }

    pub fn post(&self, path: &str, headers: &[(&str, &str)], text: &str) -> Answer {
        let body = Body::from_bytes(text.to_owned());
        self.anonymous.request("POST", path, headers, body)
    }

    /// Sends a message, as clients do.
    pub fn send(&self, message: &Value) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2025-11-25"),
        ];
        self.post(&self.path, &headers, &message.to_string())
    }

    /// The answer to a request, with its `result` or `error`.
    pub fn request(&self, method: &str, params: &Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let answer = self.send(&message).expect(200);
        assert_eq!(
            (&answer["jsonrpc"], &answer["id"]),
            (&json!("2.0"), &json!(7))
        );
        answer
    }

    /// The result of a tool.
    #[track_caller]
    pub fn call(&self, tool: &str, arguments: &Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        let mut answer = self.request("tools/call", &params);
        assert_eq!(answer.get("error"), None, "{tool} {arguments}");
        answer["result"].take()
    }

    /// What a tool gave, where it did what was asked.
    #[track_caller]
    pub fn done(&self, tool: &str, arguments: &Value) -> Value {
        let mut result = self.call(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].take()
    }

    /// The code and the text of a tool that failed.
    #[track_caller]
    pub fn failed(&self, tool: &str, arguments: &Value) -> (String, String) {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        let code = &result["structuredContent"]["error"]["code"];
        let text = &result["content"][0]["text"];
        (
            code.as_str().unwrap().to_owned(),
            text.as_str().unwrap().to_owned(),
        )
    }

    /// The place of the argument that is refused; empty where there is no such tool.
    #[track_caller]
    pub fn refused(&self, tool: &str, arguments: &Value) -> String {
        let params = json!({ "name": tool, "arguments": arguments });
        let answer = self.request("tools/call", &params);
        if answer.get("error").is_some() {
            assert_eq!(answer["error"]["code"], -32602, "{answer}");
            return String::new();
        }
        let error = &answer["result"]["structuredContent"]["error"];
        assert_eq!(error["code"], "caller.invalid", "{answer}");
        let path = &error["details"]["failures"][0]["path"];
        path.as_str().unwrap().to_owned()
    }

    pub fn tools(&self) -> Vec<String> {
        let listed = self.request("tools/list", &json!({}));
        let tools = listed["result"]["tools"].as_array().unwrap().iter();
        tools
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A new MCP token.
pub fn token(client: &Client, account: &str, config: &Value) -> Value {
    let body = json!({ "name": "agent", "config": config });
    let made = client
        .post(&format!("/integrated-account/{account}/mcp"), &body)
        .expect(201);
    let secret = made["token"].as_str().unwrap();
    planted_secrets::plant("mcp_token", secret, &[Place::Logged, Place::Stored]);
    made
}
