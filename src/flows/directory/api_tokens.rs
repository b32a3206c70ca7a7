//! API tokens of an environment: metadata and hash, not the token.

use crate::error::{Code, Failure};
use crate::flows::base::records::{ListPage, PageRequest, TokenRecord};
use crate::flows::config::config_cache;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::WriteResult;
use crate::ids::ApiTokenId;
use crate::ports::{Outside, SqlValue, Storage, StorageFault};

impl<O: Outside, S: Storage> Directory<O, S> {
    pub(in crate::flows) async fn create_token(
        &self,
        record: TokenRecord,
    ) -> Result<WriteResult<TokenRecord>, Failure> {
        let values = [
            record.id.to_string().into(),
            record.hash.as_str().into(),
            table::text_of(&record)?,
        ];
        self.storage.exec(
            "INSERT INTO api_token (id, hash, record) VALUES (?, ?, ?)",
            &values,
        )?;
        self.mark(&config_cache::key::<TokenRecord>(&record.hash))?;
        self.publish().await;
        Ok(WriteResult {
            record,
            is_new: true,
        })
    }

    pub(in crate::flows) fn list_tokens(
        &self,
        page: &PageRequest,
    ) -> Result<ListPage<TokenRecord>, StorageFault> {
        table::list(&self.storage, "api_token", &[], page)
    }

    pub(in crate::flows) fn find_token(
        &self,
        hash: &str,
    ) -> Result<Option<TokenRecord>, StorageFault> {
        table::first(&self.storage.exec(
            "SELECT record FROM api_token WHERE hash = ?",
            &[hash.into()],
        )?)
    }

    pub(in crate::flows) async fn delete_token(
        &self,
        id: ApiTokenId,
    ) -> Result<WriteResult<TokenRecord>, Failure> {
        let rows = self.storage.exec(
            "SELECT record FROM api_token WHERE id = ?",
            &[id.to_string().into()],
        )?;
        let record: TokenRecord =
            table::first(&rows)?.ok_or_else(|| Failure::not_found("API token"))?;
        self.storage.exec(
            "DELETE FROM api_token WHERE id = ?",
            &[id.to_string().into()],
        )?;
        self.mark(&config_cache::key::<TokenRecord>(&record.hash))?;
        self.publish().await;
        Ok(WriteResult {
            record,
            is_new: false,
        })
    }

    /// Revokes every token before the directory is erased. All revocations must be published first: an erased directory
    /// has no mark left to publish one later.
    pub(in crate::flows) async fn revoke_all_tokens(&self) -> Result<(), Failure> {
        for row in self.storage.exec("SELECT hash FROM api_token", &[])? {
            let hash = row.first().and_then(SqlValue::as_text).unwrap_or_default();
            self.mark(&config_cache::key::<TokenRecord>(hash))?;
        }
        self.storage.exec("DELETE FROM api_token", &[])?;
        self.publish().await;
        if table::count(&self.storage, "publication")? == 0 {
            return Ok(());
        }
        Err(Failure::new(
            Code::Storage,
            "Not all tokens of the environment are revoked yet. Try again.",
        )
        .with_retry_after(5))
    }
}
