//! Creates, lists and deletes the MCP tokens of an account.

use std::rc::Rc;

use serde_json::Value;

use crate::error::Failure;
use crate::flows::account::account_tokens::unknown_token;
use crate::flows::account::loaded::LoadedAccount;
use crate::flows::agents::mcp::McpServer;
use crate::flows::agents::tools;
use crate::flows::messages::answered;
use crate::flows::messages::mcp::{McpMessage, McpTokenRecord};
use crate::ids::McpTokenId;
use crate::ports::{Outside, Storage, Visibility};

impl<O: Outside, S: Storage> McpServer<O, S> {
    /// Answers a message.
    pub(in crate::flows) async fn manage(&self, message: McpMessage) -> Result<Value, Failure> {
        match message {
            McpMessage::CreateMcpToken(visibility, record, hash) => {
                answered(self.create(&visibility, &record, &hash).await?)
            }
            McpMessage::ListMcpTokens(visibility, page) => {
                self.managed(&visibility).await?;
                answered(self.tokens.page(&page)?)
            }
            McpMessage::GetMcpToken(visibility, id) => {
                self.managed(&visibility).await?;
                let found = self.tokens.get(id)?;
                answered(found.ok_or_else(not_found)?)
            }
            McpMessage::DeleteMcpToken(visibility, id) => {
                self.managed(&visibility).await?;
                answered(self.delete(id)?)
            }
        }
    }

    /// The account, where the caller may manage its tokens: a token of one account may not.
    async fn managed(&self, visibility: &Visibility) -> Result<Rc<LoadedAccount>, Failure> {
        if visibility.is_of_one_account() {
            return Err(unknown_token());
        }
        self.calls().visible(visibility).await
    }

    async fn create(
        &self,
        visibility: &Visibility,
        record: &McpTokenRecord,
        hash: &str,
    ) -> Result<(), Failure> {
        let loaded = self.managed(visibility).await?;
        let resolved = self.calls().resolved_config(&loaded.account).await?;
        let (config, name) = (&resolved.compiled.config, &resolved.integration.name);
        let mut all = tools::of_loaded(config, name, &loaded, record.config.filter()).into_iter();
        if all.all(|(_, is_allowed)| is_allowed == Some(false)) {
            let message = "leaves no tool of this account: GET …/tools lists them";
            return Err(Failure::invalid("config", message));
        }
        // The account may have been deleted in the meantime.
        self.managed(visibility).await?;
        self.tokens.insert(record, hash)
    }

    fn delete(&self, id: McpTokenId) -> Result<(), Failure> {
        if self.tokens.delete(id)? {
            return Ok(());
        }
        Err(not_found())
    }
}

fn not_found() -> Failure {
    Failure::not_found("MCP token")
}
