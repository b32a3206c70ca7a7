//! What the front Worker sends to an account's object in addition to the request itself.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::EnvironmentId;
use crate::proxy::Target;

/// The caller and the route, as the front Worker has established them. The object trusts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// The route of the request.
    pub route: ObjectRoute,
    /// The id of the request, in every response and log line.
    pub request_id: String,
    /// The accounts that the caller can see.
    #[serde(rename = "sees")]
    pub visibility: Visibility,
    /// The caller in the log: the id or the kind of its token.
    pub caller: String,
    /// The hash of an API token, by which a long list validates the token again.
    #[serde(default)]
    pub token: Option<String>,
    /// [`super::Incoming::raw_target`], which the forwarded request cannot carry.
    #[serde(default, rename = "asked")]
    pub raw_target: Option<String>,
}

impl HandOver {
    /// What the requests of the caller are counted under. It does not reveal the token.
    pub fn token_key(&self) -> &str {
        match (&self.visibility, &self.token) {
            (Visibility::AccountToken(hash) | Visibility::McpToken(hash), _) | (_, Some(hash)) => {
                hash
            }
            _ => ADMIN_TOKEN_KEY,
        }
    }
}

/// What the requests of the admin token are counted under.
pub const ADMIN_TOKEN_KEY: &str = "admin";

/// The route of a forwarded request, as the front Worker has parsed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectRoute {
    /// A call to the provider.
    Call(Target, Budget, Pages),
    /// The action of this name.
    Action(String, Budget),
    /// A provider's webhook.
    Webhook,
    /// Messages of an MCP client, with the environment of the API token that it sent, too.
    Mcp(Option<EnvironmentId>, Budget),
    /// Several calls as a graph.
    Batch(Budget),
}

/// The limits of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The time for waits, retries and the response together. Each page of a list has its own.
    pub timeout: Duration,
    /// The most retries. `None` where the caller gives no number.
    pub max_retries: Option<u32>,
}

/// How much of a list the caller requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pages {
    /// One page, in an envelope with the cursor of the next.
    One,
    /// All pages, one record per line.
    All,
    /// The same for a sync: any method is a list, and the page keeps the whole answer.
    Sync,
}

/// The accounts that a caller can see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// All accounts: the admin token.
    All,
    /// The accounts of one environment: an API token.
    Environment(EnvironmentId),
    /// The account whose object has stored this hash of an account token.
    AccountToken(String),
    /// The same of an MCP token, which sees nothing but the tools of the account.
    McpToken(String),
}

impl Visibility {
    /// Whether it is that of a token of one account, which manages nothing.
    pub fn is_of_one_account(&self) -> bool {
        match self {
            Self::AccountToken(_) | Self::McpToken(_) => true,
            Self::All | Self::Environment(_) => false,
        }
    }
}
