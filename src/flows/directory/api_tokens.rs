//! API tokens of an environment: metadata and hash, not the token.

use crate::error::{Code, Failure};
use crate::flows::base::records::{ListPage, PageRequest, TokenRecord};
use crate::flows::base::sql;
use crate::flows::config::config_cache;
use crate::flows::directory::{Directory, table};
use crate::flows::messages::WriteResult;
use crate::ids::ApiTokenId;
use crate::ports::{Outside, Storage, StorageFault};

impl<O: Outside, S: Storage> Directory<O, S> {
    pub(in crate::flows) async fn create_token(
        &self,
        record: TokenRecord,
    ) -> Result<WriteResult<TokenRecord>, Failure> {
        let values = [
            record.id.to_string().into(),
            record.hash.as_str().into(),
            sql::json(&record)?,
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
        sql::record(
            &self.storage,
            "SELECT record FROM api_token WHERE hash = ?",
            &[hash.into()],
        )
    }

    pub(in crate::flows) async fn delete_token(
        &self,
        id: ApiTokenId,
    ) -> Result<WriteResult<TokenRecord>, Failure> {
        let statement = "SELECT record FROM api_token WHERE id = ?";
        let record = sql::record(&self.storage, statement, &[id.to_string().into()])?;
        let record: TokenRecord = record.ok_or_else(|| Failure::not_found("API token"))?;
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
        let statement = "SELECT hash FROM api_token";
        for hash in sql::column::<String>(&self.storage, statement, &[])? {
            self.mark(&config_cache::key::<TokenRecord>(&hash))?;
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
