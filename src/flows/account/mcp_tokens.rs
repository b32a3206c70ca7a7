//! MCP tokens: each lets an agent call the tools of one account. The account's object stores their hashes.

use std::rc::Rc;

use crate::error::Failure;
use crate::flows::account::base::Base;
use crate::flows::account::state::State;
use crate::flows::account::stored::Stored;
use crate::flows::base::page_bytes::{Selection, rows_of_page};
use crate::flows::base::records::{ListPage, PageRequest};
use crate::flows::base::sql;
use crate::flows::messages::mcp::McpTokenRecord;
use crate::ids::{EnvironmentId, McpTokenId};
use crate::ports::{Outside, Storage, StorageFault};
use crate::settings::MCP_TOKENS;
use crate::time::Timestamp;

const TABLE: &str = "mcp_token";
const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS mcp_token (id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, until INTEGER, record TEXT NOT NULL) WITHOUT ROWID";

/// The table of the account's MCP tokens.
pub(in crate::flows) struct McpTokenStore<O, S> {
    base: Rc<Base<O, S>>,
}

impl<O: Outside, S: Storage> McpTokenStore<O, S> {
    pub(in crate::flows) fn new(base: &Rc<Base<O, S>>) -> Self {
        Self {
            base: Rc::clone(base),
        }
    }

    /// Stores a token by its hash.
    pub(in crate::flows) fn insert(
        &self,
        record: &McpTokenRecord,
        hash: &str,
    ) -> Result<(), Failure> {
        let storage = self.base.storage();
        sql::run(storage, SCHEMA, &[])?;
        self.trim()?;
        let count: Option<i64> = sql::one(storage, "SELECT count(*) FROM mcp_token", &[])?;
        if count.is_some_and(|count| count >= MCP_TOKENS) {
            let message = format!("an account has at most {MCP_TOKENS} MCP tokens; delete one");
            return Err(Failure::invalid("", message));
        }
        let until = record.expires_at.map(Timestamp::as_millis);
        let id = record.id.to_string();
        let values = [
            id.into(),
            hash.into(),
            sql::nullable(until),
            sql::json(record)?,
        ];
        let statement = "INSERT INTO mcp_token (id, hash, until, record) VALUES (?, ?, ?, ?)";
        Ok(sql::run(storage, statement, &values)?)
    }

    /// The token with this hash, if it exists and has not expired.
    pub(in crate::flows) fn find(
        &self,
        hash: &str,
    ) -> Result<Option<McpTokenRecord>, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(None);
        }
        let values = [hash.into(), self.now().into()];
        let statement =
            "SELECT record FROM mcp_token WHERE hash = ? AND (until IS NULL OR until > ?)";
        let text: Option<String> = sql::one(self.base.storage(), statement, &values)?;
        text.as_deref().map(sql::from_json).transpose()
    }

    /// A token.
    pub(in crate::flows) fn get(
        &self,
        id: McpTokenId,
    ) -> Result<Option<McpTokenRecord>, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(None);
        }
        let values = [id.to_string().into(), self.now().into()];
        let statement =
            "SELECT record FROM mcp_token WHERE id = ? AND (until IS NULL OR until > ?)";
        let text: Option<String> = sql::one(self.base.storage(), statement, &values)?;
        text.as_deref().map(sql::from_json).transpose()
    }

    /// A page of the tokens, the oldest first.
    pub(in crate::flows) fn page(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<McpTokenRecord>, StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(ListPage {
                result: Vec::new(),
                next_cursor: None,
            });
        }
        let after = page.after.as_deref().unwrap_or_default();
        let selection = Selection {
            columns: "record",
            texts: &["record"],
            from: "FROM mcp_token WHERE id > ? AND (until IS NULL OR until > ?) ORDER BY id"
                .to_owned(),
            values: vec![after.into(), self.now().into()],
        };
        let (rows, is_more) = rows_of_page(self.base.storage(), &selection, page.limit)?;
        let texts = rows.iter().filter_map(|row| row.first()?.as_text());
        let result: Vec<McpTokenRecord> = texts.map(sql::from_json).collect::<Result<_, _>>()?;
        let last = result.last().filter(|_| is_more);
        Ok(ListPage {
            next_cursor: last.map(|record| record.id.to_string()),
            result,
        })
    }

    /// Deletes a token → whether it was there.
    pub(in crate::flows) fn delete(&self, id: McpTokenId) -> Result<bool, StorageFault> {
        if self.get(id)?.is_none() {
            return Ok(false);
        }
        let statement = "DELETE FROM mcp_token WHERE id = ?";
        sql::run(self.base.storage(), statement, &[id.to_string().into()])?;
        Ok(true)
    }

    fn now(&self) -> i64 {
        self.base.outside().now().as_millis()
    }
}

impl<O: Outside, S: Storage> Stored for McpTokenStore<O, S> {
    fn trim(&self) -> Result<(), StorageFault> {
        if !sql::has_table(self.base.storage(), TABLE)? {
            return Ok(());
        }
        let statement = "DELETE FROM mcp_token WHERE until <= ?";
        sql::run(self.base.storage(), statement, &[self.now().into()])
    }

    fn next_due(&self, _: &State) -> Result<Option<Timestamp>, Failure> {
        // No alarm is needed: expired tokens are ignored, and the next alarm or the next token deletes them.
        Ok(None)
    }

    fn reseal(&self) -> Result<(), Failure> {
        // Hashes are not sealed.
        Ok(())
    }

    fn is_over(&self) -> Result<bool, Failure> {
        // Its rows are deleted with the storage.
        Ok(true)
    }

    fn wipe(&self, _: EnvironmentId) -> Result<(), StorageFault> {
        sql::clear(self.base.storage(), TABLE)
    }

    fn reset(&self) {}
}
